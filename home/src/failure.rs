//! [`Failure`]: an error as a program ends with it: an exit code, a word for scripts, a message
//! for people that says what to do next.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use cairn_ledger::LedgerError;
use cairn_network::NetworkError;
use serde_json::json;

use crate::progress;

/// Why a program ends, as its exit code says it. 0 is success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 1: something that the user did not cause: a full disk, a damaged file.
    Unexpected = 1,
    /// 2: command line, configuration or rules.
    Usage = 2,
    /// 3: the account does not have that much.
    InsufficientFunds = 3,
    /// 4: an unknown or malformed address, name or amount.
    BadInput = 4,
    /// 5: nobody was heard, or the chain was never synchronised.
    NobodyHeard = 5,
    /// 6: a key file.
    KeyFile = 6,
    /// 7: not in time.
    TimedOut = 7,
    /// 8: another miner works in this data directory.
    InUse = 8,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// Why a program ends without success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    exit: Exit,
    code: &'static str,
    message: String,
}

impl Failure {
    /// A failure. `code` is one word, such as `insufficient_funds`; the message says what went
    /// wrong and what to do next.
    pub fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Self { exit, code, message: message.into() }
    }

    /// A failure of the file system: what was tried (such as `cannot write`), where, and why not.
    pub fn io(tried: &str, path: &Path, error: &io::Error) -> Self {
        Self::file_system(Exit::Unexpected, "io", tried, path, error)
    }

    /// [`Self::io`] with this exit code, and this word where the error has none of its own.
    pub(crate) fn file_system(
        exit: Exit,
        code: &'static str,
        tried: &str,
        path: &Path,
        error: &io::Error,
    ) -> Self {
        let (code, remedy) = match error.kind() {
            kind if is_out_of_space(kind) => {
                ("disk_full", "; free some space, or raise a limit on files, and try again")
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                ("permission", "; change its permissions, or name another folder by --data-dir")
            }
            _ => (code, ""),
        };
        Self::new(exit, code, format!("{tried} {}: {error}{remedy}", path.display()))
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// The word for scripts.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Prints the failure on stderr, as `error: ...` or as `{"error":{"code","message"}}`.
    /// The answer is what `main` returns.
    pub fn report(&self, json: bool) -> ExitCode {
        let line = if json {
            json!({ "error": { "code": self.code, "message": self.message } }).to_string()
        } else {
            format!("error: {}", self.message)
        };
        progress::wipe();
        // Nothing can be said where not even an error can be printed.
        let _ = writeln!(io::stderr(), "{line}");
        ExitCode::from(self.exit.code())
    }
}

/// Whether a file cannot grow: the disk is full, or the file as large as the system allows.
pub(crate) fn is_out_of_space(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    [StorageFull, QuotaExceeded, FileTooLarge].contains(&kind)
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        let (exit, code) = match &error {
            LedgerError::InUse(_) => (Exit::InUse, "in_use"),
            LedgerError::NotFound(_) => (Exit::NobodyHeard, "never_synchronised"),
            LedgerError::Damaged(..) => (Exit::Unexpected, "damaged_chain"),
            LedgerError::Replaced(_) => (Exit::Unexpected, "replaced_chain"),
            LedgerError::DiskFull(_) => (Exit::Unexpected, "disk_full"),
            LedgerError::NoPermission(_) => (Exit::Unexpected, "permission"),
            LedgerError::UnknownCursor(_) => (Exit::Unexpected, "unknown_block"),
            LedgerError::Database(..) => (Exit::Unexpected, "database"),
        };
        Self::new(exit, code, error.to_string())
    }
}

impl From<NetworkError> for Failure {
    fn from(error: NetworkError) -> Self {
        let (exit, code) = match error {
            NetworkError::Ledger(error) => return error.into(),
            NetworkError::PortInUse { .. } => (Exit::Usage, "port_in_use"),
            NetworkError::Socket { .. } => (Exit::Unexpected, "socket"),
            NetworkError::Threads(_) => (Exit::Unexpected, "threads"),
        };
        Self::new(exit, code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_says_what_to_do() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::FileTooLarge] {
            let failure = Failure::io("cannot write", Path::new("/d/f"), &kind.into());
            assert_eq!((failure.exit(), failure.code()), (Exit::Unexpected, "disk_full"));
            let message = failure.to_string();
            assert!(message.starts_with("cannot write /d/f: "), "{message}");
            assert!(message.contains("; free some space, or raise a limit"), "{message}");
        }
    }

    #[test]
    fn behaviour_54_a_chain_in_use_has_its_own_exit_code() {
        let failure = Failure::from(LedgerError::InUse("/d".into()));
        assert_eq!(failure.exit().code(), 8);
    }
}
