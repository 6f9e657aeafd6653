//! The rules that need a chain: for each, a block or header that breaks exactly that one.

use cairn_ledger::ContextError;
use cairn_protocol::{Bounded, Sequence, Target, VerifiedBlock, VerifiedTransaction};

use crate::chain::Chain;
use crate::kit::{Branch, account, at, coins, network, now, pay, pay_with_fee};

/// [7] C1: a block before its parent is refused for now, and connects afterwards.
#[test]
fn c1_a_block_without_its_parent_may_come_again() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    branch.mine_empty(2);
    let error = chain.refused(branch.block(2));
    assert_eq!(
        (error, error.rule(), error.is_permanent()),
        (ContextError::UnknownParent, "C1", false)
    );
    chain.grow(branch.blocks());
    assert_eq!(chain.tip(), branch.tip());
}

/// [16] C3: a target that is not the required one is refused, even if the hash meets it.
#[test]
fn c3_only_the_required_target_is_accepted() {
    let network = network(|rules| {
        rules.block_interval_seconds = 10;
        rules.half_life_seconds = 10;
    });
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    for millis in [10_000, 10_000, 1] {
        chain.grow(&[branch.mine_after(millis, Vec::new())]);
    }
    let required = branch.clone().mine_after(1, Vec::new()).header().header().target;
    let floor = network.rules().floor();
    assert_ne!(required, floor);
    for given in [floor, Target::with_leading_zeros(3)] {
        let mut fork = branch.clone();
        let block = fork.mine_with(at(branch.last().time.millis() + 1), given, Vec::new());
        let error = chain.refused(&block);
        assert_eq!((error, error.rule()), (ContextError::Target { given, required }, "C3"));
    }
}

/// [18] C4: the time must be after the median of the last eleven, and need not be after the last.
#[test]
fn c4_the_time_is_after_the_median_of_the_ancestors() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    // The last eleven times are 3000, 4000, ... 13000.
    chain.grow(&branch.mine_empty(13));
    let floor = network.rules().floor();
    let block_at = |millis| branch.clone().mine_with(at(millis), floor, Vec::new());
    let (time, median) = (at(8_000), at(8_000));
    let error = chain.refused(&block_at(8_000));
    assert_eq!((error, error.rule()), (ContextError::TimeNotAfterMedian { time, median }, "C4"));
    chain.grow(&[block_at(8_001)]);
}

/// Genesis counts among the ancestors, with time 0.
#[test]
fn c4_the_first_blocks_have_genesis_for_a_median() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let floor = network.rules().floor();
    let at_zero = Branch::new(&network, 1).mine_with(at(0), floor, Vec::new());
    let (time, median) = (at(0), at(0));
    assert_eq!(chain.refused(&at_zero), ContextError::TimeNotAfterMedian { time, median });
    chain.grow(&[Branch::new(&network, 1).mine_with(at(1), floor, Vec::new())]);
}

/// [19] C5: a block from the future is refused for now and accepted when its time has come.
#[test]
fn c5_a_block_from_the_future_may_come_again() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let floor = network.rules().floor();
    let limit = now().millis() + 120_000;
    let mut branch = Branch::new(&network, 1);
    let late = branch.mine_with(at(limit + 1), floor, Vec::new());
    let child = branch.mine_after(1, Vec::new());
    let error = chain.refused(&late);
    let expected = ContextError::TimeInFuture(at(limit + 1));
    assert_eq!((error, error.rule(), error.is_permanent()), (expected, "C5", false));
    assert_eq!(chain.refused(&child), ContextError::UnknownParent);
    let headers = chain.ledger().add_headers(&branch.headers(), now()).expect("a disk");
    assert_eq!((headers.new, headers.refused), (0, Some((0, expected))));

    let added = chain.ledger().add_blocks(&[late, child], at(limit)).expect("a disk");
    assert_eq!(added.refused, []);
    assert_eq!(chain.tip(), branch.tip());
    let mut other = Chain::new(&network);
    other.grow(&[Branch::new(&network, 1).mine_with(at(limit), floor, Vec::new())]);
}

