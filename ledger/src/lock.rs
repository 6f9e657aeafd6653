//! [`WriterLock`]: one writer process for each chain.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::{Fault, LedgerError};

/// Holds a file lock until it is dropped. The operating system releases it, too, when the process
/// is killed; the file itself stays and means nothing.
#[derive(Debug)]
pub(crate) struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Takes the lock of the chain at `chain`, whose lock file is `lock`.
    pub(crate) fn acquire(lock: &Path, chain: &Path) -> Result<Self, LedgerError> {
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(lock);
        let file = open.map_err(|error| Fault::Io(error).at(lock))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LedgerError::InUse(chain.to_owned())),
            Err(TryLockError::Error(error)) => Err(Fault::Io(error).at(lock)),
        }
    }
}
