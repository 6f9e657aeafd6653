//! Branches with an invalid block: never followed, never half followed, never asked for again.

use cairn_ledger::ContextError;
use cairn_protocol::block::content_root_of;
use cairn_protocol::{Network, VerifiedTransaction};

use crate::chain::Chain;
use crate::kit::{Branch, coins, network, now, pay};

/// A branch that forks off at height 1 and whose third block of six spends what nobody has.
fn branch_with_an_invalid_block(ours: &Branch, spender: u8) -> Branch {
    let mut theirs = ours.fork(1, 2);
    theirs.mine_empty(2);
    theirs.mine(vec![pay(&network(|_| {}), spender, 0, "1", 1)]);
    theirs.mine_empty(3);
    theirs
}

#[test]
fn behaviour_05_a_better_branch_with_an_invalid_block_is_refused_at_that_block() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(4));
    let mut theirs = branch_with_an_invalid_block(&ours, 9);
    let before = chain.snapshot();
    let added = chain.add(&theirs.blocks()[1..]);
    assert_eq!(added.change, None);
    let (first, after) = added.refused.split_first().expect("refused");
    let bad = theirs.refs()[3];
    assert_eq!((first.0, first.1.rule()), (bad, "C8"));
    let descendants = theirs.refs().split_off(4);
    let descendants = descendants.into_iter().map(|one| (one, ContextError::KnownInvalid(bad)));
    assert_eq!(after, descendants.collect::<Vec<_>>());

    // However long it becomes.
    let child = chain.refused(&theirs.mine(Vec::new()));
    assert_eq!(child, ContextError::KnownInvalid(theirs.refs()[6]));
    theirs.mine_empty(20);
    assert_eq!(chain.add(&theirs.blocks()[1..]).change, None);
    assert_eq!(chain.snapshot(), before);
}

/// The branch comes block by block, the invalid one before ours has less work.
#[test]
fn behaviour_05_a_branch_is_refused_when_it_would_be_followed() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(4));
    let mut theirs = branch_with_an_invalid_block(&ours, 9);
    let before = chain.snapshot();
    chain.grow(&theirs.blocks()[1..4]);
    assert_eq!(chain.snapshot(), before, "not more work than ours");
    let added = chain.add(&theirs.blocks()[4..5]);
    let bad = theirs.refs()[3];
    let (first, second) = (added.refused[0], added.refused[1]);
    assert_eq!((first.0, first.1.rule()), (bad, "C8"));
    assert_eq!(second, (theirs.refs()[4], ContextError::KnownInvalid(bad)));
    let error = chain.refused(theirs.block(6));
    assert_eq!(error, ContextError::KnownInvalid(theirs.refs()[4]));
    theirs.mine_empty(3);
    assert_eq!(chain.add(&theirs.blocks()[5..]).change, None);
    assert_eq!(chain.snapshot(), before);
}

/// Whichever block of the branch is invalid, and in which way: the old tip is as it was, and goes
/// on with payments of its own.
#[test]
fn behaviour_06_a_failed_move_leaves_the_old_tip_fully_usable() {
    let network = network(|rules| rules.reward_maturity = 1);
    let invalid: [fn(&Network) -> Vec<VerifiedTransaction>; 3] = [
        |network| vec![pay(network, 9, 0, "1", 1)],
        |network| vec![pay(network, 1, 7, "1", 2)],
        |network| vec![pay(network, 1, 1, "1", 2), pay(network, 1, 2, "99", 2)],
    ];
    for (way, invalid) in invalid.iter().enumerate() {
        for position in 0..4 {
            let mut chain = Chain::new(&network);
            let mut ours = Branch::new(&network, 1);
            ours.mine_empty(3);
            let mut theirs = ours.fork(3, 2);
            ours.mine(vec![pay(&network, 1, 0, "3", 3)]);
            ours.mine(vec![pay(&network, 1, 1, "4", 3), pay(&network, 3, 0, "1", 1)]);
            ours.mine_empty(2);
            chain.grow(ours.blocks());
            let before = chain.snapshot();
            theirs.mine(vec![pay(&network, 1, 0, "5", 4)]);
            theirs.mine_empty(position);
            let bad = theirs.mine(invalid(&network)).block_ref();
            theirs.mine_empty(5);
            let added = chain.add(&theirs.blocks()[3..]);
            assert_eq!((added.change, added.refused[0].0), (None, bad), "{way} at {position}");
            assert_eq!(chain.snapshot(), before);
            chain.grow(&[ours.mine(vec![pay(&network, 1, 2, "2", 3)])]);
            chain.restart();
            chain.grow(&[ours.mine(vec![pay(&network, 3, 1, "8", 5)])]);
            assert_eq!((chain.tip(), chain.balance(5)), (ours.tip(), "8.000000".to_owned()));
        }
    }
}

