//! [`Mempool`]: all queues together, and the limits over them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use cairn_ledger::Account;
use cairn_protocol::{AccountId, Amount, Sequence, TransactionId, VerifiedTransaction};

use super::{Entry, FeeRate, MempoolError, Queue};
use crate::settings::MempoolLimits;
use crate::time::Moment;

/// The payments that wait for a block. Its tables are bounded by [`MempoolLimits`]: each waiting
/// payment stands once in each.
#[derive(Debug)]
pub(crate) struct Mempool {
    limits: MempoolLimits,
    queues: BTreeMap<AccountId, Queue>,
    by_id: BTreeMap<TransactionId, (AccountId, Sequence)>,
    /// Every account by the lowest fee rate of its queue: who gives way first.
    by_rate: BTreeSet<(FeeRate, AccountId)>,
    /// Oldest first.
    by_age: BTreeSet<(Moment, TransactionId)>,
    bytes: usize,
    version: u64,
}

impl Mempool {
    pub(crate) fn new(limits: MempoolLimits) -> Self {
        Self {
            limits,
            queues: BTreeMap::new(),
            by_id: BTreeMap::new(),
            by_rate: BTreeSet::new(),
            by_age: BTreeSet::new(),
            bytes: 0,
            version: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Another number after each change.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn contains(&self, id: &TransactionId) -> bool {
        self.by_id.contains_key(id)
    }

    pub(crate) fn get(&self, id: &TransactionId) -> Option<&VerifiedTransaction> {
        let (account, sequence) = self.by_id.get(id)?;
        Some(&self.queues.get(account)?.get(*sequence)?.transaction)
    }

    /// The ids above this one, in ascending order.
    pub(crate) fn ids_after(
        &self,
        after: Option<TransactionId>,
    ) -> impl Iterator<Item = TransactionId> + use<'_> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_id.range((start, Bound::Unbounded)).map(|(id, _)| *id)
    }

    /// All waiting payments, in the order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &VerifiedTransaction> {
        self.by_id.keys().filter_map(|id| self.get(id))
    }

    pub(crate) fn queues(&self) -> impl Iterator<Item = (&AccountId, &Queue)> {
        self.queues.iter()
    }

    /// The account as of the tip, if a payment of it waits.
    pub(crate) fn account(&self, account: &AccountId) -> Option<Account> {
        self.queues.get(account).map(Queue::account)
    }

    /// When the oldest payment expires.
    pub(crate) fn deadline(&self) -> Option<Moment> {
        self.by_age.first().map(|(since, _)| since.after(self.limits.expiry))
    }

    /// Takes a payment whose sender's account is `account` as of the tip.
    ///
    /// # Errors
    /// [`MempoolError`], by the first rule that it meets; nothing has changed then.
    pub(crate) fn admit(
        &mut self,
        transaction: VerifiedTransaction,
        account: Account,
        now: Moment,
    ) -> Result<(), MempoolError> {
        if self.contains(&transaction.id()) {
            return Err(MempoolError::AlreadyKnown);
        }
        let given = transaction.payment().fee;
        let minimum = self.limits.min_fee;
        if given < minimum {
            return Err(MempoolError::FeeBelowMinimum { given, minimum });
        }
        let entry = Entry::new(transaction, now);
        let sender = entry.transaction.payment().sender;
        let sequence = entry.transaction.payment().sequence;
        let empty = Queue::new(account);
        let queue = self.queues.get(&sender).unwrap_or(&empty);
        let own_victim = self.check_queue(queue, &entry)?;
        let victims = self.victims(queue, &entry, own_victim)?;
        for (account, sequence) in victims {
            self.remove(&account, sequence);
        }
        if let Some(victim) = own_victim {
            self.remove(&sender, victim);
        }
        self.insert(sender, account, entry);
        // A payment that now stands before others may have spent what they needed.
        self.remove_unaffordable(&sender);
        debug_assert!(self.queues[&sender].get(sequence).is_some(), "it was checked to fit");
        Ok(())
    }

