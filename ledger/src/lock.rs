//! [`WriterLock`]: one writer process for each chain.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::{Fault, LedgerError};

/// Holds a file lock until it is dropped. The operating system releases it, too, when the process
/// is killed; the file itself stays and means nothing.
#[derive(Debug)]
pub(crate) struct WriterLock {
    file: File,
}

impl WriterLock {
    /// Takes the lock of the chain at `chain`, whose lock file is `lock`.
    pub(crate) fn acquire(lock: &Path, chain: &Path) -> Result<Self, LedgerError> {
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(lock);
        let file = open.map_err(|error| Fault::Io(error).at(lock))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(LedgerError::InUse(chain.to_owned())),
            Err(TryLockError::Error(error)) => Err(Fault::Io(error).at(lock)),
        }
    }
}

impl Drop for WriterLock {
    /// Closing the file would not do: a process that is being started shares it for a moment, and
    /// the lock would stay until that has closed its own. On an error, closing it is what is left.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_ends_with_its_holder_even_if_a_child_shares_the_file() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let (lock, chain) = (folder.path().join("chain.lock"), folder.path().join("chain.db"));
        let held = WriterLock::acquire(&lock, &chain).expect("free");
        assert!(matches!(WriterLock::acquire(&lock, &chain), Err(LedgerError::InUse(_))));
        let of_a_child = held.file.try_clone().expect("a file");
        drop(held);
        WriterLock::acquire(&lock, &chain).expect("free again");
        drop(of_a_child);
    }
}
