//! The exchange of a chain's database for another that was made beside it, so that a kill at any
//! moment leaves the old one or the new one, and no database meets the log of another.
//!
//! | file | is |
//! |---|---|
//! | `chain.db.new` | under construction; of no use when its maker has gone |
//! | `chain.db.complete` | complete, without a log; from here on it is the chain |
//! | `chain.db.damaged-N` | the one that it took the place of, with its log; the last has the highest number |
//!
//! The steps after the second are done by whoever comes next, under the chain's lock, if the first
//! who tried was killed. While they are done there is no `chain.db` that anybody could open.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::LedgerError;
use crate::lock::WriterLock;

/// What SQLite puts beside a database. The first two hold what is not in it yet.
const LOGS: [&str; 3] = ["-wal", "-journal", "-shm"];

/// Where a new database is made for the one at this path.
pub(crate) fn draft_of(database: &Path) -> PathBuf {
    beside(database, ".new")
}

/// Puts the draft, which is complete and closed, in the place of the database. The caller holds
/// the chain's lock. Returns where the old one is.
pub(crate) fn swap_in(database: &Path) -> io::Result<PathBuf> {
    commit(database).iter().try_for_each(Step::run)?;
    let aside = aside_of(database)?;
    finish(database)?;
    Ok(aside)
}

/// Finishes an exchange that was interrupted, if it was, and removes the draft of one that was not
/// ready. The caller holds the chain's lock.
pub(crate) fn recover(database: &Path) -> io::Result<()> {
    finish(database)?;
    remove_draft(database)
}

/// Finishes an interrupted exchange for somebody who only reads, unless somebody else does.
pub(crate) fn recover_to_read(database: &Path, lock: &Path) -> Result<(), LedgerError> {
    if !complete_of(database).exists() {
        return Ok(());
    }
    let finished = WriterLock::acquire(lock, database).map(|_lock| finish(database));
    if !matches!(finished, Ok(Ok(()))) && !database.exists() {
        return Err(LedgerError::Replaced(database.to_owned()));
    }
    Ok(())
}

/// Removes what is left of a draft.
pub(crate) fn remove_draft(database: &Path) -> io::Result<()> {
    remove(&draft_of(database))
}

/// Removes a database and its log.
pub(crate) fn remove(database: &Path) -> io::Result<()> {
    remove_database(database).iter().try_for_each(Step::run)
}

fn finish(database: &Path) -> io::Result<()> {
    steps_to_finish(database)?.iter().try_for_each(Step::run)
}

/// Where the database goes that gives way, or went when this began before.
fn aside_of(database: &Path) -> io::Result<PathBuf> {
    let name = beside(Path::new(database.file_name().unwrap_or_default()), ".damaged-");
    let mut last = 0_u64;
    for entry in fs::read_dir(folder_of(database))? {
        let entry = entry?.file_name();
        let number = entry.to_str().and_then(|entry| entry.strip_prefix(name.to_str()?));
        last = last.max(number.and_then(|number| number.parse().ok()).unwrap_or(0));
    }
    let number = if database.exists() { last.saturating_add(1) } else { last };
    Ok(beside(database, &format!(".damaged-{number}")))
}

fn complete_of(database: &Path) -> PathBuf {
    beside(database, ".complete")
}

/// One change of the folder, which is done or not.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Gives a file another name, in the place of what has it.
    Rename(PathBuf, PathBuf),
    /// Removes a file.
    Remove(PathBuf),
    /// Makes a file or a folder survive a power failure as it is.
    Sync(PathBuf),
}

impl Step {
    fn run(&self) -> io::Result<()> {
        match self {
            Self::Rename(from, to) => fs::rename(from, to),
            Self::Remove(file) => fs::remove_file(file),
            Self::Sync(file) if cfg!(unix) || file.is_file() => File::open(file)?.sync_all(),
            Self::Sync(_) => Ok(()),
        }
    }
}

/// Up to the moment from which the draft is the chain.
fn commit(database: &Path) -> Vec<Step> {
    let draft = draft_of(database);
    vec![
        Step::Sync(draft.clone()),
        Step::Rename(draft, complete_of(database)),
        Step::Sync(folder_of(database)),
    ]
}

/// What is left to do after that moment; nothing if it has not come.
fn steps_to_finish(database: &Path) -> io::Result<Vec<Step>> {
    let complete = complete_of(database);
    if !complete.exists() {
        return Ok(Vec::new());
    }
    let damaged = aside_of(database)?;
    let mut steps = Vec::new();
    let is_first = database.exists();
    if is_first {
        steps.extend(remove_database(&damaged));
        // Before its log: nobody can open it without.
        steps.push(Step::Rename(database.to_owned(), damaged.clone()));
    }
    let (memory, logs) = LOGS.split_last().expect("three");
    for log in logs {
        let (log, aside) = (beside(database, log), beside(&damaged, log));
        if log.exists() {
            // One that is there came with the database; this is of a reader that came too late.
            let too_late = !is_first && aside.exists();
            steps.push(if too_late { Step::Remove(log) } else { Step::Rename(log, aside) });
        }
    }
    steps.extend(remove_if_there(beside(database, memory)));
    // The logs must be gone before the new database comes, also after a power failure.
    steps.push(Step::Sync(folder_of(database)));
    steps.push(Step::Rename(complete, database.to_owned()));
    steps.push(Step::Sync(folder_of(database)));
    Ok(steps)
}

/// The database first, so that it is never without its log.
fn remove_database(database: &Path) -> Vec<Step> {
    let logs = LOGS.iter().map(|log| beside(database, log));
    std::iter::once(database.to_owned()).chain(logs).filter_map(remove_if_there).collect()
}

fn remove_if_there(file: PathBuf) -> Option<Step> {
    file.exists().then_some(Step::Remove(file))
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    name.into()
}

fn folder_of(file: &Path) -> PathBuf {
    file.parent().unwrap_or(file).to_owned()
}

#[cfg(test)]
#[path = "swap_tests.rs"]
mod tests;
