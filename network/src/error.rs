//! Why a node cannot start.

use std::io;

use cairn_ledger::LedgerError;

/// Why a node cannot start, or a transaction cannot be announced.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Another program has the port to itself.
    #[error(
        "port {port} ({what}) is in use; free it, or set ports.{what} to another (0: any free one)"
    )]
    PortInUse {
        /// Its name in `[ports]` of config.toml.
        what: &'static str,
        /// The port.
        port: u16,
    },
    /// The system refused a socket.
    #[error("cannot open port {port} ({what}): {source}")]
    Socket {
        /// Its name in `[ports]` of config.toml.
        what: &'static str,
        /// The port.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// The system refused a thread.
    #[error("cannot start the network's threads: {0}")]
    Threads(#[source] io::Error),
    /// The chain cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl NetworkError {
    /// The error of a socket that could not be bound.
    pub(crate) fn binding(what: &'static str, port: u16, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::AddrInUse {
            Self::PortInUse { what, port }
        } else {
            Self::Socket { what, port, source }
        }
    }
}
