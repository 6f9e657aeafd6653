//! [`LedgerError`]: what can go wrong with a chain on disk, and how SQLite's errors become it.

use std::io;
use std::path::{Path, PathBuf};

use cairn_protocol::BlockRef;
use rusqlite::ErrorCode;

/// Why a chain cannot be opened, read or written. Trouble of this machine, never a peer's fault.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process writes this chain.
    #[error(
        "{0} is written by another process; stop that one first, or use another data directory"
    )]
    InUse(PathBuf),
    /// No chain there (readers only: a writer creates it).
    #[error("there is no chain at {0} yet; a miner or `wallet sync` creates it")]
    NotFound(PathBuf),
    /// The file is truncated, has flipped bits, or was written by something else.
    #[error(
        "{0} is damaged or not a chain of this network ({1}); `miner rebuild` makes it anew of its \
         blocks; or move it away and sync again: keys and payments are kept elsewhere"
    )]
    Damaged(PathBuf, String),
    /// Another file has taken the place of the one that was opened (readers only).
    #[error("{0} was replaced by another, as `miner rebuild` does; run this command again")]
    Replaced(PathBuf),
    /// No space is left, or the system allows no larger file. What was committed before is safe.
    #[error(
        "the disk is full, or a limit on the size of files is reached: {0} cannot be written; \
         free some space, or raise the limit (`ulimit -f`), and start again"
    )]
    DiskFull(PathBuf),
    /// The operating system does not let this user.
    #[error(
        "{0} may not be read or written by this user; check its owner and mode; if they are right, \
         its beginning is damaged: move it away and sync again"
    )]
    NoPermission(PathBuf),
    /// A follower's cursor was never part of this chain.
    #[error("block {0} is unknown to this chain; follow it again from genesis")]
    UnknownCursor(BlockRef),
    /// Anything else that SQLite or the operating system reports.
    #[error("{0}: {1}")]
    Database(PathBuf, String),
}

/// What goes wrong inside, where the path of the database is not at hand.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What is stored contradicts itself.
    #[error("{0}")]
    Damage(String),
    #[error("unknown cursor {0}")]
    UnknownCursor(BlockRef),
}

impl Fault {
    /// What is stored contradicts itself in this way.
    pub(crate) fn damage(what: impl Into<String>) -> Self {
        Self::Damage(what.into())
    }

    /// Says where SQLite met damage, if that is what this is.
    pub(crate) fn at_row(self, row: impl FnOnce() -> String) -> Self {
        match self {
            Self::Sql(error) if is_damage(&error) => {
                Self::Damage(format!("{} cannot be read: {error}", row()))
            }
            other => other,
        }
    }

    /// Whether it is only that this part of the database cannot be read.
    pub(crate) fn is_of_a_part(&self) -> bool {
        use rusqlite::ffi::{SQLITE_IOERR_DATA, SQLITE_IOERR_READ};
        match self {
            Self::Damage(_) => true,
            Self::Sql(error) => {
                let code = error.sqlite_error().map(|failure| failure.extended_code);
                is_damage(error) || matches!(code, Some(SQLITE_IOERR_READ | SQLITE_IOERR_DATA))
            }
            _ => false,
        }
    }

    /// The public error of this fault of the database at `path`.
    pub(crate) fn at(self, path: &Path) -> LedgerError {
        let path = path.to_owned();
        match self {
            Self::Damage(what) => LedgerError::Damaged(path, what),
            Self::UnknownCursor(block) => LedgerError::UnknownCursor(block),
            Self::Io(error) => io_error(&error, path),
            Self::Sql(error) => sql_error(&error, path),
        }
    }
}

fn io_error(error: &io::Error, path: PathBuf) -> LedgerError {
    use io::ErrorKind::{
        FileTooLarge, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    match error.kind() {
        NotFound => LedgerError::NotFound(path),
        PermissionDenied | ReadOnlyFilesystem => LedgerError::NoPermission(path),
        StorageFull | QuotaExceeded | FileTooLarge => LedgerError::DiskFull(path),
        _ => LedgerError::Database(path, error.to_string()),
    }
}

fn sql_error(error: &rusqlite::Error, path: PathBuf) -> LedgerError {
    let text = error.to_string();
    if is_damage(error) {
        return LedgerError::Damaged(path, text);
    }
    if error.sqlite_error().is_some_and(|failure| is_out_of_space(*failure)) {
        return LedgerError::DiskFull(path);
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
            LedgerError::NoPermission(path)
        }
        _ => LedgerError::Database(path, text),
    }
}

