//! [`Signals`]: how the user and the system ask a program to end.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{self, SignalKind, signal};

/// Who asks a program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The user, by Ctrl-C.
    Interrupt,
    /// The system or another program, by SIGTERM.
    Terminate,
}

/// The signals that ask a program to end. From [`Signals::listen`] on they do not kill it; so a
/// program that has something to end in order listens before it begins.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Starts to listen; needs a tokio runtime.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn listen() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

/// Ctrl-C, the one signal that every platform has.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Listens when it is waited for.
    ///
    /// # Errors
    /// None; as elsewhere.
    #[expect(clippy::unnecessary_wraps, reason = "as elsewhere")]
    pub fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for it.
    pub async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}
