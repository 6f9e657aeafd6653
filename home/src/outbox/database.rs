//! The file `wallet.db`: its tables, and how it is opened and checked.

use std::path::Path;
use std::time::Duration;

use cairn_protocol::hash::sha256;
use rusqlite::types::FromSql;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

use super::error::{OutboxError, database_error};

pub(super) const FILE: &str = "wallet.db";
/// Stored in the database; another number is another layout.
pub(super) const LAYOUT: i64 = 3;
const SCHEMA: &str = "
    CREATE TABLE payments (
        sender   BLOB    NOT NULL,
        sequence INTEGER NOT NULL,
        signed   BLOB    NOT NULL,
        PRIMARY KEY (sender, sequence)
    ) STRICT, WITHOUT ROWID;
";
/// From layout 1 to 2. The block is the tip when the payment was made, null where that is not
/// known; the fate is 0 or one of [`super::Fate`]. The checksum is of what is signed and the fate,
/// and null only until [`seal_all`] has filled it in.
const SECOND_LAYOUT: &str = "
    ALTER TABLE payments ADD COLUMN made_height INTEGER;
    ALTER TABLE payments ADD COLUMN made_hash BLOB;
    ALTER TABLE payments ADD COLUMN fate INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE payments ADD COLUMN checksum INTEGER;
    CREATE INDEX open_payments ON payments (sender, sequence) WHERE fate = 0;
    PRAGMA user_version = 2;
";
/// From layout 2 to 3: payments that were made for good stand apart, so that what has to be looked at
/// by every command does not grow with what was ever paid.
const THIRD_LAYOUT: &str = "
    CREATE TABLE made (
        sender BLOB NOT NULL, sequence INTEGER NOT NULL, signed BLOB NOT NULL,
        made_height INTEGER, made_hash BLOB, fate INTEGER NOT NULL, checksum INTEGER NOT NULL,
        PRIMARY KEY (sender, sequence)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO made
        SELECT sender, sequence, signed, made_height, made_hash, fate, checksum
        FROM payments WHERE fate = 1;
    DELETE FROM payments WHERE fate = 1;
    PRAGMA user_version = 3;
";
/// All payments, to be read from like a table. No view: a damaged one could leave some of them out.
macro_rules! recorded {
    () => {
        "(SELECT sender, sequence, signed, fate, checksum, made_height, made_hash FROM payments \
          UNION ALL \
          SELECT sender, sequence, signed, fate, checksum, made_height, made_hash FROM made)"
    };
}
pub(super) use recorded;
/// How long to wait for another process that records a payment.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The database in this network folder, created if there is none.
pub(super) fn open(path: &Path) -> Result<Connection, OutboxError> {
    let mut database = connect(path, OpenFlags::SQLITE_OPEN_CREATE)?;
    bring_up_to_date(&mut database).map_err(|error| database_error(path, &error))?;
    Ok(database)
}

/// The database in this network folder, if there is one. Creates nothing.
pub(super) fn open_existing(path: &Path) -> Result<Option<Connection>, OutboxError> {
    if !path.exists() {
        return Ok(None);
    }
    let mut database = connect(path, OpenFlags::empty())?;
    let check = || {
        let found = layout(&database)?;
        if (1..LAYOUT).contains(&found) {
            bring_up_to_date(&mut database)?;
        }
        // Without a layout, it is being created at this moment, or its creation was cut short.
        Ok((found != 0).then_some(database))
    };
    check().map_err(|error| database_error(path, &error))
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
        Ok((0..=LAYOUT, database)) => check(path, &database).map(|()| database),
        Ok((other, _)) => {
            let reason = format!("it has layout {other}, and this program knows {LAYOUT}");
            Err(OutboxError::Damaged(path.to_owned(), reason))
        }
        Err(error) => Err(database_error(path, &error)),
    }
}

/// Refuses a database that is cut short, or in which the pages of the payments that are not made for
/// good do not fit together, which might hide one of them. All of these are read; they are few.
fn check(path: &Path, database: &Connection) -> Result<(), OutboxError> {
    let check = match layout(database).map_err(|error| database_error(path, &error))? {
        // Nothing is in it, or all payments are in one table.
        0..LAYOUT => "integrity_check(1)",
        _ => "integrity_check(payments)",
    };
    run_check(path, database, check)
}

/// Refuses a database in which any pages do not fit together. It takes longer the more was ever paid.
pub(super) fn check_whole(path: &Path, database: &Connection) -> Result<(), OutboxError> {
    run_check(path, database, "integrity_check(1)")
}

fn run_check(path: &Path, database: &Connection, check: &str) -> Result<(), OutboxError> {
    let verdict = || {
        let reading = database.is_autocommit().then(|| database.unchecked_transaction());
        let _reading = reading.transpose()?;
        Ok((pragma::<String>(database, check)?, is_cut_short(path, database)?))
    };
    match verdict() {
        Ok((verdict, false)) if verdict == "ok" => Ok(()),
        Ok((_, true)) => {
            Err(OutboxError::Damaged(path.to_owned(), "its end is missing".to_owned()))
        }
        Ok((verdict, false)) => Err(OutboxError::Damaged(path.to_owned(), verdict)),
        Err(error) => Err(database_error(path, &error)),
    }
}

/// Whether the file ends within a page. The rest of such a page is read as zeros; of pages that are
/// missing as a whole, the database itself tells.
///
/// Asked in a transaction that has read, so that nobody writes at the same time.
fn is_cut_short(path: &Path, reading: &Connection) -> rusqlite::Result<bool> {
    let page_bytes: u32 = pragma(reading, "page_size")?;
    let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    Ok(!bytes.is_multiple_of(page_bytes.into()))
}

fn layout(database: &Connection) -> rusqlite::Result<i64> {
    pragma(database, "user_version")
}

fn bring_up_to_date(database: &mut Connection) -> rusqlite::Result<()> {
    let change = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = layout(&change)?;
    if found < 1 {
        change.execute_batch(SCHEMA)?;
    }
    if found < 2 {
        change.execute_batch(SECOND_LAYOUT)?;
        seal_all(&change)?;
    }
    if found < LAYOUT {
        change.execute_batch(THIRD_LAYOUT)?;
    }
    change.commit()
}

/// Gives the payments of layout 1 their checksums.
fn seal_all(database: &Connection) -> rusqlite::Result<()> {
    let mut query = database.prepare("SELECT sender, sequence, signed FROM payments")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let rows = rows.collect::<Result<Vec<([u8; 32], i64, Vec<u8>)>, _>>()?;
    for (sender, sequence, signed) in rows {
        database.execute(
            "UPDATE payments SET checksum = ?1 WHERE sender = ?2 AND sequence = ?3",
            params![checksum(&signed, 0), sender, sequence],
        )?;
    }
    Ok(())
}

/// What is stored with a payment to notice a changed bit: eight bytes of a SHA-256.
pub(super) fn checksum(signed: &[u8], fate: i64) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = sha256(&[signed, &fate.to_le_bytes()]);
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

pub(super) fn pragma<T: FromSql>(database: &Connection, text: &str) -> rusqlite::Result<T> {
    database.query_row(&format!("PRAGMA {text}"), [], |row| row.get(0))
}
