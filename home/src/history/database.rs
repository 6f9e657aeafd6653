//! The file `history.db`: its tables, and how it is opened, checked and emptied.
//!
//! | table | key | holds |
//! |---|---|---|
//! | `accounts` | public key | how far the account is indexed, how many entries it has, the seal of the last |
//! | `entries` | public key, running number | one entry each |
//!
//! An entry's *seal* is a hash of its content and of the seal before it. The account's row carries
//! the last seal, so the newest entries are right if they lead to it one after the other: one that
//! was changed, left over or lost is noticed as soon as it is read. That is why nothing here waits
//! for the disk: after a power failure the file may be a mixture of old and new, and is then made
//! anew.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cairn_protocol::codec::{decode, encode};
use cairn_protocol::hash::sha256;
use cairn_protocol::{AccountId, BlockHash, BlockRef, Height, Payment, Reward, Timestamp};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, TransactionBehavior, params};

use super::entry::{Entry, Event};
use super::error::{Fault, HistoryError};

const FILE: &str = "history.db";
/// Stored in the database; another number is another layout, and the index is made anew.
const LAYOUT: i64 = 1;
const SCHEMA: &str = "
    CREATE TABLE accounts (
        account BLOB PRIMARY KEY, height INTEGER NOT NULL, hash BLOB NOT NULL,
        entries INTEGER NOT NULL, last BLOB NOT NULL, sum BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE entries (
        account BLOB NOT NULL, number INTEGER NOT NULL, height INTEGER NOT NULL,
        position INTEGER NOT NULL, kind INTEGER NOT NULL, content BLOB NOT NULL,
        seal BLOB NOT NULL, PRIMARY KEY (account, number)
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 1;
";
/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

const REWARD: i64 = 0;
const SENT: i64 = 1;
const RECEIVED: i64 = 2;

/// Eight bytes of a SHA-256 over an entry and the seal before it.
type Seal = [u8; 8];
/// What stands before an account's first entry.
const FIRST_SEAL: Seal = [0; 8];

/// How far an account is indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The last block that was looked at.
    pub(super) cursor: BlockRef,
    entries: u64,
    last: Seal,
}

impl Mark {
    /// An account without entries up to this block.
    pub(super) fn at(cursor: BlockRef) -> Self {
        Self { cursor, entries: 0, last: FIRST_SEAL }
    }

    fn sum(&self, account: &AccountId) -> Seal {
        seal(&[&encode(&(*account, self.cursor, self.entries)), &self.last])
    }
}

/// A connection to the file.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    connection: Connection,
}

impl Database {
    /// Opens the file in a network folder, and creates it where it is missing.
    pub(super) fn open(folder: &Path) -> Result<Self, HistoryError> {
        let path = folder.join(FILE);
        let open = || {
            let connection = connect(&path)?;
            connection.pragma_update(None, "synchronous", "OFF")?;
            connection.pragma_update(None, "cell_size_check", true)?;
            if layout(&connection)? == 0 {
                create(&connection)?;
            }
            match layout(&connection)? {
                LAYOUT => Ok(connection),
                other => Err(Fault::Damage(format!("it has layout {other}, not {LAYOUT}"))),
            }
        };
        match open() {
            Ok(connection) => Ok(Self { path, connection }),
            Err(fault) => Err(fault.at(&path)),
        }
    }