/// C6: the fewest transactions, and its two exemptions.
#[test]
fn c6_a_block_has_the_fewest_transactions_unless_it_is_first_or_late() {
    let network = network(|rules| {
        rules.min_block_transactions = 3;
        rules.min_block_wait_seconds = 600;
    });
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    chain.grow(&[branch.mine(Vec::new())]);
    let payments: Vec<_> = (0..2).map(|n| pay(&network, 1, n, "1", 2)).collect();
    let few = |millis, count: usize| branch.clone().mine_after(millis, payments[..count].to_vec());
    for given in [1, 2] {
        let error = chain.refused(&few(599_999, given - 1));
        let expected = ContextError::TooFewTransactions { given, fewest: 3 };
        assert_eq!((error, error.rule()), (expected, "C6"));
    }
    chain.grow(&[few(1000, 2)]);
    let mut other = Chain::new(&network);
    other.grow(&[branch.block(1).clone(), few(600_000, 0)]);
}

/// A chain of three empty blocks mined by key 1, and the block of these payments on it.
fn with_payments(payments: Vec<VerifiedTransaction>) -> (Chain, VerifiedBlock) {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    chain.grow(&branch.mine_empty(3));
    (chain, branch.mine(payments))
}

/// [27] C7: a gap, a repetition and a wrong order are refused.
#[test]
fn c7_payments_carry_their_senders_sequence() {
    let network = network(|_| {});
    let numbered = |numbers: &[u32]| -> Vec<_> {
        numbers.iter().map(|n| pay(&network, 1, *n, "1", 2)).collect()
    };
    let cases: [(&[u32], usize, u32, u32); 4] =
        [(&[1], 0, 1, 0), (&[0, 2], 1, 2, 1), (&[0, 0], 1, 0, 1), (&[1, 0], 0, 1, 0)];
    for (numbers, index, given, expected) in cases {
        let (mut chain, block) = with_payments(numbered(numbers));
        let (given, expected) = (Sequence::from(given), Sequence::from(expected));
        let error = chain.refused(&block);
        assert_eq!(
            (error, error.rule()),
            (ContextError::Sequence { index, given, expected }, "C7")
        );
    }
    let (mut chain, block) = with_payments(numbered(&[0, 1, 2]));
    chain.grow(&[block]);
    assert_eq!(chain.balance(2), "3.000000");
}

/// [24] C8: no sender pays more than it has, alone or by several payments together.
#[test]
fn c8_senders_have_what_they_pay() {
    let network = network(|_| {});
    let pay_all =
        |amount: &str, fee: &str| vec![pay_with_fee(&network, 1, 0, amount, fee, account(2))];
    for (payments, index, cost, balance) in [
        (pay_all("30.000001", "0"), 0, "30.000001", "30"),
        (pay_all("30", "0.000001"), 0, "30.000001", "30"),
        (pay_all("9223372036854.775807", "0"), 0, "9223372036854.775807", "30"),
        (vec![pay(&network, 1, 0, "20", 2), pay(&network, 1, 1, "10.5", 2)], 1, "10.5", "10"),
        (vec![pay(&network, 2, 0, "1", 1), pay(&network, 1, 0, "1", 2)], 0, "1", "0"),
        (vec![pay(&network, 1, 0, "31", 1)], 0, "31", "30"),
    ] {
        let (mut chain, block) = with_payments(payments);
        let (cost, balance) = (coins(cost), coins(balance));
        let error = chain.refused(&block);
        let expected = ContextError::InsufficientFunds { index, cost, balance };
        assert_eq!((error, error.rule()), (expected, "C8"));
    }
    let (mut chain, block) = with_payments(pay_all("29", "1"));
    chain.grow(&[block]);
    assert_eq!((chain.balance(2), chain.balance(1)), ("29.000000".into(), "11.000000".into()));
}