/// Known headers above an invalid block are left out of the best header, and their bodies are
/// not asked for.
#[test]
fn behaviour_08_what_descends_from_an_invalid_block_is_not_asked_for() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(4));
    let mut theirs = branch_with_an_invalid_block(&ours, 9);
    chain.add_headers(&theirs);
    assert_eq!(chain.ledger().best_header().block, theirs.tip());
    assert_eq!(chain.ledger().missing_blocks(9).expect("a disk"), theirs.refs()[1..]);

    // Up to block 4, the branch has no more work than ours, so it is not looked at.
    chain.grow(&theirs.blocks()[1..4]);
    assert_eq!(chain.ledger().best_header().block, theirs.tip());
    let added = chain.add(&theirs.blocks()[4..5]);
    assert!(added.refused.iter().any(|(block, _)| *block == theirs.refs()[3]), "{added:?}");
    assert_eq!(chain.ledger().best_header(), chain.ledger().tip());
    assert_eq!(chain.ledger().missing_blocks(9).expect("a disk"), []);
    assert_eq!(chain.tip(), ours.tip());

    theirs.mine_empty(1);
    let headers = theirs.headers();
    let added = chain.ledger().add_headers(&headers[7..], now()).expect("a disk");
    assert_eq!(added.refused, Some((0, ContextError::KnownInvalid(theirs.refs()[6]))));
    chain.restart();
    let known = ContextError::KnownInvalid(theirs.refs()[5]);
    assert_eq!(chain.refused(theirs.block(6)), known);
}

/// What came and what comes of an invalid branch is kept from others: its bodies are deleted, and
/// its headers never follow a locator.
#[test]
fn rule_f5_invalid_blocks_are_neither_asked_for_nor_passed_on() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(4));
    let theirs = branch_with_an_invalid_block(&ours, 9);
    chain.add(&theirs.blocks()[1..]);
    chain.restart();
    let reader = chain.reader();
    let bodies = theirs.refs().into_iter().map(|block| reader.block_bytes(block));
    let kept: Vec<_> = bodies.map(|body| body.expect("a chain").is_some()).collect();
    assert_eq!(kept, [true, true, true, false, false, false, false]);
    assert_eq!(chain.stored_bodies(), 4 + 2, "no disk is filled in vain");
    let locator: Vec<_> = theirs.refs().into_iter().rev().collect();
    let headers = reader.headers_after(&locator, 99).expect("a chain");
    let active: Vec<_> = ours.headers()[1..].iter().map(|header| *header.sealed()).collect();
    assert_eq!(headers, active, "after the last block in common");
    let locator = chain.ledger().locator().expect("a disk");
    assert!(locator.iter().all(|block| !theirs.refs()[1..].contains(block)));
    for end in &theirs.refs()[3..] {
        assert_eq!(chain.ledger().missing_blocks_to(*end, 9).expect("a disk"), []);
    }
    assert_eq!(chain.ledger().missing_blocks(9).expect("a disk"), []);
}

/// The valid part below an invalid block is adopted if it alone has more work.
#[test]
fn rule_f3_the_valid_part_of_a_better_branch_is_adopted() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(2));
    let theirs = branch_with_an_invalid_block(&ours, 9);
    let change = chain.add(&theirs.blocks()[1..]).change.expect("more work");
    assert_eq!(change.connected, theirs.refs()[1..3]);
    assert_eq!(chain.tip(), theirs.refs()[2]);
    assert_eq!(chain.ledger().best_header(), chain.ledger().tip());
}