    /// Rules M1 to M5. Returns the payment of the same account that gives way, if one must.
    fn check_queue(&self, queue: &Queue, entry: &Entry) -> Result<Option<Sequence>, MempoolError> {
        let payment = entry.transaction.payment();
        let (given, expected) = (payment.sequence, queue.account().sequence);
        if given < expected {
            return Err(MempoolError::StaleSequence { given, expected });
        }
        let replaced = queue.get(given);
        if let Some(replaced) = replaced {
            let needed = replacement_fee(replaced.transaction.payment().fee);
            if needed.is_none_or(|needed| payment.fee < needed) {
                let needed = needed.unwrap_or(Amount::MAX);
                return Err(MempoolError::ReplacementUnderpriced { needed });
            }
        }
        let full = queue.len() >= self.limits.max_per_account && replaced.is_none();
        let last = queue.last();
        if full && last.is_none_or(|last| last < given) {
            return Err(MempoolError::AccountFull(self.limits.max_per_account));
        }
        let gap = queue.gap();
        let parked = given > gap && replaced.is_none();
        let distance = usize::try_from(given.since(expected)).unwrap_or(usize::MAX);
        if parked && queue.parked() >= self.limits.max_ahead
            || distance >= self.limits.max_per_account
        {
            return Err(MempoolError::TooFarAhead { given, expected: gap });
        }
        let balance = queue.account().balance;
        let needed = queue
            .cost_before(given)
            .and_then(|before| before.checked_add(entry.transaction.cost()))
            .unwrap_or(Amount::MAX);
        if needed > balance {
            return Err(MempoolError::InsufficientFunds { needed, balance });
        }
        // Only a reorganisation can open a gap in a full queue. What fills it goes first.
        Ok(replaced.map(|_| given).or(last.filter(|_| full)))
    }

    /// Rule M7: who of the other accounts gives way for this payment, so that the whole fits.
    fn victims(
        &self,
        queue: &Queue,
        entry: &Entry,
        own_victim: Option<Sequence>,
    ) -> Result<Vec<(AccountId, Sequence)>, MempoolError> {
        let freed = own_victim.and_then(|sequence| queue.get(sequence)).map(|entry| entry.bytes);
        let mut bytes = self.bytes + entry.bytes - freed.unwrap_or(0);
        let mut payments = self.len() + 1 - usize::from(freed.is_some());
        let payment = entry.transaction.payment();
        let before = queue.lowest_rate_before(payment.sequence).unwrap_or(entry.rate);
        let worth = entry.rate.min(before);
        let lower = self.by_rate.iter().take_while(|(rate, _)| *rate < worth);
        let others = lower.filter(|(_, account)| *account != payment.sender);
        let candidates = others.flat_map(|(_, account)| {
            let queue = self.queues.get(account);
            queue.into_iter().flat_map(Queue::tail_first).map(move |tail| (account, tail))
        });
        let mut candidates = candidates.filter(|(_, (rate, _))| *rate < worth);
        let mut victims = Vec::new();
        while payments > self.limits.max_payments || bytes > self.limits.max_bytes {
            let (account, (_, victim)) = candidates.next().ok_or(MempoolError::PoolFull)?;
            payments -= 1;
            bytes -= victim.bytes;
            victims.push((*account, victim.transaction.payment().sequence));
        }
        Ok(victims)
    }

    /// Gives up what has waited too long, and what its accounts sent after it.
    pub(crate) fn expire(&mut self, now: Moment) {
        while let Some((since, id)) = self.by_age.first().copied() {
            if now.since(since) < self.limits.expiry {
                return;
            }
            let (account, sequence) = *self.by_id.get(&id).expect("each table has each payment");
            let dependants = self.queues.get(&account).map(|queue| queue.starting_with(sequence));
            for sequence in dependants.unwrap_or_default() {
                self.remove(&account, sequence);
            }
        }
    }

