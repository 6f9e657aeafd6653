//! [`Backup`]: what a data directory holds that nothing else gives back, as one file: the key files,
//! and the payments in the `wallet.db` of each network.
//!
//! The payments are in it row by row, not as a copy of the database: read in one statement, they
//! are those of one moment, whoever writes meanwhile; and [`Restore`] adds rows to a database and
//! replaces none.

mod error;
mod format;
#[cfg(test)]
mod kit;
mod restore;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use cairn_protocol::Timestamp;

use crate::data_dir::{DataDir, NetworkFolder};
use crate::files::{write_new, write_over};
use crate::keys::{KeyError, KeyName};
use crate::outbox::{Outbox, Recorded};

pub use error::{BackupError, Conflicts};
pub use format::{MAX_BYTES, Unusable};
pub use restore::{Restore, Restored};

/// What a backup file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// When it was written.
    pub written: Timestamp,
    /// The key files, byte by byte.
    pub keys: BTreeMap<KeyName, Vec<u8>>,
    /// The payments of each network in which some were made, in the order of their places.
    pub payments: BTreeMap<NetworkFolder, Vec<Recorded>>,
}

impl Backup {
    /// What this data directory holds, and the key files among it that hold no usable key. Of those,
    /// it leaves out the ones that no name can be given to, or that are too long to be keys.
    ///
    /// # Errors
    /// [`BackupError`] if something cannot be read, or if there is neither a key nor a payment.
    pub fn of(data_dir: &DataDir, now: Timestamp) -> Result<(Self, Vec<KeyError>), BackupError> {
        // Before the keys: so no payment is in it without the key that has signed it.
        let payments = payments_of(data_dir)?;
        let store = data_dir.keys();
        let broken = store.list()?.broken;
        let mut keys = BTreeMap::new();
        for name in store.known().0 {
            match store.bytes(&name) {
                Ok(bytes) => drop(keys.insert(name, bytes)),
                // It is among the broken.
                Err(KeyError::Broken(..)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if keys.is_empty() && payments.is_empty() {
            return Err(BackupError::Nothing(data_dir.path().to_owned()));
        }
        Ok((Self { written: now, keys, payments }, broken))
    }

    /// Writes the file, for its owner only: it appears complete or not at all. One that is there
    /// already stays, or gives way at once `over` it.
    ///
    /// # Errors
    /// [`BackupError`]; then what was there is there still. Otherwise, how many bytes it has.
    pub fn write(&self, file: &Path, over: bool) -> Result<usize, BackupError> {
        let bytes = format::encode(self).map_err(|_| BackupError::TooMuch(file.to_owned()))?;
        let written = if over { write_over(file, &bytes) } else { write_new(file, &bytes) };
        match written {
            Ok(()) => Ok(bytes.len()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(BackupError::Exists(file.to_owned()))
            }
            Err(error) => Err(BackupError::File { tried: "write", file: file.to_owned(), error }),
        }
    }

    /// Reads such a file.
    ///
    /// # Errors
    /// [`BackupError`] if the file cannot be read, or not a bit of it can be relied on.
    pub fn read(file: &Path) -> Result<Self, BackupError> {
        let cannot = |error| BackupError::File { tried: "read", file: file.to_owned(), error };
        let unusable = |reason| BackupError::Unusable(file.to_owned(), reason);
        let open = File::open(file).map_err(cannot)?;
        if open.metadata().map_err(cannot)?.len() > MAX_BYTES as u64 {
            return Err(unusable(Unusable::TooLarge));
        }
        let mut bytes = Vec::new();
        // What is no plain file may have more than it says.
        open.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
        format::decode(&bytes).map_err(unusable)
    }

    /// How many payments it holds, of all networks.
    pub fn payment_count(&self) -> usize {
        self.payments.values().map(Vec::len).sum()
    }
}

fn payments_of(data_dir: &DataDir) -> Result<BTreeMap<NetworkFolder, Vec<Recorded>>, BackupError> {
    let mut payments = BTreeMap::new();
    let cannot_list = BackupError::io("read", data_dir.path());
    for folder in data_dir.network_folders().map_err(cannot_list)? {
        let Some(outbox) = Outbox::open_existing(&data_dir.folder(&folder))? else { continue };
        let all = outbox.all()?;
        if !all.is_empty() {
            payments.insert(folder, all);
        }
    }
    Ok(payments)
}

#[cfg(test)]
mod tests;
