//! [`OutboxError`], and what an error of the database means for its user.

use std::path::{Path, PathBuf};

use cairn_ledger::LedgerError;
use rusqlite::ErrorCode;

use crate::failure::{Exit, Failure};

/// Why the outbox cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The file is no database, or not ours.
    #[error(
        "{file} is damaged or not an outbox ({1}); move it away: keys and chain are kept \
         elsewhere, but a payment that no block holds yet must be made again",
        file = .0.display()
    )]
    Damaged(PathBuf, String),
    /// The disk is full, or the file as large as the system allows.
    #[error(
        "the disk is full, or a limit on the size of files is reached: nothing was recorded in \
         {file}; free some space, or raise the limit (`ulimit -f`), and try again",
        file = .0.display()
    )]
    DiskFull(PathBuf),
    /// The operating system does not let this user.
    #[error(
        "{file} may not be read or written by this user; check its owner and mode and those of its \
         folder; if they are right, its beginning is damaged: move it away, and make payments again \
         that no block holds yet",
        file = .0.display()
    )]
    NoPermission(PathBuf),
    /// Another process holds it.
    #[error("{file} stays locked by another process; try again, or end that process", file = .0.display())]
    Busy(PathBuf),
    /// Anything else.
    #[error("cannot use {file}: {1}", file = .0.display())]
    Database(PathBuf, String),
    /// The chain cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<OutboxError> for Failure {
    fn from(error: OutboxError) -> Self {
        let code = match error {
            OutboxError::Ledger(error) => return error.into(),
            OutboxError::Damaged(..) => "damaged_outbox",
            OutboxError::DiskFull(_) => "disk_full",
            OutboxError::NoPermission(_) => "permission",
            OutboxError::Busy(_) => "busy",
            OutboxError::Database(..) => "database",
        };
        Self::new(Exit::Unexpected, code, error.to_string())
    }
}

/// What went wrong with the database in this file.
pub(super) fn database_error(path: &Path, error: &rusqlite::Error) -> OutboxError {
    let (path, text) = (path.to_owned(), error.to_string());
    let Some(failure) = error.sqlite_error() else {
        // A value of another type than our table holds.
        return OutboxError::Damaged(path, text);
    };
    match failure.code {
        ErrorCode::DiskFull => OutboxError::DiskFull(path),
        ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::CannotOpen => {
            OutboxError::NoPermission(path)
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => OutboxError::Busy(path),
        // Unknown is a statement that does not fit the table: it is not ours. No payment of ours
        // breaks a constraint of ours.
        ErrorCode::NotADatabase
        | ErrorCode::DatabaseCorrupt
        | ErrorCode::TypeMismatch
        | ErrorCode::ConstraintViolation
        | ErrorCode::Unknown => OutboxError::Damaged(path, text),
        // The file may not grow. SQLite has a code of its own only for the disk.
        ErrorCode::SystemIoFailure
            if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_WRITE =>
        {
            OutboxError::DiskFull(path)
        }
        // The file ends where a page should be.
        ErrorCode::SystemIoFailure
            if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHORT_READ =>
        {
            OutboxError::Damaged(path, text)
        }
        _ => OutboxError::Database(path, text),
    }
}