    /// Takes over what a move of the tip made of these accounts, and drops what is in a block,
    /// conflicts with it, or can no longer be paid for.
    ///
    /// # Errors
    /// Those of `lookup`.
    pub(crate) fn update<E>(
        &mut self,
        touched: &BTreeSet<AccountId>,
        mut lookup: impl FnMut(&AccountId) -> Result<Account, E>,
    ) -> Result<(), E> {
        for id in touched {
            let Some(queue) = self.queues.get_mut(id) else {
                continue;
            };
            queue.set_account(lookup(id)?);
            for sequence in queue.stale() {
                self.remove(id, sequence);
            }
            self.remove_unaffordable(id);
            self.version += 1;
        }
        Ok(())
    }

    /// Drops what stands beyond [`MempoolLimits::max_ahead`] behind a gap that a reorganisation
    /// opened, after the payments of the abandoned branch had their chance to fill it.
    pub(crate) fn limit_parked(&mut self, touched: &BTreeSet<AccountId>) {
        for id in touched {
            while let Some(queue) = self.queues.get(id)
                && queue.parked() > self.limits.max_ahead
                && let Some(last) = queue.last()
            {
                self.remove(id, last);
            }
        }
    }

    fn remove_unaffordable(&mut self, account: &AccountId) {
        let sequences = self.queues.get(account).map(Queue::unaffordable).unwrap_or_default();
        for sequence in sequences {
            self.remove(account, sequence);
        }
    }

    fn insert(&mut self, sender: AccountId, account: Account, entry: Entry) {
        let id = entry.transaction.id();
        let queue = self.queues.entry(sender).or_insert_with(|| Queue::new(account));
        if let Some(rate) = queue.lowest_rate() {
            self.by_rate.remove(&(rate, sender));
        }
        self.by_id.insert(id, (sender, entry.transaction.payment().sequence));
        self.by_age.insert((entry.since, id));
        self.bytes += entry.bytes;
        queue.insert(entry);
        self.by_rate.extend(queue.lowest_rate().map(|rate| (rate, sender)));
        self.version += 1;
    }

    fn remove(&mut self, account: &AccountId, sequence: Sequence) {
        let Some(queue) = self.queues.get_mut(account) else {
            return;
        };
        let rate = queue.lowest_rate();
        let Some(entry) = queue.remove(sequence) else {
            return;
        };
        self.by_rate.extend(queue.lowest_rate().map(|rate| (rate, *account)));
        if let Some(rate) = rate.filter(|rate| queue.lowest_rate() != Some(*rate)) {
            self.by_rate.remove(&(rate, *account));
        }
        if queue.is_empty() {
            self.queues.remove(account);
        }
        let id = entry.transaction.id();
        self.by_id.remove(&id);
        self.by_age.remove(&(entry.since, id));
        self.bytes -= entry.bytes;
        self.version += 1;
    }
}

/// The smallest fee that replaces a payment with this one: 25 % and at least 1 micro-coin higher.
fn replacement_fee(fee: Amount) -> Option<Amount> {
    let more = Amount::from_micros(fee.micros().div_ceil(4).max(1))?;
    fee.checked_add(more)
}

#[cfg(test)]
impl Mempool {
    pub(super) fn limits(&self) -> &MempoolLimits {
        &self.limits
    }

    pub(super) fn limits_mut(&mut self) -> &mut MempoolLimits {
        &mut self.limits
    }

    /// How many payments each table has; `bytes` are what they should be together.
    pub(super) fn table_sizes(&self, bytes: usize) -> [usize; 4] {
        assert_eq!(self.bytes, bytes);
        assert_eq!(self.by_rate.len(), self.queues.len());
        let queued = self.queues.values().map(Queue::len).sum();
        [self.iter().count(), self.by_id.len(), self.by_age.len(), queued]
    }
}
