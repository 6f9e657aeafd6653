//! The mempool by itself, against accounts that the tests make up: who is parked, who gives way, and
//! what the tests of this folder share.

mod changes;
mod properties;
mod rules;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use cairn_ledger::Account;
use cairn_protocol::{
    AccountId, Amount, Memo, NetworkId, Payment, SecretKey, Sequence, VerifiedTransaction,
};

use super::{Mempool, MempoolError};
use crate::settings::MempoolLimits;
use crate::time::Moment;

const NETWORK: NetworkId = NetworkId([1; 32]);

fn micros(micros: u64) -> Amount {
    Amount::from_micros(micros).expect("an amount")
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

fn with_memo(seed: u8, sequence: u32, fee: u64, memo: usize) -> VerifiedTransaction {
    let payment = Payment {
        sender: key(seed).account(),
        recipient: AccountId([9; 32]),
        amount: micros(100),
        fee: micros(fee),
        sequence: Sequence::from(sequence),
        memo: Memo::new(vec![0; memo]).expect("short"),
    };
    key(seed).sign(payment, NETWORK).verify(NETWORK).expect("valid")
}

/// A payment of 100 micro-coins and 160 bytes.
fn payment(seed: u8, sequence: u32, fee: u64) -> VerifiedTransaction {
    with_memo(seed, sequence, fee, 0)
}

fn account(balance: u64, sequence: u32) -> Account {
    Account { balance: micros(balance), sequence: Sequence::from(sequence) }
}

const RICH: u64 = 1_000_000_000;

fn pool(change: impl FnOnce(&mut MempoolLimits)) -> Mempool {
    let mut limits = MempoolLimits::default();
    change(&mut limits);
    Mempool::new(limits)
}

fn at(seconds: u64) -> Moment {
    Moment::START.after(Duration::from_secs(seconds))
}

impl Mempool {
    /// Admits a payment of an account with much money and no payments.
    fn take(&mut self, transaction: VerifiedTransaction) -> Result<(), MempoolError> {
        self.admit(transaction, account(RICH, 0), Moment::START)
    }

    /// What a move of the tip made of one account.
    fn set_account(&mut self, seed: u8, changed: Account) {
        let touched = BTreeSet::from([key(seed).account()]);
        let Ok(()) = self.update(&touched, |_| Ok::<_, Infallible>(changed));
    }

    /// The sequences of an account's ready payments and of its parked ones.
    fn state(&self, seed: u8) -> (Vec<u64>, Vec<u64>) {
        let id = key(seed).account();
        let Some((_, queue)) = self.queues().find(|(account, _)| **account == id) else {
            return Default::default();
        };
        let sequence = |entry: &super::Entry| entry.transaction.payment().sequence.get();
        let ready: Vec<_> = queue.ready().map(sequence).collect();
        let all = self.iter().filter(|one| one.payment().sender == id);
        let mut parked: Vec<_> = all.map(|one| one.payment().sequence.get()).collect();
        parked.retain(|sequence| !ready.contains(sequence));
        parked.sort_unstable();
        (ready, parked)
    }

    fn check(&self) {
        assert!(self.len() <= self.limits().max_payments);
        let bytes: usize = self.iter().map(VerifiedTransaction::encoded_len).sum();
        assert!(bytes <= self.limits().max_bytes);
        assert_eq!(self.table_sizes(bytes), [self.len(); 4]);
        for (_, queue) in self.queues() {
            assert!(!queue.is_empty());
            assert!(queue.len() <= self.limits().max_per_account);
            assert!(queue.stale().is_empty());
            assert!(queue.unaffordable().is_empty());
        }
    }
}

#[test]
fn behaviour_43_payments_ahead_are_parked_within_a_limit_and_promoted_in_order() {
    let mut pool = pool(|_| {});
    for sequence in (2..18).rev() {
        pool.take(payment(1, sequence, 0)).expect("16 may be ahead");
    }
    let error = pool.take(payment(1, 18, 0)).expect_err("the 17th");
    assert_eq!(error.rule(), "M2");
    assert_eq!(pool.state(1), (vec![], (2..18).collect()));

    pool.take(payment(1, 0, 0)).expect("ready");
    assert_eq!(pool.state(1), (vec![0], (2..18).collect()));
    pool.take(payment(1, 1, 0)).expect("ready");
    assert_eq!(pool.state(1), ((0..18).collect(), vec![]));
    pool.take(payment(1, 18, 0)).expect("ready");
    pool.check();
}

#[test]
fn behaviour_47_when_the_pool_is_full_the_lowest_fee_rate_gives_way_from_the_tail() {
    let mut pool = pool(|limits| limits.max_payments = 4);
    for (seed, sequence, fee) in [(1, 0, 50), (1, 1, 10), (1, 2, 90), (2, 0, 20)] {
        pool.take(payment(seed, sequence, fee)).expect("fits");
    }
    // No more than the lowest: a payment of the same rate, and one behind a payment of it.
    assert_eq!(pool.take(payment(3, 0, 10)), Err(MempoolError::PoolFull));
    assert_eq!(pool.take(payment(1, 3, 500)), Err(MempoolError::PoolFull));
    // Account 1's last payment is worth 10, since a miner must take the second first.
    pool.take(payment(3, 0, 30)).expect("better");
    assert_eq!(pool.state(1), (vec![0, 1], vec![]));
    pool.take(payment(4, 0, 30)).expect("better");
    assert_eq!(pool.state(1), (vec![0], vec![]));
    pool.take(payment(5, 0, 30)).expect("better than account 2's");
    assert_eq!(pool.state(2), (vec![], vec![]));
    assert_eq!(pool.take(payment(6, 0, 30)), Err(MempoolError::PoolFull));
    pool.check();
}

#[test]
fn behaviour_47_a_large_payment_displaces_as_many_small_ones_as_it_needs() {
    let mut pool = pool(|limits| limits.max_bytes = 1_000);
    for seed in 1..=6 {
        pool.take(payment(seed, 0, u64::from(seed))).expect("160 bytes each");
    }
    // 640 bytes for 100 micro-coins is a rate of 25 for 160 bytes.
    pool.take(with_memo(7, 0, 100, 480)).expect("better than four of them");
    assert_eq!(pool.len(), 3);
    for seed in [5, 6, 7] {
        assert_eq!(pool.state(seed).0, [0]);
    }
    // It would need the place of all, and the large one is worth more.
    assert_eq!(pool.take(with_memo(8, 0, 100, 512)), Err(MempoolError::PoolFull));
    assert_eq!(pool.len(), 3);
    pool.check();
}

/// Others find room, however much one account has to say.
#[test]
fn behaviour_47_one_account_has_no_more_than_its_share_of_the_pool() {
    let mut pool = pool(|limits| limits.max_payments = 65);
    for sequence in 0..64 {
        pool.take(payment(1, sequence, 50)).expect("fits");
    }
    for sequence in 64..70 {
        let error = pool.take(payment(1, sequence, 90)).expect_err("one too many");
        assert_eq!(error.rule(), "M3", "{error}");
    }
    pool.take(payment(2, 0, 0)).expect("the first of another account");
    assert_eq!((pool.state(1).0.len(), pool.state(2).0.len()), (64, 1));
    pool.check();
}

#[test]
fn rule_l9_ids_are_listed_in_ascending_order_from_any_of_them() {
    let mut pool = pool(|_| {});
    for seed in 1..=9 {
        pool.take(payment(seed, 0, 0)).expect("fits");
    }
    let all: Vec<_> = pool.ids_after(None).collect();
    assert_eq!(all.len(), 9);
    assert!(all.is_sorted());
    assert_eq!(pool.ids_after(Some(all[3])).collect::<Vec<_>>(), all[4..]);
    assert_eq!(pool.ids_after(Some(all[8])).count(), 0);
    assert_eq!(pool.get(&all[0]).map(VerifiedTransaction::id), Some(all[0]));
}
