//! The right to write the chain of a data directory, for the one miner in it.

use std::path::Path;
use std::time::{Duration, Instant};

use cairn_home::{Failure, MinerLock};
use cairn_ledger::LedgerError;

/// How long to wait for a `wallet sync`, which lets go of the chain within a second once it sees
/// that a miner wants it.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// Takes the lock of the miner, and then what `open` opens under the chain's lock, once the
/// `wallet sync` that may hold that has let go. Blocks meanwhile.
pub(crate) fn take<T>(
    folder: &Path,
    mut open: impl FnMut() -> Result<T, LedgerError>,
) -> Result<(MinerLock, T), Failure> {
    let lock = MinerLock::acquire(folder)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match open() {
            Err(LedgerError::InUse(_)) if Instant::now() < deadline => std::thread::sleep(PAUSE),
            result => return Ok((lock, result?)),
        }
    }
}