/// After an invalid block the next best branch is tried, which need not be the valid part below.
#[test]
fn rule_f3_the_next_best_branch_is_tried() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(2));
    let best = branch_with_an_invalid_block(&ours, 9);
    let mut second = ours.fork(1, 3);
    second.mine_empty(3);
    second.mine(vec![pay(&network, 8, 0, "1", 1)]);
    let mut third = ours.fork(2, 4);
    third.mine_empty(3);
    let added =
        chain.add(&[&best.blocks()[1..], &second.blocks()[1..], &third.blocks()[2..]].concat());
    let invalid: Vec<_> = added.refused.iter().filter(|(_, error)| error.rule() == "C8").collect();
    assert_eq!(
        invalid.iter().map(|(block, _)| *block).collect::<Vec<_>>(),
        [best.refs()[3], second.tip()]
    );
    assert_eq!(chain.tip(), third.tip());
    assert_eq!(chain.ledger().best_header(), chain.ledger().tip());
}

/// A block on a side branch pays its miner too much: its content is refused before it gets here
/// (B5), its known header is marked, and the branch falls back to what is valid of it.
#[test]
fn behaviour_12_a_reward_that_is_too_large_is_refused_on_a_fork_too() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(4));
    let mut theirs = ours.fork(1, 2);
    theirs.mine_empty(3);
    let mut greedy = theirs.clone().mine(Vec::new()).to_block();
    greedy.reward.amount = coins("10.000001");
    greedy.sealed.header.content = content_root_of(&greedy.reward, &[]);
    let header = greedy.sealed.prove(&network).expect("any hash will do");
    chain.add_headers(&theirs);
    chain.ledger().add_headers(&[header], now()).expect("a disk");
    assert_eq!(chain.ledger().best_header().block, header.block_ref());

    let error = greedy.verify(&network).expect_err("one too many");
    assert_eq!((error.rule(), error.condemns_header()), ("B5", true));
    chain.ledger().mark_invalid(header.block_ref()).expect("a disk");
    chain.grow(&theirs.blocks()[1..]);
    assert_eq!(chain.tip(), ours.tip());
    let above = ContextError::KnownInvalid(header.block_ref());
    let known = chain.ledger().add_headers(&[header], now()).expect("a disk");
    assert_eq!(known.refused, Some((0, above)));
    chain.grow(&theirs.mine_empty(1));
    assert_eq!(chain.tip(), theirs.tip(), "an honest block in its place");
}

/// A block that is found to be invalid later takes its descendants with it: the tip moves to the
/// best branch that is left, the first complete one on a tie.
#[test]
fn marking_an_active_block_falls_back_to_the_best_branch_left() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(6));
    let (mut second, mut third) = (ours.fork(2, 2), ours.fork(3, 3));
    chain.grow(&third.mine_empty(2));
    chain.grow(&second.mine_empty(3));
    let bad = ours.refs()[3];
    chain.ledger().mark_invalid(bad).expect("a disk");
    chain.check();
    assert_eq!(chain.tip(), third.tip());
    assert_eq!(chain.ledger().best_header(), chain.ledger().tip());
    let known = ContextError::KnownInvalid(ours.tip());
    assert_eq!(chain.refused(ours.block(6)), known);
    chain.restart();
    assert_eq!(chain.tip(), third.tip());
}

/// Marking what is unknown, genesis, or marked already changes nothing.
#[test]
fn marking_nothing_changes_nothing() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(2));
    let unknown = ours.fork(2, 2).mine(Vec::new()).block_ref();
    let before = chain.snapshot();
    for block in [unknown, network.genesis_ref()] {
        chain.ledger().mark_invalid(block).expect("a disk");
        assert_eq!(chain.snapshot(), before);
    }
    let bad = ours.mine(Vec::new());
    chain.ledger().add_headers(&[*bad.header()], now()).expect("a disk");
    for _ in 0..2 {
        chain.ledger().mark_invalid(bad.block_ref()).expect("a disk");
        assert_eq!(chain.snapshot(), before);
        assert_eq!(chain.ledger().best_header(), chain.ledger().tip());
    }
}
