//! [`Restore`]: what a backup holds, back in a data directory.
//!
//! It is a list of steps, each of which is done or not, whenever the process is killed: a row of
//! payments is one commit, a file appears complete. A step that is done is none in the next plan, so
//! the same restore again does what was left.
//!
//! - Payments come first: with a key but without its payments, somebody could pay again with a
//!   sequence that is taken.
//! - A key whose name is taken by another one gets it only after that one was copied aside.
//!
//! A miner or a `wallet sync` may work in the data directory meanwhile. They share `wallet.db` by
//! its locks and find the payments as they find those of `wallet send`; key files they read when
//! they start. The chain is not touched.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Backup;
use super::error::{BackupError, Conflicts};
use crate::data_dir::{DataDir, NetworkFolder};
use crate::files::{create_private, folder_of, sync_folder, write_new, write_over};
use crate::keys::{KeyName, KeyStore};
use crate::outbox::{Merged, Outbox, Recorded};

/// What is to be done.
#[derive(Debug)]
pub struct Restore<'a> {
    data_dir: &'a DataDir,
    steps: Vec<Step<'a>>,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Key files that were written.
    pub keys: usize,
    /// Payments that were added.
    pub payments: u64,
    /// Networks that have them.
    pub networks: usize,
    /// Where the key files are whose names others have got.
    pub kept: Vec<PathBuf>,
    /// Payments that were left out, because another one with their sequence was made here.
    pub passed_over: u64,
}

/// One change of the data directory, made as a whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step<'a> {
    Payments(&'a NetworkFolder, &'a [Recorded]),
    KeepAside { key: PathBuf, aside: PathBuf },
    NewKey { key: PathBuf, bytes: &'a [u8] },
    ReplaceKey { key: PathBuf, bytes: &'a [u8] },
}

impl<'a> Restore<'a> {
    /// What there is to do. With `force`, what stands in the way is no reason not to.
    ///
    /// # Errors
    /// [`BackupError::Conflict`], or if something cannot be read. Nothing is changed.
    pub fn plan(
        data_dir: &'a DataDir,
        backup: &'a Backup,
        force: bool,
    ) -> Result<Self, BackupError> {
        let mut conflicts =
            Conflicts { folder: data_dir.path().to_owned(), ..Conflicts::default() };
        let mut steps = Vec::new();
        for (folder, payments) in &backup.payments {
            let (missing, others) = compare(&data_dir.folder(folder), payments)?;
            if missing {
                steps.push(Step::Payments(folder, payments));
            }
            if missing && others {
                conflicts.networks.push(folder.clone());
            }
        }
        let store = data_dir.keys();
        for (name, bytes) in &backup.keys {
            let key = store.file(name);
            match content(&key)? {
                None => steps.push(Step::NewKey { key, bytes }),
                Some(same) if same == *bytes => {}
                Some(other) => {
                    conflicts.keys.push(name.clone());
                    let aside = place_aside(&store, name, &other)?;
                    steps.push(Step::KeepAside { key: key.clone(), aside });
                    steps.push(Step::ReplaceKey { key, bytes });
                }
            }
        }
        if force || conflicts.is_empty() {
            Ok(Self { data_dir, steps })
        } else {
            Err(BackupError::Conflict(Box::new(conflicts)))
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// [`BackupError`]; what was done until then stays, and the same restore again does the rest.
    pub fn run(&self) -> Result<Restored, BackupError> {
        let mut restored = Restored::default();
        for step in &self.steps {
            perform(self.data_dir, step, &mut restored)?;
        }
        Ok(restored)
    }
}

fn perform(
    data_dir: &DataDir,
    step: &Step<'_>,
    restored: &mut Restored,
) -> Result<(), BackupError> {
    match step {
        Step::Payments(folder, payments) => {
            let folder = data_dir.folder(folder);
            create_folder(&folder)?;
            let merged = Outbox::open(&folder)?.merge(payments)?;
            restored.payments += merged.added;
            restored.networks += usize::from(merged.added > 0);
            restored.passed_over += merged.passed_over;
        }
        Step::KeepAside { key, aside } => {
            let bytes = fs::read(key).map_err(BackupError::io("read", key))?;
            match write_new(aside, &bytes) {
                // By the same restore, before it was cut short.
                Err(_) if content(aside)?.is_some_and(|kept| kept == bytes) => {}
                done => done.map_err(BackupError::io("write", aside))?,
            }
            restored.kept.push(aside.clone());
        }
        Step::NewKey { key, bytes } => {
            create_folder(folder_of(key))?;
            write_new(key, bytes).map_err(BackupError::io("write", key))?;
            restored.keys += 1;
        }
        Step::ReplaceKey { key, bytes } => {
            write_over(key, bytes).map_err(BackupError::io("write", key))?;
            restored.keys += 1;
        }
    }
    Ok(())
}

/// Whether payments are missing in this network folder, and whether there are any.
fn compare(folder: &Path, payments: &[Recorded]) -> Result<(bool, bool), BackupError> {
    match Outbox::open_existing(folder)? {
        Some(outbox) => {
            let missing = outbox.compare(payments)? != Merged::default();
            Ok((missing, !outbox.is_empty()?))
        }
        None => Ok((!payments.is_empty(), false)),
    }
}

/// Where a key file is kept that has to give way: under a name that is free, or that a restore that
/// was cut short has given it already.
fn place_aside(store: &KeyStore, name: &KeyName, bytes: &[u8]) -> Result<PathBuf, BackupError> {
    let key = store.file(name);
    let mut number = 1_u64;
    loop {
        let mut aside = key.clone().into_os_string();
        aside.push(format!(".before-restore-{number}"));
        let aside = PathBuf::from(aside);
        match content(&aside)? {
            Some(other) if other != bytes => number += 1,
            _ => return Ok(aside),
        }
    }
}

/// The bytes of a file, if there is one.
fn content(path: &Path) -> Result<Option<Vec<u8>>, BackupError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BackupError::io("read", path)(error)),
    }
}

fn create_folder(folder: &Path) -> Result<(), BackupError> {
    create_private(folder)
        .and_then(|()| sync_folder(folder_of(folder)))
        .map_err(BackupError::io("create", folder))
}

#[cfg(test)]
#[path = "restore_tests.rs"]
mod tests;
