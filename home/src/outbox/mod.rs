//! [`Outbox`]: the payments that were made from this data directory, in `wallet.db`.
//!
//! Whatever happens to the network, a payment that stands here is repeated until a block holds
//! it. Whether it waits is never marked, but compared: it waits as long as its sequence is not below
//! its sender's, so a reorganisation makes it wait again by itself. The exception is a payment that
//! was given up, because a copy of its key has paid with its sequence: its user is told to send it
//! again, so it must not come back.
//!
//! Payments that were made for good, which is all but the last ones, stand in a table apart. Only a
//! reorganisation deeper than any that is expected has them looked at again.
//!
//! The file is small and seldom written, by several processes. A rollback journal serves that as
//! well as a write-ahead log would, on network file systems too, and leaves nothing beside it.

mod database;
mod error;
mod merge;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cairn_ledger::{Account, LedgerReader};
use cairn_protocol::{AccountId, BlockHash, BlockRef, Height, Sequence, Transaction, codec};
use rusqlite::{Connection, Row, Transaction as Change, TransactionBehavior, params};

use database::{FILE, checksum, pragma, recorded};
use error::database_error;

pub use error::OutboxError;
pub use merge::{Merged, Recorded};

/// Every sender in a table once, however many payments each has made.
macro_rules! senders_in {
    ($table:literal) => {
        concat!(
            "WITH RECURSIVE senders (sender) AS (SELECT min(sender) FROM ",
            $table,
            " UNION ALL SELECT (SELECT min(sender) FROM ",
            $table,
            " WHERE sender > senders.sender) FROM senders WHERE sender IS NOT NULL) \
             SELECT sender FROM senders WHERE sender IS NOT NULL"
        )
    };
}

/// What is known of a payment that no longer waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A block holds it that lies so deep that nobody need look again. Should that block be
    /// disconnected after all, the payment waits again.
    Made = 1,
    /// A block holds another payment of its sequence, and the user was told so. It does not wait
    /// again, even if that block is disconnected.
    GivenUp = 2,
}

/// A payment whose sequence its sender has used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// The payment.
    pub transaction: Transaction,
    /// The tip when it was made, if that is known: neither that block nor any before it holds it.
    pub made: Option<BlockRef>,
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
        Ok(Self { database: database::open(&path)?, path })
    }

    /// The outbox in this network folder, if there is one. Creates nothing.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_existing(folder: &Path) -> Result<Option<Self>, OutboxError> {
        let path = folder.join(FILE);
        Ok(database::open_existing(&path)?.map(|database| Self { path, database }))
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
        let (tip, states) = reader.accounts(&[sender]).map_err(OutboxError::from)?;
        let account = states.first().expect("one answer for one account").account;
        let waiting = payments_from(&change, path, sender, account.sequence)?;
        let payment = make(account, &waiting)?;
        let recorded = insert(&change, &payment, tip.block).map_err(database_error)?;
        if !recorded {
            let number = payment.payment.sequence.next();
            let reason = format!("payment {number} of this account is recorded already");
            return Err(OutboxError::Database(path.clone(), reason).into());
        }
        change.commit().map_err(database_error)?;
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
            let mut senders = BTreeSet::new();
            for sql in [senders_in!("payments"), senders_in!("made")] {
                let mut query = self.database.prepare_cached(sql)?;
                for row in query.query_map([], |row| Ok(AccountId(row.get(0)?)))? {
                    senders.insert(row?);
                }
            }
            Ok(senders.into_iter().collect())
        };
        read().map_err(|error| database_error(&self.path, &error))
    }

    /// The payments whose sequence their senders have used up, and of which it is not known yet
    /// whether a block holds them or another payment of that sequence.
    ///
    /// # Errors
    /// [`OutboxError`] if outbox or chain cannot be read.
    pub fn undecided(&self, reader: &LedgerReader) -> Result<Vec<Undecided>, OutboxError> {
        let senders = self.senders()?;
        let (_, states) = reader.accounts(&senders)?;
        let read = || {
            let mut query = self.database.prepare_cached(
                "SELECT sender, sequence, signed, fate, checksum, made_height, made_hash
                 FROM payments WHERE sender = ?1 AND sequence < ?2 AND fate = 0 ORDER BY sequence",
            )?;
            let mut rows = Vec::new();
            for (sender, state) in senders.iter().zip(states) {
                let used_up = column(state.account.sequence.get());
                let found = query.query_map(params![sender.0, used_up], |row| {
                    Ok((StoredPayment::of(row)?, made(row)?))
                })?;
                rows.extend(found.collect::<Result<Vec<_>, _>>()?);
            }
            Ok(rows)
        };
        let rows = read().map_err(|error| database_error(&self.path, &error))?;
        let check = |(stored, made): (StoredPayment, _)| {
            Ok(Undecided { transaction: stored.check(&self.path)?, made })
        };
        rows.into_iter().map(check).collect()
    }

    /// Notes what became of a payment.
    ///
    /// # Errors
    /// [`OutboxError`] if the outbox cannot be written.
    pub fn decide(&self, transaction: &Transaction, fate: Fate) -> Result<(), OutboxError> {
        let (payment, signed) = (&transaction.payment, codec::encode(transaction));
        let place = (payment.sender.0, column(payment.sequence.get()));
        let decide = || {
            let change = Change::new_unchecked(&self.database, TransactionBehavior::Immediate)?;
            change.execute(
                "UPDATE payments SET fate = ?1, checksum = ?2
                 WHERE sender = ?3 AND sequence = ?4 AND signed = ?5",
                params![fate as i64, checksum(&signed, fate as i64), place.0, place.1, signed],
            )?;
            put_apart(&change, place)?;
            change.commit()
        };
        decide().map_err(|error| database_error(&self.path, &error))
    }

    /// A sender's payments from this sequence on, in order, without those that were given up.
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

