//! The system's limit on the size of files (`ulimit -f`).
//!
//! Whoever writes beyond it gets SIGXFSZ, which ends a process without a word. A process that
//! listens to the signal gets an error from the write instead, and can say what stands in the way.

use std::io;

/// From here on a write beyond the limit is an error like that of a full disk. A program starts
/// with it; where the system does not let it, nothing but that message is lost.
pub fn make_an_error() {
    if let Err(error) = listen() {
        tracing::warn!("a limit on the size of files would end this program: {error}");
    }
}

#[cfg(unix)]
fn listen() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    // A handler stays when the runtime that it was set in has gone.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _context = runtime.enter();
    signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map(drop)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as elsewhere")]
fn listen() -> io::Result<()> {
    Ok(())
}
