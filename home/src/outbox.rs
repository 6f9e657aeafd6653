//! [`Outbox`]: the payments that were made from this data directory, in `wallet.db`.
//!
//! Whatever happens to the network, a payment that stands here is repeated until a block holds
//! it. Nothing is ever marked as confirmed: a payment waits as long as its sequence is not below
//! its sender's, so a reorganisation makes it wait again by itself.
//!
//! The file is small and seldom written, by several processes. A rollback journal serves that as
//! well as a write-ahead log would, on network file systems too, and leaves nothing beside it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cairn_ledger::{Account, LedgerError, LedgerReader};
use cairn_protocol::{AccountId, Sequence, Transaction, codec};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, params};

use crate::failure::{Exit, Failure};

const FILE: &str = "wallet.db";
/// Stored in the database; another number is another layout.
const LAYOUT: i64 = 1;
const SCHEMA: &str = "
    CREATE TABLE payments (
        sender   BLOB    NOT NULL,
        sequence INTEGER NOT NULL,
        signed   BLOB    NOT NULL,
        PRIMARY KEY (sender, sequence)
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 1;
";
/// How long to wait for another process that records a payment.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

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
    /// The disk is full.
    #[error("the disk is full, nothing was recorded in {file}; free some space and try again", file = .0.display())]
    DiskFull(PathBuf),
    /// The operating system does not let this user.
    #[error("{file} may not be read or written by this user; check its owner and mode and those of its folder", file = .0.display())]
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

/// The payments of one network that were made from one data directory. Any number of processes
/// may have it open.
#[derive(Debug)]
pub struct Outbox {
    path: PathBuf,
    database: Connection,
}

impl Outbox {
    /// The outbox in this network folder, created if there is none.
    ///
    /// # Errors
    /// [`OutboxError`] if the file is damaged or cannot be written.
    pub fn open(folder: &Path) -> Result<Self, OutboxError> {
        let path = folder.join(FILE);
        let mut database = connect(&path, OpenFlags::SQLITE_OPEN_CREATE)?;
        create_layout(&mut database).map_err(|error| database_error(&path, &error))?;
        Ok(Self { path, database })
    }

    /// The outbox in this network folder, if there is one. Creates nothing.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_existing(folder: &Path) -> Result<Option<Self>, OutboxError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let database = connect(&path, OpenFlags::empty())?;
        // Without a layout, it is being created at this moment, or its creation was cut short.
        let version = layout(&database).map_err(|error| database_error(&path, &error))?;
        Ok((version != 0).then_some(Self { path, database }))
    }

    /// Records a payment: `make` is given the sender's account and its payments that still wait,
    /// in order, and signs the next one. While it does, no other process can record a payment,
    /// so no sequence is given out twice.
    ///
    /// # Errors
    /// What `make` fails with, or an [`OutboxError`]; then nothing was recorded.
    pub fn record<E: From<OutboxError>>(
        &mut self,
        reader: &LedgerReader,
        sender: AccountId,
        make: impl FnOnce(Account, &[Transaction]) -> Result<Transaction, E>,
    ) -> Result<Transaction, E> {
        let path = &self.path;
        let database_error = |error| database_error(path, &error);
        let change = self
            .database
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(database_error)?;
        let account = account(reader, sender)?;
        let waiting = payments_from(&change, path, sender, account.sequence)?;
        let payment = make(account, &waiting)?;
        change
            .execute(
                "INSERT INTO payments (sender, sequence, signed) VALUES (?1, ?2, ?3)",
                params![sender.0, column(payment.payment.sequence), codec::encode(&payment)],
            )
            .and_then(|_| change.commit())
            .map_err(database_error)?;
        Ok(payment)
    }

    /// All payments that no block holds yet, each sender's in order: what is repeated.
    ///
    /// # Errors
    /// [`OutboxError`] if outbox or chain cannot be read.
    pub fn unconfirmed(&self, reader: &LedgerReader) -> Result<Vec<Transaction>, OutboxError> {
        let senders = self.senders()?;
        let (_, states) = reader.accounts(&senders)?;
        let mut waiting = Vec::new();
        for (sender, state) in senders.into_iter().zip(states) {
            waiting.extend(self.payments_from(sender, state.account.sequence)?);
        }
        Ok(waiting)
    }

    /// Everybody who ever paid from here.
    ///
    /// # Errors
    /// [`OutboxError`] if the outbox cannot be read.
    pub fn senders(&self) -> Result<Vec<AccountId>, OutboxError> {
        let read = || {
            let mut query = self.database.prepare("SELECT DISTINCT sender FROM payments")?;
            let rows = query.query_map([], |row| Ok(AccountId(row.get(0)?)))?;
            rows.collect::<Result<_, _>>()
        };
        read().map_err(|error| database_error(&self.path, &error))
    }

    /// A sender's payments from this sequence on, in order.
    ///
    /// # Errors
    /// [`OutboxError`] if the outbox cannot be read.
    pub fn payments_from(
        &self,
        sender: AccountId,
        first: Sequence,
    ) -> Result<Vec<Transaction>, OutboxError> {
        payments_from(&self.database, &self.path, sender, first)
    }

    /// A number that changes whenever another connection has recorded something.
    ///
    /// # Errors
    /// [`OutboxError`] if the outbox cannot be read.
    pub fn revision(&self) -> Result<i64, OutboxError> {
        pragma(&self.database, "data_version").map_err(|error| database_error(&self.path, &error))
    }
}

