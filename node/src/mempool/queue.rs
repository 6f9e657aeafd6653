//! [`Queue`]: the waiting payments of one account, in the order of their sequences.

use std::collections::BTreeMap;

use cairn_ledger::Account;
use cairn_protocol::{Amount, Sequence, VerifiedTransaction};

use super::FeeRate;
use crate::time::Moment;

/// A waiting payment.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) transaction: VerifiedTransaction,
    pub(crate) bytes: usize,
    pub(crate) rate: FeeRate,
    /// When it was admitted.
    pub(crate) since: Moment,
}

impl Entry {
    pub(crate) fn new(transaction: VerifiedTransaction, since: Moment) -> Self {
        let bytes = transaction.encoded_len();
        let rate = FeeRate::new(transaction.payment().fee, bytes);
        Self { transaction, bytes, rate, since }
    }
}

/// The waiting payments of one account.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    /// The account as of the tip.
    account: Account,
    payments: BTreeMap<Sequence, Entry>,
}

impl Queue {
    pub(crate) fn new(account: Account) -> Self {
        Self { account, payments: BTreeMap::new() }
    }

    pub(crate) fn account(&self) -> Account {
        self.account
    }

    pub(crate) fn set_account(&mut self, account: Account) {
        self.account = account;
    }

    pub(crate) fn insert(&mut self, entry: Entry) {
        self.payments.insert(entry.transaction.payment().sequence, entry);
    }

    pub(crate) fn remove(&mut self, sequence: Sequence) -> Option<Entry> {
        self.payments.remove(&sequence)
    }

    pub(crate) fn get(&self, sequence: Sequence) -> Option<&Entry> {
        self.payments.get(&sequence)
    }

    pub(crate) fn len(&self) -> usize {
        self.payments.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.payments.is_empty()
    }

    pub(crate) fn last(&self) -> Option<Sequence> {
        self.payments.last_key_value().map(|(sequence, _)| *sequence)
    }

    /// The payments that a block could have now, in order: from the account's sequence up to the
    /// first gap.
    pub(crate) fn ready(&self) -> impl Iterator<Item = &Entry> + use<'_> {
        let mut next = self.account.sequence;
        self.payments.range(next..).map_while(move |(sequence, entry)| {
            let fits = *sequence == next;
            next = next.next();
            fits.then_some(entry)
        })
    }

    /// The first sequence at or after the account's that no waiting payment has.
    pub(crate) fn gap(&self) -> Sequence {
        self.ready()
            .last()
            .map_or(self.account.sequence, |entry| entry.transaction.payment().sequence.next())
    }

    /// How many payments stand behind a gap.
    pub(crate) fn parked(&self) -> usize {
        self.payments.range(self.gap()..).count()
    }

    /// What the payments before this sequence cost; `None` if that is no amount.
    pub(crate) fn cost_before(&self, sequence: Sequence) -> Option<Amount> {
        self.payments.range(..sequence).map(|(_, entry)| entry.transaction.cost()).sum()
    }

    /// The lowest fee rate of the payments before this sequence: what comes after them can be
    /// worth no more to a miner, who has to take them first.
    pub(crate) fn lowest_rate_before(&self, sequence: Sequence) -> Option<FeeRate> {
        self.payments.range(..sequence).map(|(_, entry)| entry.rate).min()
    }

    /// The lowest fee rate: what the last payment is worth to a miner.
    pub(crate) fn lowest_rate(&self) -> Option<FeeRate> {
        self.payments.values().map(|entry| entry.rate).min()
    }

    /// Its payments from the last to the first, each with what it is worth to a miner.
    pub(crate) fn tail_first(&self) -> impl Iterator<Item = (FeeRate, &Entry)> {
        let mut lowest = None;
        let worth: Vec<_> = self
            .payments
            .values()
            .map(|entry| {
                let rate = lowest.map_or(entry.rate, |lowest: FeeRate| lowest.min(entry.rate));
                lowest = Some(rate);
                (rate, entry)
            })
            .collect();
        worth.into_iter().rev()
    }

    /// The sequences that the account has used up.
    pub(crate) fn stale(&self) -> Vec<Sequence> {
        self.payments.range(..self.account.sequence).map(|(sequence, _)| *sequence).collect()
    }

    /// This sequence, if it waits, and those after it.
    pub(crate) fn starting_with(&self, sequence: Sequence) -> Vec<Sequence> {
        self.payments.range(sequence..).map(|(sequence, _)| *sequence).collect()
    }

    /// The first payment that the account cannot pay for together with those before it, and all
    /// after it.
    pub(crate) fn unaffordable(&self) -> Vec<Sequence> {
        let mut left = self.account.balance;
        let first = self.payments.iter().find(|(_, entry)| {
            match left.checked_sub(entry.transaction.cost()) {
                Some(rest) => left = rest,
                None => return true,
            }
            false
        });
        first.map(|(sequence, _)| self.starting_with(*sequence)).unwrap_or_default()
    }
}
