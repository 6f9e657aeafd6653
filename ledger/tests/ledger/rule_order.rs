//! Which of two broken rules of a chain is told: the one that docs/PROTOCOL.md puts first.

use cairn_protocol::{Target, Timestamp, VerifiedBlock, VerifiedTransaction};

use crate::chain::Chain;
use crate::kit::{Branch, at, network, now, pay};

/// A chain of one block, with which the next may not be early (C4), late (C5) or small (C6).
fn chain() -> (Chain, Branch) {
    let network = network(|rules| {
        rules.min_block_transactions = 3;
        rules.min_block_wait_seconds = u32::MAX;
    });
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    chain.grow(&[branch.mine_after(1_000_000, Vec::new())]);
    (chain, branch)
}

/// By which rule the block is refused.
fn rule(chain: &mut Chain, block: &VerifiedBlock, now: Timestamp) -> &'static str {
    let added = chain.ledger().add_blocks(std::slice::from_ref(block), now).expect("a disk");
    added.refused.first().expect("refused").1.rule()
}

/// Not after the median.
fn early() -> Timestamp {
    at(1_000_000)
}

/// Ahead of the clock, and less than the wait of C6 behind the parent.
fn late() -> Timestamp {
    at(now().millis() + 120_001)
}

/// A child of the branch's last block, which has too few transactions at any of these times.
fn child(branch: &Branch, time: Timestamp, target: Target) -> VerifiedBlock {
    branch.clone().mine_with(time, target, Vec::new())
}

#[test]
fn the_first_broken_rule_of_a_header_is_told() {
    let (mut chain, branch) = chain();
    let (right, wrong) = (branch.network().rules().floor(), Target::with_leading_zeros(1));
    let mut unknown = branch.clone();
    unknown.mine(Vec::new());
    let mut invalid = branch.fork(1, 2);
    let bad = invalid.mine(Vec::new());
    assert_eq!(rule(&mut chain, &bad, now()), "C6");

    for (name, parent) in [("C1", &unknown), ("C2", &invalid)] {
        for (time, target) in [(early(), right), (late(), right), (at(2_000_000), wrong)] {
            let block = child(parent, time, target);
            assert_eq!(rule(&mut chain, &block, now()), name, "{time} {target}");
        }
    }
    assert_eq!(rule(&mut chain, &child(&branch, early(), wrong), now()), "C3", "and C4");
    assert_eq!(rule(&mut chain, &child(&branch, late(), wrong), now()), "C3", "and C5");
    // To a clock that shows 0, what is early is from the future, too.
    assert_eq!(rule(&mut chain, &child(&branch, early(), right), at(0)), "C4", "and C5");
    assert_eq!(rule(&mut chain, &child(&branch, late(), right), now()), "C5", "and C6");
}

#[test]
fn the_first_broken_rule_of_a_body_is_told() {
    let pays = |payments: &[(u8, u32, &str)]| -> Vec<VerifiedTransaction> {
        let (_, branch) = chain();
        let pay = |(from, sequence, amount): &(u8, u32, &str)| {
            pay(branch.network(), *from, *sequence, amount, 2)
        };
        payments.iter().map(pay).collect()
    };
    for (payments, name) in [
        (pays(&[(1, 1, "11")]), "C6"),
        (pays(&[(1, 1, "11"), (1, 1, "1")]), "C7"),
        (pays(&[(1, 0, "11"), (1, 5, "1")]), "C8"),
        (pays(&[(1, 0, "1"), (1, 2, "10")]), "C7"),
    ] {
        let (mut chain, mut branch) = chain();
        assert_eq!(rule(&mut chain, &branch.mine(payments), now()), name);
    }
}
