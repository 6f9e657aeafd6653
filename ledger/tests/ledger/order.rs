//! Blocks in any order and any grouping end in the same state.

use cairn_ledger::{ContextError, Ledger};
use cairn_protocol::{Network, VerifiedBlock};
use proptest::prelude::*;

use crate::chain::Chain;
use crate::kit::{Branch, account, network, now, pay};

/// Four branches, of which the one with the most work is invalid near its end, so that the best is
/// the third: nine blocks, one more than the valid part of the second.
fn tree(network: &Network) -> Vec<Branch> {
    let mut trunk = Branch::new(network, 1);
    trunk.mine_empty(3);
    trunk.mine(vec![pay(network, 1, 0, "6", 2)]);
    let mut first = trunk.fork(4, 11);
    first.mine(vec![pay(network, 1, 1, "6", 3), pay(network, 2, 0, "5", 3)]);
    first.mine_empty(2);
    let mut second = trunk.fork(4, 12);
    second.mine_empty(4);
    second.mine(vec![pay(network, 13, 0, "1", 1)]);
    second.mine_empty(2);
    let mut third = trunk.fork(4, 13);
    third.mine(vec![pay(network, 2, 0, "6", 1)]);
    third.mine_empty(3);
    third.mine(vec![pay(network, 13, 0, "10", 2)]);
    let mut fourth = first.fork(5, 14);
    fourth.mine_empty(2);
    vec![first, second, third, fourth]
}

fn blocks(tree: &[Branch]) -> Vec<VerifiedBlock> {
    let mut blocks: Vec<_> = tree.iter().flat_map(|branch| branch.blocks().to_vec()).collect();
    blocks.sort_by_key(VerifiedBlock::block_ref);
    blocks.dedup();
    blocks
}

/// What the accounts hold in the end, and where the tip is.
fn outcome(ledger: &Ledger) -> impl PartialEq + std::fmt::Debug + use<> {
    let keys = [1, 2, 3, 11, 12, 13, 14].map(account);
    let reader = ledger.reader().expect("a reader");
    assert!(reader.supply().expect("memory").is_right());
    (reader.accounts(&keys).expect("memory"), ledger.best_header())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_blocks_does_not_matter(
        order in Just((0..21_usize).collect::<Vec<_>>()).prop_shuffle(),
        group in 1..8_usize,
        maturity in 0..3_u32,
    ) {
        let network = network(|rules| rules.reward_maturity = maturity);
        let tree = tree(&network);
        let blocks = blocks(&tree);
        prop_assert_eq!(blocks.len(), order.len());

        let mut in_order = Ledger::in_memory(&network).expect("memory");
        for block in &blocks {
            in_order.add_blocks(std::slice::from_ref(block), now()).expect("memory");
        }

        let mut shuffled = Ledger::in_memory(&network).expect("memory");
        for branch in &tree {
            shuffled.add_headers(&branch.headers(), now()).expect("memory");
        }
        for indices in order.chunks(group) {
            let group: Vec<_> = indices.iter().map(|index| blocks[*index].clone()).collect();
            shuffled.add_blocks(&group, now()).expect("memory");
        }
        prop_assert_eq!(shuffled.tip().block, tree[2].tip());
        prop_assert_eq!(outcome(&shuffled), outcome(&in_order));
    }
}

/// Within one call, blocks of two branches may take turns; each is judged by its own ancestors.
#[test]
fn branches_that_take_turns_are_each_judged_by_their_own_ancestors() {
    let network = network(|rules| rules.block_interval_seconds = 10);
    let mut quick = Branch::new(&network, 1);
    quick.mine_empty(2);
    let mut slow = quick.fork(2, 2);
    for _ in 0..4 {
        quick.mine_after(1_000, Vec::new());
        slow.mine_after(8_000, Vec::new());
    }
    let pairs = quick.blocks()[2..].iter().zip(&slow.blocks()[2..]);
    let turns: Vec<_> = pairs.flat_map(|(quick, slow)| [quick.clone(), slow.clone()]).collect();
    let mut chain = Chain::new(&network);
    chain.grow(&quick.blocks()[..2]);
    assert_eq!(chain.add(&turns).refused, []);
    assert_eq!(chain.tip(), quick.tip());
}

/// Within one call, a parent may come after its child, headers and all.
#[test]
fn one_call_takes_blocks_in_any_order() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    branch.mine_empty(9);
    let mut blocks = branch.blocks().to_vec();
    blocks.reverse();
    let added = chain.add(&blocks);
    assert_eq!(added.refused, []);
    assert_eq!(added.change.expect("more work").connected, branch.refs());
}

/// Blocks whose headers are known are kept until the one that is missing comes.
#[test]
fn behaviour_07_blocks_wait_for_the_one_that_is_missing() {
    let network = network(|rules| rules.reward_maturity = 1);
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    branch.mine_empty(2);
    branch.mine(vec![pay(&network, 1, 0, "4", 2)]);
    branch.mine(vec![pay(&network, 2, 0, "3", 3)]);
    chain.add_headers(&branch);
    chain.grow(&[branch.block(4).clone()]);
    chain.grow(&[branch.block(3).clone()]);
    chain.grow(&[branch.block(1).clone()]);
    assert_eq!(chain.tip(), branch.refs()[0]);
    assert_eq!(chain.ledger().missing_blocks(9).expect("a disk"), [branch.refs()[1]]);
    chain.restart();
    let added = chain.add(&[branch.block(2).clone()]);
    assert_eq!(added.change.expect("more work").connected, branch.refs()[1..]);
    assert_eq!(chain.balance(3), "3.000000");
}

/// What is known already changes nothing.
#[test]
fn adding_again_changes_nothing() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    branch.mine_empty(4);
    assert_eq!(chain.add_headers(&branch).new, 4);
    chain.add(branch.blocks());
    let before = chain.snapshot();
    let added = chain.add_headers(&branch);
    assert_eq!((added.new, added.refused), (0, None));
    for _ in 0..2 {
        let twice = [branch.blocks(), branch.blocks()].concat();
        let added = chain.add(&twice);
        assert_eq!((added.change, added.refused), (None, Vec::new()));
        assert_eq!(chain.snapshot(), before);
    }
}

/// Headers are kept up to the first that is refused.
#[test]
fn headers_before_a_refused_one_are_kept() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    branch.mine_empty(4);
    let mut headers = branch.headers();
    headers.remove(2);
    let added = chain.ledger().add_headers(&headers, now()).expect("a disk");
    assert_eq!((added.new, added.refused), (2, Some((2, ContextError::UnknownParent))));
    assert_eq!(chain.ledger().best_header().block, branch.refs()[1]);
    assert!(chain.ledger().has_header(branch.refs()[1]).expect("a disk"));
    assert!(!chain.ledger().has_header(branch.refs()[3]).expect("a disk"));
}
