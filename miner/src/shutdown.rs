//! Why the miner ends.

use cairn_home::signals::Signal;

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

impl From<Signal> for StopReason {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Interrupt => Self::Interrupted,
            Signal::Terminate => Self::Terminated,
        }
    }
}
