//! The mempool by itself, against accounts that the tests make up. The numbers are those of
//! BEHAVIOURS.md.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use cairn_ledger::Account;
use cairn_protocol::{
    AccountId, Amount, Memo, NetworkId, Payment, SecretKey, Sequence, VerifiedTransaction,
};
use proptest::prelude::*;

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
fn each_rule_is_refused_by_its_name() {
    let refused = |expected: MempoolError, pool: &mut Mempool, one, account| {
        let before: Vec<_> = pool.iter().cloned().collect();
        assert_eq!(pool.admit(one, account, Moment::START), Err(expected));
        assert!(pool.iter().eq(&before), "{expected} has changed something");
        expected.rule()
    };
    let mut pool = pool(|limits| limits.min_fee = micros(10));
    let (given, expected) = (Sequence::from(4), Sequence::from(5));
    let error = MempoolError::StaleSequence { given, expected };
    assert_eq!(refused(error, &mut pool, payment(1, 4, 10), account(RICH, 5)), "M1");

    let (given, expected) = (Sequence::from(64), Sequence::from(0));
    let error = MempoolError::TooFarAhead { given, expected };
    assert_eq!(refused(error, &mut pool, payment(1, 64, 10), account(RICH, 0)), "M2");

    for sequence in 0..64 {
        pool.take(payment(1, sequence, 10)).expect("fits");
    }
    let error = MempoolError::AccountFull(64);
    assert_eq!(refused(error, &mut pool, payment(1, 64, 10), account(RICH, 0)), "M3");

    pool.admit(payment(2, 0, 10), account(219, 0), Moment::START).expect("110 of 219");
    let error = MempoolError::InsufficientFunds { needed: micros(220), balance: micros(219) };
    assert_eq!(refused(error, &mut pool, payment(2, 1, 10), account(219, 0)), "M4");

    let error = MempoolError::ReplacementUnderpriced { needed: micros(13) };
    assert_eq!(refused(error, &mut pool, payment(2, 0, 12), account(219, 0)), "M5");

    let error = MempoolError::FeeBelowMinimum { given: micros(9), minimum: micros(10) };
    assert_eq!(refused(error, &mut pool, payment(3, 0, 9), account(RICH, 0)), "M6");

    let error = MempoolError::AlreadyKnown;
    assert_eq!(refused(error, &mut pool, payment(2, 0, 10), account(219, 0)), "M8");

    let mut full = super::tests::pool(|limits| limits.max_payments = 1);
    full.take(payment(1, 0, 10)).expect("fits");
    assert_eq!(
        refused(MempoolError::PoolFull, &mut full, payment(2, 0, 10), account(RICH, 0)),
        "M7"
    );
    pool.check();
}

/// Behaviour 43.
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
fn rule_m3_what_a_reorganisation_returns_takes_the_place_of_what_waits_behind_it() {
    let mut pool = pool(|limits| limits.max_per_account = 4);
    for sequence in 1..5 {
        pool.admit(payment(1, sequence, 0), account(RICH, 1), Moment::START).expect("fits");
    }
    let touched = BTreeSet::from([key(1).account()]);
    let update = pool.update(&touched, |_| Ok::<_, Infallible>(account(RICH, 0)));
    assert_eq!(update, Ok(()));
    assert_eq!(pool.state(1), (vec![], (1..5).collect()));
    pool.take(payment(1, 0, 0)).expect("fills the gap");
    assert_eq!(pool.state(1), ((0..4).collect(), vec![]));
    pool.check();
}

#[test]
fn rule_m5_a_replacement_pays_a_quarter_more_and_at_least_one_micro_coin() {
    for (old, refused, enough) in [(0, 0, 1), (1, 1, 2), (4, 4, 5), (5, 6, 7), (100, 124, 125)] {
        let mut pool = pool(|_| {});
        pool.take(payment(1, 0, old)).expect("fits");
        // With another memo it is another payment, though the fee may be the same.
        let error = pool.take(with_memo(1, 0, refused, 1)).expect_err("too little");
        assert_eq!(error, MempoolError::ReplacementUnderpriced { needed: micros(enough) });
        pool.take(with_memo(1, 0, enough, 1)).expect("enough");
        assert_eq!(
            pool.iter().map(VerifiedTransaction::id).collect::<Vec<_>>(),
            [with_memo(1, 0, enough, 1).id()]
        );
        pool.check();
    }
}

#[test]
fn a_dearer_replacement_drops_what_the_account_can_no_longer_pay() {
    let mut pool = pool(|_| {});
    let poor = account(330, 0);
    for sequence in 0..3 {
        pool.admit(payment(1, sequence, 10), poor, Moment::START).expect("110 each of 330");
    }
    pool.admit(payment(1, 0, 30), poor, Moment::START).expect("130 and 110 of 330");
    assert_eq!(pool.state(1), (vec![0, 1], vec![]));
    pool.check();
}

/// Behaviour 47.
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

/// Behaviour 47.
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

