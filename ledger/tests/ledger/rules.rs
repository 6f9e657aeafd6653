//! C1 to C8, which need a chain: for each, a block or header that breaks exactly that one, and the
//! nearest that keeps it. (C9 is out of a chain's reach: see the unit tests of `connect`.)

use cairn_ledger::ContextError;
use cairn_protocol::block::content_root_of;
use cairn_protocol::{BlockRef, Height, Network, Sequence, Target, Timestamp, VerifiedBlock};

use crate::chain::Chain;
use crate::kit::{Branch, account, at, coins, network, now, pay, pay_with_fee};

/// A chain of empty blocks, and the branch that it follows.
fn chain_of(network: &Network, blocks: usize) -> (Chain, Branch) {
    let mut chain = Chain::new(network);
    let mut branch = Branch::new(network, 1);
    chain.grow(&branch.mine_empty(blocks));
    (chain, branch)
}

/// The block is refused for this, by this rule.
fn assert_refused(chain: &mut Chain, block: &VerifiedBlock, error: ContextError, rule: &str) {
    assert_eq!(chain.refused(block), error);
    assert_eq!(error.rule(), rule);
}

#[test]
fn rule_c1_a_block_without_its_parent_may_come_again() {
    let (mut chain, mut branch) = chain_of(&network(|_| {}), 1);
    branch.mine_empty(2);
    assert_refused(&mut chain, branch.block(3), ContextError::UnknownParent, "C1");
    assert!(!ContextError::UnknownParent.is_permanent());
    chain.grow(branch.blocks());
    assert_eq!(chain.tip(), branch.tip());
}

/// An empty block at this height, whose parent is known, but not necessarily one below.
fn at_height(network: &Network, parent: BlockRef, height: u32) -> VerifiedBlock {
    let mut block = Branch::new(network, 1).mine(Vec::new()).to_block();
    let header = &mut block.sealed.header;
    (header.parent, header.height, header.time) = (parent.hash, Height::from(height), at(500_000));
    block.reward.height = header.height;
    header.content = content_root_of(&block.reward, &[]);
    block.verify(network).expect("any hash will do")
}

#[test]
fn rule_c1_the_parent_stands_one_below() {
    let network = network(|_| {});
    let (mut chain, branch) = chain_of(&network, 3);
    for height in [1, 2, 3, 5, 6] {
        let block = at_height(&network, branch.tip(), height);
        assert_refused(&mut chain, &block, ContextError::UnknownParent, "C1");
    }
    chain.grow(&[at_height(&network, branch.tip(), 4)]);
}

#[test]
fn rule_c2_an_invalid_block_stays_invalid() {
    let (mut chain, branch) = chain_of(&network(|_| {}), 3);
    let bad = branch.clone().mine(vec![pay(branch.network(), 9, 0, "1", 1)]);
    let error = chain.refused(&bad);
    assert_eq!(error.rule(), "C8");
    let known = ContextError::KnownInvalid(bad.block_ref());
    for _ in 0..2 {
        assert_refused(&mut chain, &bad, known, "C2");
        chain.restart();
    }
    assert!(known.is_permanent());
    chain.grow(&[branch.clone().mine(Vec::new())]);
}

#[test]
fn rule_c2_what_descends_from_an_invalid_block_is_invalid() {
    let (mut chain, branch) = chain_of(&network(|_| {}), 3);
    let mut bad = branch.clone();
    let first = bad.mine(vec![pay(branch.network(), 9, 0, "1", 1)]).block_ref();
    let child = bad.mine(Vec::new());
    chain.refused(bad.block(4));
    assert_refused(&mut chain, &child, ContextError::KnownInvalid(first), "C2");
    let headers = chain.ledger().add_headers(&[*child.header()], now()).expect("a disk");
    assert_eq!(headers.refused, Some((0, ContextError::KnownInvalid(first))));
    let mut good = branch.fork(3, 2);
    chain.grow(&good.mine_empty(2));
}

/// A network whose target moves, with a chain whose next block at [`soon`] does not have the
/// floor.
fn moving() -> (Chain, Branch, Target) {
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
    assert_ne!(required, network.rules().floor());
    (chain, branch, required)
}

fn soon(branch: &Branch) -> Timestamp {
    at(branch.last().time.millis() + 1)
}

/// The target that is higher by this in its last place.
fn moved(target: Target, by: i8) -> Target {
    let mut bytes = target.to_be_bytes();
    bytes[31] = bytes[31].checked_add_signed(by).expect("not at the end of a byte");
    Target::from_be_bytes(&bytes).expect("not zero")
}