    /// Makes the file an empty database, whatever it holds.
    ///
    /// It is never removed while somebody may have it open: a journal of theirs would meet the new
    /// file. `SQLite` empties it in place, under its locks.
    pub(super) fn reset(folder: &Path) -> Result<(), HistoryError> {
        let path = folder.join(FILE);
        let reset = || {
            let connection = connect(&path)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, true)?;
            connection.execute_batch("VACUUM")?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, false)?;
            Ok(())
        };
        reset().map_err(|fault: Fault| fault.at(&path))
    }

    /// Reads as of one moment.
    pub(super) fn look<T>(
        &self,
        work: impl FnOnce(Tables<'_>) -> Result<T, Fault>,
    ) -> Result<T, HistoryError> {
        let read = || {
            let reading = self.connection.unchecked_transaction()?;
            work(Tables(&reading))
        };
        read().map_err(|fault| fault.at(&self.path))
    }

    /// Writes all or, on an error, nothing. Nobody else writes between what it reads and that.
    pub(super) fn change<T>(
        &mut self,
        work: impl FnOnce(Tables<'_>) -> Result<T, Fault>,
    ) -> Result<T, HistoryError> {
        let connection = &mut self.connection;
        let write = || {
            let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(Tables(&change))?;
            change.commit()?;
            Ok(done)
        };
        write().map_err(|fault: Fault| fault.at(&self.path))
    }
}

fn connect(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

fn layout(connection: &Connection) -> Result<i64, Fault> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Creates the tables, unless another process has just done so.
fn create(connection: &Connection) -> Result<(), Fault> {
    let change = rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    if layout(&change)? == 0 {
        change.execute_batch(SCHEMA)?;
    }
    Ok(change.commit()?)
}

/// The tables, inside a transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tables<'c>(&'c Connection);

impl Tables<'_> {
    /// How far an account is indexed; `None` if it never was.
    pub(super) fn mark(self, account: &AccountId) -> Result<Option<Mark>, Fault> {
        let sql = "SELECT height, hash, entries, last, sum FROM accounts WHERE account = ?1";
        let found = self.0.prepare_cached(sql)?.query_row([account.0], |row| {
            let cursor = (row.get(0)?, BlockHash(row.get(1)?));
            Ok((cursor, row.get(2)?, row.get(3)?, row.get::<_, Seal>(4)?))
        });
        let Some(((height, hash), entries, last, sum)) = found.optional()? else {
            return Ok(None);
        };
        let cursor = BlockRef { height: read_height(height)?, hash };
        let mark = Mark { cursor, entries: number(entries)?, last };
        if mark.sum(account) == sum { Ok(Some(mark)) } else { Err(changed("an account")) }
    }

    /// Notes how far an account is indexed.
    pub(super) fn put_mark(self, account: &AccountId, mark: &Mark) -> Result<(), Fault> {
        let sql = "INSERT OR REPLACE INTO accounts (account, height, hash, entries, last, sum) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.0.prepare_cached(sql)?.execute(params![
            account.0,
            stored(mark.cursor.height.get()),
            mark.cursor.hash.0,
            stored(mark.entries),
            mark.last,
            mark.sum(account),
        ])?;
        Ok(())
    }

    /// Adds what was found for an account since its mark, up to this block.
    pub(super) fn append(
        self,
        account: &AccountId,
        mut mark: Mark,
        entries: &[Entry],
        reached: BlockRef,
    ) -> Result<(), Fault> {
        let sql = "INSERT INTO entries (account, number, height, position, kind, content, seal) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut statement = self.0.prepare_cached(sql)?;
        for entry in entries {
            let row = StoredEntry::of(entry);
            mark.last = row.seal(account, mark.entries, mark.last);
            statement.execute(params![
                account.0,
                stored(mark.entries),
                row.height,
                row.position,
                row.kind,
                row.content,
                mark.last,
            ])?;
            mark.entries += 1;
        }
        mark.cursor = reached;
        self.put_mark(account, &mark)
    }

    /// Takes back the entries of all blocks above one.
    pub(super) fn take_back(
        self,
        account: &AccountId,
        mut mark: Mark,
        common: BlockRef,
    ) -> Result<(), Fault> {
        let mut left = Vec::new();
        self.walk(account, &mark, |entry, before| {
            let goes = entry.height > common.height;
            if goes {
                left.push(before);
            }
            Ok(goes)
        })?;
        mark.last = left.last().copied().unwrap_or(mark.last);
        mark.entries -= left.len() as u64;
        mark.cursor = common;
        let sql = "DELETE FROM entries WHERE account = ?1 AND number >= ?2";
        let deleted =
            self.0.prepare_cached(sql)?.execute(params![account.0, stored(mark.entries)])?;
        if deleted != left.len() {
            return Err(changed("the end of an account's entries"));
        }
        self.put_mark(account, &mark)
    }

    /// An account's newest entries, the newest first.
    pub(super) fn newest(self, account: &AccountId, most: usize) -> Result<Vec<Entry>, Fault> {
        let mut entries = Vec::new();
        if let Some(mark) = self.mark(account)? {
            self.walk(account, &mark, |entry, _| {
                if entries.len() < most {
                    entries.push(entry);
                }
                Ok(entries.len() < most)
            })?;
        }
        Ok(entries)
    }

    /// Shows an account's entries from the newest on, each with the seal before it, while it is told
    /// to go on. Each was checked.
    fn walk(
        self,
        account: &AccountId,
        mark: &Mark,
        mut show: impl FnMut(Entry, Seal) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let sql = "SELECT number, height, position, kind, content, seal FROM entries \
                   WHERE account = ?1 ORDER BY number DESC";
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query([account.0])?;
        let mut next = || rows.next()?.map(Numbered::read).transpose();
        let (mut following, mut expected) = (next()?, mark.last);
        for number in (0..mark.entries).rev() {
            let row = following.take().ok_or_else(|| changed("the first of the entries"))?;
            following = next()?;
            let before = match &following {
                Some(older) if number > 0 => older.seal,
                _ => FIRST_SEAL,
            };
            let is_right = row.number == stored(number)
                && row.seal == expected
                && row.entry.seal(account, number, before) == expected;
            if !is_right {
                return Err(changed("an entry"));
            }
            if !show(row.entry.decode(*account)?, before)? {
                break;
            }
            expected = before;
        }
        Ok(())
    }
}

