//! [`MinerLock`]: one miner in a data directory, and a `wallet sync` that gives way to it.
//!
//! A miner holds `miner.lock` for its life, and only then asks for the chain's own lock. `wallet
//! sync`, while it writes the chain, probes `miner.lock` a few times a second, and lets go of the
//! chain as soon as a miner holds it.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::failure::{Exit, Failure};

const FILE: &str = "miner.lock";
/// How long a miner insists: a probe holds the lock for an instant.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

/// The right to mine in a data directory. The system releases it when the process ends, however
/// it ends.
#[derive(Debug)]
pub struct MinerLock(File);

impl MinerLock {
    /// Takes the lock of this network folder, which must exist.
    ///
    /// # Errors
    /// [`Exit::InUse`] if another miner holds it.
    pub fn acquire(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(FILE);
        let cannot = |error| Failure::io("cannot lock", &path, &error);
        let file =
            File::options().create(true).truncate(false).write(true).open(&path).map_err(cannot)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(PAUSE);
                }
                Err(TryLockError::WouldBlock) => return Err(in_use(folder)),
                Err(TryLockError::Error(error)) => return Err(cannot(error)),
            }
        }
    }

    /// Whether a miner holds the lock of this network folder, or is about to.
    pub fn is_wanted(folder: &Path) -> bool {
        let Ok(file) = File::open(folder.join(FILE)) else { return false };
        match file.try_lock_shared() {
            Ok(()) => drop(Self(file)),
            Err(TryLockError::WouldBlock) => return true,
            Err(TryLockError::Error(_)) => {}
        }
        false
    }
}

impl Drop for MinerLock {
    /// Closing the file would not do: a process that is being started shares it for a moment. On an
    /// error, closing it is what is left.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

fn in_use(folder: &Path) -> Failure {
    let message = format!(
        "another miner works in {}; stop it, or give this one its own folder by --data-dir DIR",
        folder.display()
    );
    Failure::new(Exit::InUse, "in_use", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behaviour_54_one_miner_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(!MinerLock::is_wanted(folder.path()));
        let first = MinerLock::acquire(folder.path()).expect("free");
        assert!(MinerLock::is_wanted(folder.path()));
        let second = MinerLock::acquire(folder.path()).expect_err("taken");
        assert_eq!(second.exit(), Exit::InUse);
        let message = second.to_string();
        let place = folder.path().display().to_string();
        for part in ["another miner works in", &place, "--data-dir"] {
            assert!(message.contains(part), "{message}");
        }
        drop(first);
        assert!(!MinerLock::is_wanted(folder.path()));
        MinerLock::acquire(folder.path()).expect("free again");
    }

    #[test]
    fn the_lock_ends_with_its_holder_even_if_a_child_shares_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let held = MinerLock::acquire(folder.path()).expect("free");
        let of_a_child = held.0.try_clone().expect("a file");
        drop(held);
        assert!(!MinerLock::is_wanted(folder.path()));
        drop(of_a_child);
    }

    #[test]
    fn behaviour_54_probes_do_not_keep_a_miner_out() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(MinerLock::acquire(folder.path()).expect("free"));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        MinerLock::is_wanted(folder.path());
                    }
                });
            }
            MinerLock::acquire(folder.path()).expect("only probed");
        });
    }
}