#[test]
fn rule_c3_the_target_is_exactly_the_required_one() {
    let (mut chain, branch, required) = moving();
    let floor = branch.network().rules().floor();
    let near = if required.to_be_bytes()[31] == 0xff { -1 } else { 1 };
    for given in [floor, Target::with_leading_zeros(5), moved(required, near)] {
        let block = branch.clone().mine_with(soon(&branch), given, Vec::new());
        assert_refused(&mut chain, &block, ContextError::Target { given, required }, "C3");
    }
    chain.grow(&[branch.clone().mine_with(soon(&branch), required, Vec::new())]);
}

/// More work than was asked for is no excuse.
#[test]
fn behaviour_16_a_wrong_target_is_refused_though_the_hash_meets_the_right_one() {
    let (mut chain, mut branch, required) = moving();
    let given = Target::with_leading_zeros(6);
    let block = branch.mine_with(soon(&branch), given, Vec::new());
    assert!(required.is_met_by(&block.header().hash()));
    let best = chain.ledger().best_header();
    let error = ContextError::Target { given, required };
    let headers = chain.ledger().add_headers(&branch.headers(), now()).expect("a disk");
    assert_eq!(headers.refused, Some((3, error)));
    assert_eq!(chain.ledger().best_header(), best);
    assert_eq!(chain.refused(&block), error);
}

#[test]
fn rule_c4_the_time_is_after_the_median_of_the_ancestors() {
    // The last eleven times are 3000, 4000, ... 13000.
    let (mut chain, branch) = chain_of(&network(|_| {}), 13);
    let floor = branch.network().rules().floor();
    let block_at = |millis| branch.clone().mine_with(at(millis), floor, Vec::new());
    let (time, median) = (at(8_000), at(8_000));
    let error = ContextError::TimeNotAfterMedian { time, median };
    assert_refused(&mut chain, &block_at(8_000), error, "C4");
    assert!(error.is_permanent());
    chain.grow(&[block_at(8_001)]);
}

/// Genesis counts among the ancestors, with time 0; of k ancestors, the median is at k / 2.
#[test]
fn rule_c4_the_first_blocks_have_a_median_of_few() {
    let network = network(|_| {});
    let floor = network.rules().floor();
    for (times, median) in [(&[][..], 0), (&[7], 7), (&[7, 8], 7), (&[7, 9, 8], 8)] {
        let mut branch = Branch::new(&network, 1);
        let mut chain = Chain::new(&network);
        for millis in times {
            chain.grow(&[branch.mine_with(at(*millis), floor, Vec::new())]);
        }
        let early = branch.clone().mine_with(at(median), floor, Vec::new());
        let error = ContextError::TimeNotAfterMedian { time: at(median), median: at(median) };
        assert_refused(&mut chain, &early, error, "C4");
        chain.grow(&[branch.mine_with(at(median + 1), floor, Vec::new())]);
    }
}

/// The time may go back behind the parent's, but not to the median; then no header is kept.
#[test]
fn behaviour_18_a_time_at_or_before_the_median_is_refused() {
    let (mut chain, branch) = chain_of(&network(|_| {}), 13);
    let floor = branch.network().rules().floor();
    for millis in [0, 1, 7_999, 8_000] {
        let mut early = branch.clone();
        let block = early.mine_with(at(millis), floor, Vec::new());
        let headers = chain.ledger().add_headers(&early.headers()[13..], now()).expect("a disk");
        let error = ContextError::TimeNotAfterMedian { time: at(millis), median: at(8_000) };
        assert_eq!((headers.new, headers.refused), (0, Some((0, error))));
        assert_eq!(chain.refused(&block), error);
    }
    let before_its_parent = branch.clone().mine_with(at(8_001), floor, Vec::new());
    assert!(before_its_parent.header().header().time < branch.last().time);
    chain.grow(&[before_its_parent]);
}

#[test]
fn rule_c5_the_time_is_at_most_two_minutes_ahead() {
    let network = network(|_| {});
    let floor = network.rules().floor();
    let limit = now().millis() + 120_000;
    let of_time = |millis| Branch::new(&network, 1).mine_with(at(millis), floor, Vec::new());
    let mut chain = Chain::new(&network);
    let error = ContextError::TimeInFuture(at(limit + 1));
    assert_refused(&mut chain, &of_time(limit + 1), error, "C5");
    chain.grow(&[of_time(limit)]);
}