/// Whether SQLite reports that the file is not what we wrote.
fn is_damage(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        // A value of another type than our tables hold. The statements themselves are tested.
        return true;
    };
    match failure.code {
        // Unknown is a statement that does not fit the tables: they are not ours.
        ErrorCode::DatabaseCorrupt
        | ErrorCode::NotADatabase
        | ErrorCode::ConstraintViolation
        | ErrorCode::TypeMismatch
        | ErrorCode::Unknown => true,
        ErrorCode::SystemIoFailure => is_short_read(failure.extended_code),
        _ => false,
    }
}

/// Whether SQLite reports that a file cannot grow: the disk is full, or the file as large as the
/// system allows. SQLite has a code of its own only for the disk, and only for some of the files.
fn is_out_of_space(failure: rusqlite::ffi::Error) -> bool {
    use rusqlite::ffi::{SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_WRITE};
    failure.code == ErrorCode::DiskFull
        || [SQLITE_IOERR_WRITE, SQLITE_IOERR_SHMSIZE].contains(&failure.extended_code)
}

/// The file ends where a page should be, or the file system itself reports corruption.
fn is_short_read(extended_code: i32) -> bool {
    use rusqlite::ffi::{SQLITE_IOERR_CORRUPTFS, SQLITE_IOERR_SHORT_READ};
    [SQLITE_IOERR_SHORT_READ, SQLITE_IOERR_CORRUPTFS].contains(&extended_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_operating_system_are_told_apart() {
        let of = |kind| Fault::Io(io::Error::from(kind)).at(Path::new("/x/chain.db"));
        assert!(matches!(of(io::ErrorKind::NotFound), LedgerError::NotFound(_)));
        assert!(matches!(of(io::ErrorKind::PermissionDenied), LedgerError::NoPermission(_)));
        assert!(matches!(of(io::ErrorKind::StorageFull), LedgerError::DiskFull(_)));
        assert!(matches!(of(io::ErrorKind::FileTooLarge), LedgerError::DiskFull(_)));
        assert!(matches!(of(io::ErrorKind::TimedOut), LedgerError::Database(..)));
    }

    /// A page that the disk does not give back is passed over, a full disk is not.
    #[test]
    fn what_is_lost_is_told_from_what_cannot_be_done() {
        use rusqlite::ffi;
        let is_of_a_part = |code| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            Fault::Sql(error).is_of_a_part()
        };
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB, ffi::SQLITE_IOERR_READ] {
            assert!(is_of_a_part(code), "{code}");
        }
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_BUSY] {
            assert!(!is_of_a_part(code), "{code}");
        }
    }

    #[test]
    fn errors_of_sqlite_are_told_apart() {
        use rusqlite::ffi;
        let of = |code| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            Fault::Sql(error).at(Path::new("/x/chain.db"))
        };
        assert!(matches!(of(ffi::SQLITE_FULL), LedgerError::DiskFull(_)));
        assert!(matches!(of(ffi::SQLITE_IOERR_WRITE), LedgerError::DiskFull(_)));
        assert!(matches!(of(ffi::SQLITE_IOERR_SHMSIZE), LedgerError::DiskFull(_)));
        assert!(matches!(of(ffi::SQLITE_READONLY), LedgerError::NoPermission(_)));
        assert!(matches!(of(ffi::SQLITE_CANTOPEN), LedgerError::NoPermission(_)));
        assert!(matches!(of(ffi::SQLITE_CORRUPT), LedgerError::Damaged(..)));
        assert!(matches!(of(ffi::SQLITE_NOTADB), LedgerError::Damaged(..)));
        assert!(matches!(of(ffi::SQLITE_IOERR_SHORT_READ), LedgerError::Damaged(..)));
        assert!(matches!(of(ffi::SQLITE_IOERR_FSYNC), LedgerError::Database(..)));
        assert!(matches!(of(ffi::SQLITE_BUSY), LedgerError::Database(..)));
    }
}