/// What a payment brings can be spent by the next one of the same block.
#[test]
fn payments_of_a_block_apply_in_order() {
    let network = network(|_| {});
    let (mut chain, block) = with_payments(vec![
        pay(&network, 1, 0, "30", 2),
        pay(&network, 2, 0, "30", 3),
        pay(&network, 3, 0, "12", 1),
    ]);
    chain.grow(&[block]);
    assert_eq!((chain.balance(3), chain.balance(1)), ("18.000000".into(), "22.000000".into()));
}

/// Attack 13: paying oneself costs the fee and makes nothing.
#[test]
fn a_payment_to_oneself_costs_the_fee_only() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    chain.grow(&branch.mine_empty(1));
    let mut branch = branch.fork(1, 2);
    let to_self = pay_with_fee(&network, 1, 0, "9", "1", account(1));
    chain.grow(&[branch.mine(vec![to_self])]);
    assert_eq!((chain.balance(1), chain.balance(2)), ("9.000000".into(), "11.000000".into()));
    let sequence = chain.ledger().account(&account(1)).expect("a disk").sequence;
    assert_eq!(sequence, Sequence::from(1));
}

/// [26] A reward can be spent exactly from the block on after the one that credits it.
#[test]
fn an_immature_reward_cannot_be_spent() {
    for maturity in [0, 1, 3] {
        let network = network(|rules| rules.reward_maturity = maturity);
        let mut chain = Chain::new(&network);
        let mut branch = Branch::new(&network, 1);
        chain.grow(&[branch.mine(Vec::new())]);
        let mut branch = branch.fork(1, 2);
        // The reward of block 1 is credited by block 1 + maturity.
        for _ in 0..maturity {
            let early = branch.clone().mine(vec![pay(&network, 1, 0, "10", 3)]);
            assert!(matches!(chain.refused(&early), ContextError::InsufficientFunds { .. }));
            chain.grow(&[branch.mine(Vec::new())]);
        }
        chain.grow(&[branch.mine(vec![pay(&network, 1, 0, "10", 3)])]);
        assert_eq!(chain.balance(3), "10.000000");
    }
}

/// [20, 21] A twin with the same hash and other content is no word against the true block.
#[test]
fn a_mutated_twin_does_not_condemn_the_block() {
    let network = network(|_| {});
    let payments = (0..2).map(|sequence| pay(&network, 1, sequence, "1", 2)).collect();
    let (mut chain, block) = with_payments(payments);
    let mut twin = block.to_block();
    twin.payments = Bounded::first(twin.payments.iter().rev().cloned());
    assert_eq!(twin.sealed.hash(), block.block_ref().hash);
    let error = twin.verify(&network).expect_err("another content");
    assert!(!error.condemns_header(), "{error}");
    chain.grow(&[block]);
}

/// Accounts that hold nothing and never paid leave no trace.
#[test]
fn an_account_has_a_row_only_while_it_holds_something() {
    let network = network(|_| {});
    let (mut chain, block) = with_payments(vec![
        pay(&network, 1, 0, "5", 2),
        pay(&network, 2, 0, "5", 3),
        pay(&network, 1, 1, "25", 4),
    ]);
    let mut branch = Branch::new(&network, 1);
    branch.mine_empty(3);
    assert_eq!(chain.snapshot().accounts.len(), 1);
    chain.grow(&[block]);
    assert_eq!(chain.snapshot().accounts.len(), 4, "2 paid, so its sequence is kept");
    chain.add(&branch.fork(3, 5).mine_empty(2));
    assert_eq!(chain.snapshot().accounts.len(), 2);
}

/// The rules' numbers are those of docs/PROTOCOL.md, in order.
#[test]
fn every_error_names_its_rule() {
    assert_eq!(ContextError::InvalidParent.rule(), "C2");
    assert_eq!(ContextError::KnownInvalid.rule(), "C2");
    assert_eq!(ContextError::BalanceTooLarge.rule(), "C9");
    assert!(ContextError::InvalidParent.is_permanent());
}