/// Behaviour 44.
#[test]
fn behaviour_44_what_a_block_has_and_what_conflicts_with_it_leaves() {
    let mut pool = pool(|_| {});
    for sequence in 0..4 {
        pool.take(payment(1, sequence, 0)).expect("fits");
    }
    pool.take(payment(2, 0, 0)).expect("fits");
    let touched = BTreeSet::from([key(1).account(), AccountId([9; 32])]);
    // The account has made two payments, ours or others with the same sequences.
    let update = pool.update(&touched, |_| Ok::<_, Infallible>(account(RICH, 2)));
    assert_eq!(update, Ok(()));
    assert_eq!(pool.state(1), (vec![2, 3], vec![]));
    assert_eq!(pool.state(2), (vec![0], vec![]));
    pool.check();
}

/// Behaviour 46.
#[test]
fn behaviour_46_what_a_reorganisation_took_the_money_from_leaves() {
    let mut pool = pool(|_| {});
    for sequence in 0..4 {
        pool.take(payment(1, sequence, 0)).expect("fits");
    }
    let touched = BTreeSet::from([key(1).account()]);
    let update = pool.update(&touched, |_| Ok::<_, Infallible>(account(250, 0)));
    assert_eq!(update, Ok(()));
    assert_eq!(pool.state(1), (vec![0, 1], vec![]));
    pool.check();
}

#[test]
fn a_gap_that_a_reorganisation_opened_leaves_no_more_parked_than_allowed() {
    let mut pool = pool(|_| {});
    for sequence in 10..40 {
        pool.admit(payment(1, sequence, 0), account(RICH, 10), Moment::START).expect("fits");
    }
    let touched = BTreeSet::from([key(1).account()]);
    let update = pool.update(&touched, |_| Ok::<_, Infallible>(account(RICH, 5)));
    assert_eq!(update, Ok(()));
    assert_eq!(pool.state(1).1.len(), 30, "the payments of the other branch may fill the gap");
    pool.limit_parked(&touched);
    assert_eq!(pool.state(1), (vec![], (10..26).collect()));
    pool.check();
}

/// Behaviour 48.
#[test]
fn behaviour_48_a_payment_expires_with_those_that_follow_it() {
    let mut pool = pool(|_| {});
    let day = 24 * 60 * 60;
    for (sequence, seconds) in [(0, 100), (1, 0), (2, 200)] {
        pool.admit(payment(1, sequence, 0), account(RICH, 0), at(seconds)).expect("fits");
    }
    pool.admit(payment(2, 0, 0), account(RICH, 0), at(50)).expect("fits");
    assert_eq!(pool.deadline(), Some(at(day)));
    pool.expire(at(day - 1));
    assert_eq!(pool.len(), 4);
    pool.expire(at(day));
    assert_eq!(pool.state(1), (vec![0], vec![]));
    pool.expire(at(day + 50));
    assert_eq!(pool.state(2), (vec![], vec![]));
    assert_eq!(pool.deadline(), Some(at(day + 100)));
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

#[test]
fn the_defaults_are_those_of_the_design() {
    let limits = MempoolLimits::default();
    assert_eq!((limits.max_payments, limits.max_bytes), (50_000, 32 * 1024 * 1024));
    assert_eq!((limits.max_per_account, limits.max_ahead), (64, 16));
    assert_eq!((limits.expiry.as_secs(), limits.min_fee), (24 * 60 * 60, Amount::ZERO));
}

/// What can happen to a pool.
#[derive(Clone, Debug)]
enum Step {
    Admit { seed: u8, sequence: u32, fee: u64, memo: usize },
    Update { seed: u8, balance: u64, sequence: u32 },
    Expire,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let admit = (1..6_u8, 0..12_u32, 0..200_u64, 0..100_usize)
        .prop_map(|(seed, sequence, fee, memo)| Step::Admit { seed, sequence, fee, memo });
    let update = (1..6_u8, 0..2_000_u64, 0..6_u32)
        .prop_map(|(seed, balance, sequence)| Step::Update { seed, balance, sequence });
    let step = prop_oneof![12 => admit, 2 => update, 1 => Just(Step::Expire)];
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever happens, the limits hold, the tables agree, and what is ready can be paid for.
    #[test]
    fn the_limits_hold_whatever_happens(steps in steps()) {
        let mut pool = pool(|limits| {
            limits.max_payments = 12;
            limits.max_bytes = 2_000;
            limits.max_per_account = 6;
            limits.max_ahead = 3;
        });
        let mut accounts = BTreeMap::new();
        for (seconds, step) in (0..).zip(steps) {
            let now = at(seconds * 3_600);
            match step {
                Step::Admit { seed, sequence, fee, memo } => {
                    let account = accounts.get(&seed).copied().unwrap_or(account(1_500, 0));
                    let one = with_memo(seed, sequence, fee, memo);
                    let admitted = pool.admit(one.clone(), account, now);
                    prop_assert!(admitted.is_err() || pool.contains(&one.id()));
                }
                Step::Update { seed, balance, sequence } => {
                    let changed = account(balance, sequence);
                    accounts.insert(seed, changed);
                    let touched = BTreeSet::from([key(seed).account()]);
                    pool.update(&touched, |_| Ok::<_, Infallible>(changed)).expect("infallible");
                    pool.limit_parked(&touched);
                }
                Step::Expire => pool.expire(now),
            }
            pool.check();
        }
    }
}