/// Moves a payment that was made for good to the others of that kind.
fn put_apart(database: &Connection, place: ([u8; 32], i64)) -> rusqlite::Result<()> {
    let moves = [
        "INSERT INTO made
         SELECT sender, sequence, signed, made_height, made_hash, fate, checksum
         FROM payments WHERE sender = ?1 AND sequence = ?2 AND fate = 1",
        "DELETE FROM payments WHERE sender = ?1 AND sequence = ?2 AND fate = 1",
    ];
    for sql in moves {
        database.prepare_cached(sql)?.execute(place)?;
    }
    Ok(())
}

/// Writes a payment down, which may take the place of one that was given up. Returns whether it did.
fn insert(
    database: &Connection,
    transaction: &Transaction,
    tip: BlockRef,
) -> rusqlite::Result<bool> {
    let place = (transaction.payment.sender.0, column(transaction.payment.sequence.get()));
    let mut made =
        database.prepare_cached("SELECT 1 FROM made WHERE sender = ?1 AND sequence = ?2")?;
    if made.exists(place)? {
        return Ok(false);
    }
    let mut change = database.prepare_cached(
        "INSERT INTO payments (sender, sequence, signed, made_height, made_hash, checksum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET signed = excluded.signed, fate = excluded.fate,
             made_height = excluded.made_height, made_hash = excluded.made_hash,
             checksum = excluded.checksum
             WHERE fate = ?7",
    )?;
    let signed = codec::encode(transaction);
    let rows = change.execute(params![
        place.0,
        place.1,
        signed,
        column(tip.height.get()),
        tip.hash.0,
        checksum(&signed, 0),
        Fate::GivenUp as i64,
    ])?;
    Ok(rows == 1)
}

fn payments_from(
    database: &Connection,
    path: &Path,
    sender: AccountId,
    first: Sequence,
) -> Result<Vec<Transaction>, OutboxError> {
    let read = || {
        let mut query = database.prepare_cached(concat!(
            "SELECT sender, sequence, signed, fate, checksum FROM ",
            recorded!(),
            " WHERE sender = ?1 AND sequence >= ?2 ORDER BY sequence"
        ))?;
        let rows = query.query_map(params![sender.0, column(first.get())], StoredPayment::of)?;
        rows.collect::<Result<Vec<_>, _>>()
    };
    let found = read().map_err(|error| database_error(path, &error))?;
    if found.iter().any(|stored| stored.fate == Fate::Made as i64) {
        // They are needed after all, so none of them may be hidden.
        database::check_whole(path, database)?;
    }
    let mut payments = Vec::new();
    for stored in found {
        let is_given_up = stored.fate == Fate::GivenUp as i64;
        let transaction = stored.check(path)?;
        if !is_given_up {
            payments.push(transaction);
        }
    }
    Ok(payments)
}

/// A row, not looked at yet.
struct StoredPayment {
    sender: AccountId,
    sequence: i64,
    signed: Vec<u8>,
    fate: i64,
    checksum: i64,
}

impl StoredPayment {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            sender: AccountId(row.get(0)?),
            sequence: row.get(1)?,
            signed: row.get(2)?,
            fate: row.get(3)?,
            checksum: row.get(4)?,
        })
    }

    /// The payment, unless a bit has changed somewhere.
    fn check(self, path: &Path) -> Result<Transaction, OutboxError> {
        let damaged = |reason: String| OutboxError::Damaged(path.to_owned(), reason);
        let decoded = codec::decode::<Transaction>(&self.signed);
        let transaction = decoded.map_err(|error| damaged(error.to_string()))?;
        let payment = &transaction.payment;
        let is_in_place =
            payment.sender == self.sender && column(payment.sequence.get()) == self.sequence;
        if is_in_place && checksum(&self.signed, self.fate) == self.checksum {
            return Ok(transaction);
        }
        let number = payment.sequence.next();
        Err(damaged(format!("payment {number} of an account does not match its checksum")))
    }
}

/// The block after which a payment was made, of a row that tells it.
fn made(row: &Row<'_>) -> rusqlite::Result<Option<BlockRef>> {
    let height = row.get::<_, Option<i64>>(5)?.and_then(|height| u64::try_from(height).ok());
    let place = height.and_then(Height::new).zip(row.get(6)?);
    Ok(place.map(|(height, hash)| BlockRef { height, hash: BlockHash(hash) }))
}

/// A sequence or height as the database keeps it.
fn column(number: u64) -> i64 {
    i64::try_from(number).expect("it is below 2^63")
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod merge_tests;

#[cfg(test)]
mod damage_tests;
