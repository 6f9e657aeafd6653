//! Waiting for what happens in other processes.

use std::time::{Duration, Instant};

/// How long a test waits for something before it fails. On an idle machine all of it happens
/// within a few seconds; this is for a busy one, and for a node that has the header of a block
/// whose body does not come: it waits for a minute before it mines on without.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// How often to look.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until there is something.
///
/// # Panics
/// If there is nothing within [`PATIENCE`]; `what` says what was waited for.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(PAUSE);
    }
}

/// Waits until a condition holds.
///
/// # Panics
/// As [`wait_for`].
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || condition().then_some(()));
}
