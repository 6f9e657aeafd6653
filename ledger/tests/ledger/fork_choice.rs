//! Which branch the ledger follows: the one with the most work, on a tie the first.

use cairn_ledger::ContextError;
use cairn_protocol::{AccountId, Target};

use crate::chain::Chain;
use crate::kit::{Branch, account, at, network, now, pay};

#[test]
fn behaviour_01_on_a_tie_the_first_branch_stays_across_restarts_too() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let (mut ours, mut theirs) = (Branch::new(&network, 1), Branch::new(&network, 2));
    chain.grow(&ours.mine_empty(3));
    chain.restart();
    chain.grow(&theirs.mine_empty(3));
    assert_eq!(chain.tip(), ours.tip());
    chain.restart();
    assert_eq!(chain.tip(), ours.tip());
    chain.grow(&theirs.mine_empty(1));
    assert_eq!(chain.tip(), theirs.tip());
    chain.restart();
    chain.grow(&ours.mine_empty(1));
    assert_eq!(chain.tip(), theirs.tip(), "now they were first");
}

/// Four branches: the tip is on the one with the most work of those whose bodies are all here,
/// whatever their headers show.
#[test]
fn rule_f1_the_tip_has_the_most_work_of_all_complete_branches() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut trunk = Branch::new(&network, 1);
    chain.grow(&trunk.mine_empty(2));
    let [mut short, mut long, mut gap, mut headers] =
        [3, 4, 5, 6].map(|miner| trunk.fork(2, miner));
    chain.grow(&short.mine_empty(2));
    long.mine_empty(3);
    gap.mine_empty(4);
    headers.mine_empty(5);
    chain.add_headers(&headers);
    chain.add_headers(&gap);
    chain.grow(&[gap.block(3).clone(), gap.block(5).clone(), gap.block(6).clone()]);
    assert_eq!(chain.tip(), short.tip(), "4 blocks, where others have gaps");
    chain.grow(&long.blocks()[2..]);
    assert_eq!(chain.tip(), long.tip());
    chain.grow(&[gap.block(4).clone()]);
    assert_eq!(chain.tip(), gap.tip());
    assert_eq!(chain.ledger().best_header().block, headers.tip());
}

/// Headers alone move nothing, and bodies count by when their branch was complete.
#[test]
fn rule_f2_the_first_complete_branch_is_not_the_one_whose_headers_came_first() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let (mut ours, mut theirs) = (Branch::new(&network, 1), Branch::new(&network, 2));
    ours.mine_empty(2);
    theirs.mine_empty(2);
    chain.add_headers(&theirs);
    chain.add_headers(&ours);
    assert_eq!(chain.ledger().best_header().block, theirs.tip());
    assert_eq!(chain.tip(), network.genesis_ref());
    chain.grow(&[theirs.block(2).clone(), ours.block(1).clone()]);
    chain.grow(&[ours.block(2).clone(), theirs.block(1).clone()]);
    assert_eq!(chain.tip(), ours.tip());
}

/// Which of two equal branches was complete first decides also when a better one falls away, and
/// after a restart.
#[test]
fn rule_f2_the_order_is_remembered() {
    for swapped in [false, true] {
        let network = network(|_| {});
        let mut chain = Chain::new(&network);
        let mut better = Branch::new(&network, 1);
        let [mut one, mut other] = [2, 3].map(|miner| Branch::new(&network, miner));
        chain.grow(&better.mine_empty(3));
        one.mine_empty(2);
        other.mine_empty(2);
        let (first, second) = if swapped { (&other, &one) } else { (&one, &other) };
        chain.add_headers(second);
        chain.grow(first.blocks());
        chain.grow(second.blocks());
        chain.restart();
        chain.ledger().mark_invalid(better.refs()[0]).expect("a disk");
        assert_eq!(chain.tip(), first.tip());
        chain.restart();
        assert_eq!(chain.tip(), first.tip());
    }
}

/// Headers behind one that is out of its place are worth nothing, however many they are.
#[test]
fn rule_f4_a_header_counts_only_in_its_place() {
    let network = network(|_| {});
    let floor = network.rules().floor();
    let wrong = Target::with_leading_zeros(2);
    let late = at(now().millis() + 120_001);
    for (time, target, rule) in [(at(9), wrong, "C3"), (at(0), floor, "C4"), (late, floor, "C5")] {
        let mut chain = Chain::new(&network);
        let mut ours = Branch::new(&network, 1);
        chain.grow(&ours.mine_empty(2));
        let before = chain.ledger().best_header();
        let mut theirs = Branch::new(&network, 2);
        theirs.mine_with(time, target, Vec::new());
        theirs.mine_empty(8);
        let (index, error) = chain.add_headers(&theirs).refused.expect("refused");
        assert_eq!((index, error.rule()), (0, rule));
        let above = chain.ledger().add_headers(&theirs.headers()[1..], now()).expect("a disk");
        assert_eq!((above.new, above.refused), (0, Some((0, ContextError::UnknownParent))));
        assert_eq!(chain.ledger().best_header(), before);
        assert!(theirs.refs().iter().all(|one| !chain.ledger().has_header(*one).expect("a disk")));
    }
}

/// A trunk of two blocks, five easy blocks on it, and three hard ones, which are more work.
fn easy_and_hard() -> [Branch; 2] {
    let network = network(|rules| {
        rules.difficulty = 4;
        rules.block_interval_seconds = 10;
        rules.half_life_seconds = 10;
    });
    let mine = |branch: &mut Branch, millis, count| {
        for _ in 0..count {
            branch.mine_after(millis, Vec::new());
        }
    };
    let mut easy = Branch::new(&network, 1);
    mine(&mut easy, 10_000, 2);
    let mut hard = easy.fork(2, 2);
    mine(&mut easy, 10_000, 5);
    mine(&mut hard, 1, 3);
    [easy, hard]
}

#[test]
fn behaviour_04_three_hard_blocks_beat_five_easy_ones() {
    let [easy, hard] = easy_and_hard();
    for [first, second] in [[&easy, &hard], [&hard, &easy]] {
        let mut chain = Chain::new(easy.network());
        chain.grow(first.blocks());
        chain.grow(&second.blocks()[2..]);
        assert_eq!(chain.tip(), hard.tip());
        assert_eq!(chain.ledger().best_header().block, hard.tip());
    }
}

/// Both come at once, and neither of them block by block.
#[test]
fn behaviour_04_of_several_new_branches_the_one_with_the_most_work_is_taken() {
    let [easy, hard] = easy_and_hard();
    let mut chain = Chain::new(easy.network());
    let change = chain.add(&[easy.blocks(), &hard.blocks()[2..]].concat()).change;
    assert_eq!(change.expect("more work").connected, hard.refs());
}

/// The accounts of both branches are named, so that a mempool knows what to look at again.
#[test]
fn a_change_names_every_account_that_it_touched() {
    let network = network(|rules| rules.reward_maturity = 1);
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(3));
    let mut theirs = ours.fork(3, 2);
    chain.grow(&[ours.mine(vec![pay(&network, 1, 0, "1", 3)])]);
    theirs.mine(vec![pay(&network, 1, 0, "1", 4)]);
    theirs.mine_empty(1);
    let change = chain.add(&theirs.blocks()[3..]).change.expect("more work");
    let mut expected: Vec<AccountId> = [1, 2, 3, 4].map(account).into();
    expected.sort();
    assert_eq!(change.touched.into_iter().collect::<Vec<_>>(), expected);
}
