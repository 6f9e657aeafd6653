//! [`HistoryError`]: why the index cannot be used.

use std::path::{Path, PathBuf};

use cairn_ledger::LedgerError;
use cairn_protocol::codec::CodecError;
use rusqlite::ErrorCode;

use crate::failure::{Exit, Failure};

/// Why the index of a wallet's own payments cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file is not what was written. It can be made anew from the blocks.
    #[error("{file} is damaged ({1}); remove it, and it is made anew from the blocks", file = .0.display())]
    Damaged(PathBuf, String),
    /// The disk is full.
    #[error("the disk is full: {file} cannot be written; free some space and try again", file = .0.display())]
    DiskFull(PathBuf),
    /// The operating system does not let this user.
    #[error("{file} may not be read or written by this user; check its owner and mode and those of its folder", file = .0.display())]
    NoPermission(PathBuf),
    /// Anything else.
    #[error("cannot use {file}: {1}", file = .0.display())]
    Database(PathBuf, String),
    /// The chain cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<HistoryError> for Failure {
    fn from(error: HistoryError) -> Self {
        let code = match error {
            HistoryError::Ledger(error) => return error.into(),
            HistoryError::Damaged(..) => "damaged_history",
            HistoryError::DiskFull(_) => "disk_full",
            HistoryError::NoPermission(_) => "permission",
            HistoryError::Database(..) => "database",
        };
        Self::new(Exit::Unexpected, code, error.to_string())
    }
}

/// What goes wrong where the path of the file is not at hand.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error("{0}")]
    Damage(String),
}

impl Fault {
    /// The public error of this fault of the file at `path`.
    pub(super) fn at(self, path: &Path) -> HistoryError {
        let (path, text) = (path.to_owned(), self.to_string());
        let Self::Sql(error) = self else { return HistoryError::Damaged(path, text) };
        let Some(failure) = error.sqlite_error() else {
            // A value of another type than our tables hold.
            return HistoryError::Damaged(path, text);
        };
        match failure.code {
            ErrorCode::DiskFull => HistoryError::DiskFull(path),
            ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::CannotOpen => {
                HistoryError::NoPermission(path)
            }
            // Unknown is a statement that does not fit the tables: they are not ours. A constraint
            // is one where an entry stands already that is to be added.
            ErrorCode::NotADatabase
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::TypeMismatch
            | ErrorCode::ConstraintViolation
            | ErrorCode::Unknown => HistoryError::Damaged(path, text),
            ErrorCode::SystemIoFailure
                if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHORT_READ =>
            {
                HistoryError::Damaged(path, text)
            }
            _ => HistoryError::Database(path, text),
        }
    }
}