/// Nothing is remembered of it, so it and what follows it are accepted when the time has come.
#[test]
fn behaviour_19_a_block_from_the_future_is_accepted_later() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    let limit = now().millis() + 120_000;
    let late = branch.mine_with(at(limit + 1), network.rules().floor(), Vec::new());
    let child = branch.mine_after(1, Vec::new());
    let error = chain.refused(&late);
    assert_eq!((error, error.is_permanent()), (ContextError::TimeInFuture(at(limit + 1)), false));
    assert_eq!(chain.refused(&child), ContextError::UnknownParent);
    let headers = chain.ledger().add_headers(&branch.headers(), now()).expect("a disk");
    assert_eq!((headers.new, headers.refused), (0, Some((0, error))));
    chain.restart();

    let added = chain.ledger().add_blocks(&[late, child], at(now().millis() + 2));
    assert_eq!(added.expect("a disk").refused, []);
    assert_eq!(chain.tip(), branch.tip());
}

#[test]
fn rule_c6_a_block_has_the_fewest_transactions_unless_it_is_first_or_late() {
    let network = network(|rules| {
        rules.min_block_transactions = 3;
        rules.min_block_wait_seconds = 600;
    });
    let (mut chain, branch) = chain_of(&network, 1);
    let payments: Vec<_> = (0..2).map(|n| pay(&network, 1, n, "1", 2)).collect();
    let few = |millis, count: usize| branch.clone().mine_after(millis, payments[..count].to_vec());
    for given in [1, 2] {
        let error = ContextError::TooFewTransactions { given, fewest: 3 };
        assert_refused(&mut chain, &few(599_999, given - 1), error, "C6");
    }
    chain.grow(&[few(1000, 2)]);
    let mut other = Chain::new(&network);
    other.grow(&[branch.block(1).clone(), few(600_000, 0)]);
}

/// A block before its parent has waited for nothing, which is enough only if nothing is asked.
#[test]
fn rule_c6_a_block_before_its_parent_has_not_waited() {
    for (wait, fits) in [(0, true), (1, false)] {
        let network = network(|rules| {
            rules.min_block_transactions = 2;
            rules.min_block_wait_seconds = wait;
        });
        let floor = network.rules().floor();
        let mut chain = Chain::new(&network);
        let mut branch = Branch::new(&network, 1);
        let payments =
            [vec![], vec![pay(&network, 1, 0, "1", 2)], vec![pay(&network, 1, 1, "1", 2)]];
        for (millis, payments) in [4_000, 5_000, 90_000].into_iter().zip(payments) {
            chain.grow(&[branch.mine_with(at(millis), floor, payments)]);
        }
        let before_its_parent = branch.mine_with(at(5_001), floor, Vec::new());
        if fits {
            chain.grow(&[before_its_parent]);
        } else {
            let error = ContextError::TooFewTransactions { given: 1, fewest: 2 };
            assert_refused(&mut chain, &before_its_parent, error, "C6");
        }
    }
}

#[test]
fn rule_c7_a_payment_carries_its_senders_sequence() {
    let network = network(|_| {});
    let (mut chain, mut branch) = chain_of(&network, 3);
    let numbered = |number| vec![pay(&network, 1, number, "1", 2)];
    for number in [1, 2, u32::MAX] {
        let block = branch.clone().mine(numbered(number));
        let (given, expected) = (Sequence::from(number), Sequence::FIRST);
        let error = ContextError::Sequence { index: 0, given, expected };
        assert_refused(&mut chain, &block, error, "C7");
    }
    chain.grow(&[branch.mine(numbered(0))]);
    let (given, expected) = (Sequence::FIRST, Sequence::from(1));
    let error = ContextError::Sequence { index: 0, given, expected };
    assert_refused(&mut chain, &branch.clone().mine(numbered(0)), error, "C7");
    chain.grow(&[branch.mine(numbered(1))]);
}

#[test]
fn rule_c8_a_sender_has_what_a_payment_costs() {
    let (mut chain, branch) = chain_of(&network(|_| {}), 3);
    let paid = |amount: &str, fee: &str| {
        let payment = pay_with_fee(branch.network(), 1, 0, amount, fee, account(2));
        branch.clone().mine(vec![payment])
    };
    let all_that_exists = "9223372036854.775807";
    for (amount, fee, cost) in [
        ("30.000001", "0", "30.000001"),
        ("30", "0.000001", "30.000001"),
        (all_that_exists, "0", all_that_exists),
    ] {
        let (index, cost, balance) = (0, coins(cost), coins("30"));
        let error = ContextError::InsufficientFunds { index, cost, balance };
        assert_refused(&mut chain, &paid(amount, fee), error, "C8");
    }
    chain.grow(&[paid("29", "1")]);
    assert_eq!((chain.balance(2), chain.balance(1)), ("29.000000".into(), "11.000000".into()));
}