/// The sequence for a sender's next payment: the account's next that none of the waiting payments
/// has. They are in order.
pub fn next_sequence(account: Account, waiting: &[Transaction]) -> Sequence {
    waiting.iter().fold(account.sequence, |next, transaction| {
        if transaction.payment.sequence == next { next.next() } else { next }
    })
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, OutboxError> {
    let open = || {
        let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(path, flags)?;
        database.busy_timeout(BUSY_TIMEOUT)?;
        // What is announced must be recorded, even if the power fails right after.
        database.pragma_update(None, "synchronous", "EXTRA")?;
        Ok((layout(&database)?, database))
    };
    match open() {
        Ok((0 | LAYOUT, database)) => Ok(database),
        Ok((other, _)) => {
            let reason = format!("it has layout {other}, and this program knows {LAYOUT}");
            Err(OutboxError::Damaged(path.to_owned(), reason))
        }
        Err(error) => Err(database_error(path, &error)),
    }
}

fn layout(database: &Connection) -> rusqlite::Result<i64> {
    pragma(database, "user_version")
}

fn create_layout(database: &mut Connection) -> rusqlite::Result<()> {
    let change = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if layout(&change)? == 0 {
        change.execute_batch(SCHEMA)?;
    }
    change.commit()
}

fn account(reader: &LedgerReader, id: AccountId) -> Result<Account, OutboxError> {
    let (_, states) = reader.accounts(&[id])?;
    Ok(states.first().expect("one answer for one account").account)
}

fn payments_from(
    database: &Connection,
    path: &Path,
    sender: AccountId,
    first: Sequence,
) -> Result<Vec<Transaction>, OutboxError> {
    let read = || {
        let mut query = database.prepare_cached(
            "SELECT signed FROM payments WHERE sender = ?1 AND sequence >= ?2 ORDER BY sequence",
        )?;
        let rows = query.query_map(params![sender.0, column(first)], |row| row.get(0))?;
        rows.collect::<Result<Vec<Vec<u8>>, _>>()
    };
    let rows = read().map_err(|error| database_error(path, &error))?;
    let decoded = rows.iter().map(|bytes| codec::decode(bytes)).collect::<Result<_, _>>();
    decoded.map_err(|error| OutboxError::Damaged(path.to_owned(), error.to_string()))
}

fn column(sequence: Sequence) -> i64 {
    i64::try_from(sequence.get()).expect("a sequence is below 2^63")
}

fn pragma<T: rusqlite::types::FromSql>(database: &Connection, text: &str) -> rusqlite::Result<T> {
    database.query_row(&format!("PRAGMA {text}"), [], |row| row.get(0))
}

fn database_error(path: &Path, error: &rusqlite::Error) -> OutboxError {
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
        // Unknown is a statement that does not fit the table: it is not ours.
        ErrorCode::NotADatabase
        | ErrorCode::DatabaseCorrupt
        | ErrorCode::TypeMismatch
        | ErrorCode::Unknown => OutboxError::Damaged(path, text),
        // The file ends where a page should be.
        ErrorCode::SystemIoFailure
            if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHORT_READ =>
        {
            OutboxError::Damaged(path, text)
        }
        _ => OutboxError::Database(path, text),
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
