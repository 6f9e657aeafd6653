//! All that an outbox has recorded, given out and taken in: how payments get into a backup and
//! out of it again.
//!
//! A restore never replaces `wallet.db`, it adds rows to it. So a backup that is older than what is
//! here takes no payment away, whose sequence would then be given out a second time; no new
//! database meets the journal of an old one; and whoever has the outbox open goes on with it.

use cairn_protocol::{AccountId, BlockRef, Sequence, Transaction, codec};
use rusqlite::{Connection, OptionalExtension, Transaction as Change, TransactionBehavior, params};

use super::database::{check_whole, checksum, recorded};
use super::error::{OutboxError, database_error};
use super::{Fate, Outbox, StoredPayment, column, made, put_apart};

/// A payment with all that is recorded of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The payment.
    pub transaction: Transaction,
    /// The tip when it was made, if that is known.
    pub made: Option<BlockRef>,
    /// What became of it, if that is known.
    pub fate: Option<Fate>,
}

impl Recorded {
    /// Who paid, as which of their payments: what there is but one of in an outbox.
    pub fn place(&self) -> (AccountId, Sequence) {
        (self.transaction.payment.sender, self.transaction.payment.sequence)
    }
}

/// What taking payments in has changed, or would change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Payments that were not recorded here, or had been given up here.
    pub added: u64,
    /// Payments that were recorded here, but not that they were made or given up.
    pub settled: u64,
    /// Payments that were left out, because another one with their sequence was made here. A block
    /// can hold but one of the two.
    pub passed_over: u64,
}

impl Merged {
    /// Whether everything is here already.
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }

    fn count(&mut self, step: Step) {
        match step {
            Step::Keep => {}
            Step::Add => self.added += 1,
            Step::Settle => self.settled += 1,
            Step::PassOver => self.passed_over += 1,
        }
    }
}

impl Fate {
    /// The fate that is stored as this number; 0 is none.
    ///
    /// # Errors
    /// The number, if it stands for nothing.
    pub fn from_number(number: i64) -> Result<Option<Self>, i64> {
        let known = [None, Some(Self::Made), Some(Self::GivenUp)];
        known.into_iter().find(|fate| Self::number(*fate) == number).ok_or(number)
    }

    /// The number that stands for a fate; 0 for none.
    pub fn number(fate: Option<Self>) -> i64 {
        fate.map_or(0, |fate| fate as i64)
    }
}

impl Outbox {
    /// Whether no payment was ever recorded.
    ///
    /// # Errors
    /// [`OutboxError`] if the outbox cannot be read.
    pub fn is_empty(&self) -> Result<bool, OutboxError> {
        self.senders().map(|senders| senders.is_empty())
    }

    /// All payments as of one moment, in the order of their places. Nobody is kept from recording
    /// others meanwhile.
    ///
    /// # Errors
    /// [`OutboxError`] if the outbox is damaged or cannot be read.
    pub fn all(&self) -> Result<Vec<Recorded>, OutboxError> {
        check_whole(&self.path, &self.database)?;
        let read = || {
            let mut query = self.database.prepare(concat!(
                "SELECT * FROM ",
                recorded!(),
                " ORDER BY sender, sequence"
            ))?;
            let rows = query.query_map([], |row| Ok((StoredPayment::of(row)?, made(row)?)))?;
            rows.collect::<Result<Vec<_>, _>>()
        };
        let rows = read().map_err(|error| database_error(&self.path, &error))?;
        rows.into_iter().map(|(stored, made)| self.recorded(stored, made)).collect()
    }

    /// What [`Self::merge`] would do.
    ///
    /// # Errors
    /// As [`Self::all`].
    pub fn compare(&self, payments: &[Recorded]) -> Result<Merged, OutboxError> {
        check_whole(&self.path, &self.database)?;
        let mut merged = Merged::default();
        for payment in payments {
            merged.count(step(self.find(&self.database, payment.place())?.as_ref(), payment));
        }
        Ok(merged)
    }

    /// Takes in the payments that are not recorded here: all of them, or none on an error. No
    /// payment is taken away, but one that was given up makes room, as it does for a new one.
    ///
    /// # Errors
    /// [`OutboxError`] if the outbox is damaged or cannot be written.
    pub fn merge(&mut self, payments: &[Recorded]) -> Result<Merged, OutboxError> {
        check_whole(&self.path, &self.database)?;
        let database_error = |error| database_error(&self.path, &error);
        // Not by `&mut`, so that `self` can read within it.
        let change = Change::new_unchecked(&self.database, TransactionBehavior::Immediate)
            .map_err(database_error)?;
        let mut merged = Merged::default();
        for payment in payments {
            let step = step(self.find(&change, payment.place())?.as_ref(), payment);
            if matches!(step, Step::Add | Step::Settle) {
                put(&change, payment).map_err(database_error)?;
            }
            merged.count(step);
        }
        change.commit().map_err(database_error)?;
        Ok(merged)
    }

    fn find(
        &self,
        database: &Connection,
        (sender, sequence): (AccountId, Sequence),
    ) -> Result<Option<Recorded>, OutboxError> {
        let read = || {
            let mut query = database.prepare_cached(concat!(
                "SELECT * FROM ",
                recorded!(),
                " WHERE sender = ?1 AND sequence = ?2"
            ))?;
            let place = params![sender.0, column(sequence.get())];
            query.query_row(place, |row| Ok((StoredPayment::of(row)?, made(row)?))).optional()
        };
        let found = read().map_err(|error| database_error(&self.path, &error))?;
        found.map(|(stored, made)| self.recorded(stored, made)).transpose()
    }

    fn recorded(
        &self,
        stored: StoredPayment,
        made: Option<BlockRef>,
    ) -> Result<Recorded, OutboxError> {
        let fate = Fate::from_number(stored.fate).map_err(|number| {
            OutboxError::Damaged(self.path.clone(), format!("{number} is no fate of a payment"))
        })?;
        Ok(Recorded { transaction: stored.check(&self.path)?, made, fate })
    }
}

/// What is done with a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Keep,
    Add,
    Settle,
    PassOver,
}

/// What is done with a payment, where this one is recorded in its place.
fn step(here: Option<&Recorded>, payment: &Recorded) -> Step {
    let Some(here) = here else { return Step::Add };
    let is_given_up = |one: &Recorded| one.fate == Some(Fate::GivenUp);
    if here.transaction == payment.transaction {
        let is_news = here.fate.is_none() && payment.fate.is_some();
        return if is_news { Step::Settle } else { Step::Keep };
    }
    match (is_given_up(here), is_given_up(payment)) {
        (_, true) => Step::Keep,
        (true, false) => Step::Add,
        (false, false) => Step::PassOver,
    }
}

fn put(database: &Connection, payment: &Recorded) -> rusqlite::Result<()> {
    let mut change = database.prepare_cached(
        "INSERT OR REPLACE INTO payments
             (sender, sequence, signed, made_height, made_hash, fate, checksum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let (sender, sequence) = payment.place();
    let (signed, fate) = (codec::encode(&payment.transaction), Fate::number(payment.fate));
    change.execute(params![
        sender.0,
        column(sequence.get()),
        signed,
        payment.made.map(|block| column(block.height.get())),
        payment.made.map(|block| block.hash.0),
        fate,
        checksum(&signed, fate),
    ])?;
    put_apart(database, (sender.0, column(sequence.get())))
}
