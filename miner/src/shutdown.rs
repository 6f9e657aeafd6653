//! Why and when the miner ends.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Why the miner ended, as its `stopped` event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// As many blocks as `--blocks` asked for.
    BlocksMined,
    /// Nobody reads the events any more.
    OutputClosed,
    /// The node cannot go on; the error follows on stderr.
    Failed,
}

impl StopReason {
    /// One word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated",
            Self::BlocksMined => "blocks_mined",
            Self::OutputClosed => "output_closed",
            Self::Failed => "failed",
        }
    }
}

/// The signals that ask a program to end. From [`Signals::listen`] on they no longer kill it.
#[cfg(unix)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

#[cfg(unix)]
impl Signals {
    /// Starts to listen; needs a tokio runtime.
    pub(crate) fn listen() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> StopReason {
        tokio::select! {
            _ = self.interrupt.recv() => StopReason::Interrupted,
            _ = self.terminate.recv() => StopReason::Terminated,
        }
    }
}

/// Ctrl-C, the one signal that every platform has.
#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Listens when it is waited for.
    #[expect(clippy::unnecessary_wraps, reason = "as elsewhere")]
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for it.
    pub(crate) async fn next(&mut self) -> StopReason {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        StopReason::Interrupted
    }
}