/// A row of `entries`.
struct Numbered {
    number: i64,
    entry: StoredEntry,
    seal: Seal,
}

impl Numbered {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let entry = StoredEntry {
            height: row.get(1)?,
            position: row.get(2)?,
            kind: row.get(3)?,
            content: row.get(4)?,
        };
        Ok(Self { number: row.get(0)?, entry, seal: row.get(5)? })
    }
}

/// An entry as its row holds it.
struct StoredEntry {
    height: i64,
    position: i64,
    kind: i64,
    /// The block's time, and the reward or the payment.
    content: Vec<u8>,
}

impl StoredEntry {
    fn of(entry: &Entry) -> Self {
        let (kind, content) = match &entry.event {
            Event::Reward(reward) => (REWARD, encode(&(entry.time, reward))),
            Event::Sent(payment) => (SENT, encode(&(entry.time, payment))),
            Event::Received(payment) => (RECEIVED, encode(&(entry.time, payment))),
        };
        let (height, position) = (stored(entry.height.get()), entry.position.into());
        Self { height, position, kind, content }
    }

    fn seal(&self, account: &AccountId, number: u64, before: Seal) -> Seal {
        let [height, position, kind] =
            [self.height, self.position, self.kind].map(i64::to_le_bytes);
        let number = number.to_le_bytes();
        seal(&[&before, &account.0, &number, &height, &position, &kind, &self.content])
    }

    fn decode(self, account: AccountId) -> Result<Entry, Fault> {
        let (time, event) = match self.kind {
            REWARD => decode::<(Timestamp, Reward)>(&self.content)
                .map(|(time, reward)| (time, Event::Reward(reward)))?,
            SENT => decode::<(Timestamp, Payment)>(&self.content)
                .map(|(time, payment)| (time, Event::Sent(payment)))?,
            RECEIVED => decode::<(Timestamp, Payment)>(&self.content)
                .map(|(time, payment)| (time, Event::Received(payment)))?,
            other => return Err(Fault::Damage(format!("an entry is of the unknown kind {other}"))),
        };
        let position = u32::try_from(self.position).map_err(|_| changed("an entry"))?;
        Ok(Entry { account, height: read_height(self.height)?, time, position, event })
    }
}

fn seal(content: &[&[u8]]) -> Seal {
    let [a, b, c, d, e, f, g, h, ..] = sha256(content);
    [a, b, c, d, e, f, g, h]
}

fn changed(what: &str) -> Fault {
    Fault::Damage(format!("{what} is not what was written"))
}

/// A number as the database keeps it.
fn stored(number: u64) -> i64 {
    number.cast_signed()
}

fn number(stored: i64) -> Result<u64, Fault> {
    u64::try_from(stored).map_err(|_| changed("a number"))
}

fn read_height(stored: i64) -> Result<Height, Fault> {
    Height::new(number(stored)?).ok_or_else(|| changed("a height"))
}
