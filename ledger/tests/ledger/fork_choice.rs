//! Which branch the ledger follows, and that it moves there whole or not at all.

use cairn_ledger::ContextError;
use cairn_protocol::{AccountId, VerifiedBlock};

use crate::chain::Chain;
use crate::kit::{Branch, account, network, pay, refs};

/// [1] A branch with equal work does not displace the first one.
#[test]
fn on_a_tie_the_first_branch_stays_across_restarts_too() {
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

/// Headers alone move nothing, and bodies count by when their branch was complete.
#[test]
fn the_first_complete_branch_is_not_the_one_whose_headers_came_first() {
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

/// [2, 3] A branch with more work displaces ours, and ours comes back when it has more again. The
/// state is checked against a replay after each step.
#[test]
fn the_tip_moves_to_more_work_and_back() {
    for maturity in [0, 3] {
        let network = network(|rules| rules.reward_maturity = maturity);
        let mut chain = Chain::new(&network);
        let mut ours = Branch::new(&network, 1);
        chain.grow(&ours.mine_empty(5));
        let mut theirs = ours.fork(5, 2);
        chain.grow(&[ours.mine(vec![pay(&network, 1, 0, "7", 3)])]);
        chain.grow(&[ours.mine(vec![pay(&network, 1, 1, "2", 4), pay(&network, 3, 0, "5", 3)])]);
        let before = chain.snapshot();

        theirs.mine(vec![pay(&network, 1, 0, "1", 5)]);
        theirs.mine(vec![pay(&network, 5, 0, "1", 1)]);
        theirs.mine_empty(1);
        let change = chain.add(&theirs.blocks()[5..]).change.expect("more work");
        assert_eq!(change.disconnected, [ours.refs()[6], ours.refs()[5]]);
        assert_eq!(change.connected, theirs.refs()[5..]);
        assert_eq!((change.new.block, chain.tip()), (theirs.tip(), theirs.tip()));

        let more = ours.mine_empty(2);
        chain.grow(&more);
        assert_eq!(chain.tip(), ours.tip());
        let after = chain.snapshot();
        assert_eq!(after.active[..7], before.active);
        assert_eq!(after.active[7..], refs(&more));
    }
}

/// [3] A branch that is left and taken up again leaves the accounts bit-identical.
#[test]
fn going_and_coming_back_changes_nothing() {
    for maturity in [0, 1, 3] {
        let network = network(|rules| rules.reward_maturity = maturity);
        let mut chain = Chain::new(&network);
        let mut ours = Branch::new(&network, 1);
        chain.grow(&ours.mine_empty(6));
        let fork = ours.fork(4, 2);
        chain.grow(&[ours.mine(vec![pay(&network, 1, 0, "3", 1), pay(&network, 1, 1, "9.5", 7)])]);
        let before = chain.snapshot();

        let mut theirs = fork;
        chain.add(&theirs.mine_empty(5));
        assert_eq!(chain.tip(), theirs.tip());
        // What the ledger does when the branch that it is on turns out to be bad.
        let first = theirs.refs()[4];
        chain.ledger().mark_invalid(first).expect("a disk");
        assert_eq!(chain.snapshot(), before);
        chain.check();
    }
}

/// [4] Three hard blocks beat five easy ones.
#[test]
fn work_decides_and_not_length() {
    let network = network(|rules| {
        rules.difficulty = 4;
        rules.block_interval_seconds = 10;
        rules.half_life_seconds = 10;
    });
    let mut chain = Chain::new(&network);
    let mut easy = Branch::new(&network, 1);
    for _ in 0..2 {
        chain.grow(&[easy.mine_after(10_000, Vec::new())]);
    }
    let mut hard = easy.fork(2, 2);
    let mine = |branch: &mut Branch, millis, count| -> Vec<VerifiedBlock> {
        (0..count).map(|_| branch.mine_after(millis, Vec::new())).collect()
    };
    chain.grow(&mine(&mut easy, 10_000, 5));
    chain.grow(&mine(&mut hard, 1, 3));
    assert_eq!(chain.tip(), hard.tip());
    assert_eq!(chain.tip().height.get(), 5);
}

/// A branch that forks off at height 1 and whose third block of six spends what nobody has.
fn branch_with_an_invalid_block(ours: &Branch, spender: u8) -> Branch {
    let mut theirs = ours.fork(1, 2);
    theirs.mine_empty(2);
    theirs.mine(vec![pay(&network(|_| {}), spender, 0, "1", 1)]);
    theirs.mine_empty(3);
    theirs
}

/// [5, 6, 8] A longer branch is refused at its invalid block, and so is all that follows it.
#[test]
fn a_branch_with_an_invalid_block_is_not_followed() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(4));
    let mut theirs = branch_with_an_invalid_block(&ours, 9);
    let before = chain.snapshot();

    let added = chain.add(&theirs.blocks()[1..]);
    assert_eq!(added.change, None);
    let (first, after) = added.refused.split_first().expect("refused");
    assert_eq!(first.0, theirs.refs()[3]);
    assert!(matches!(first.1, ContextError::InsufficientFunds { index: 0, .. }), "{first:?}");
    let descendants = theirs.refs().split_off(4);
    let descendants = descendants.into_iter().map(|block| (block, ContextError::InvalidParent));
    assert_eq!(after, descendants.collect::<Vec<_>>());
    assert_eq!(chain.snapshot(), before);

    let bodies = theirs.refs().into_iter().map(|block| chain.reader().block_bytes(block));
    let kept: Vec<_> = bodies.map(|body| body.expect("a chain").is_some()).collect();
    assert_eq!(kept, [true, true, true, false, false, false, false], "no disk is filled in vain");
    assert_eq!(chain.refused(theirs.block(4)), ContextError::KnownInvalid);
    assert_eq!(chain.refused(theirs.block(6)), ContextError::KnownInvalid);
    assert_eq!(chain.refused(&theirs.mine(Vec::new())), ContextError::InvalidParent);
    chain.grow(&ours.mine_empty(1));
    assert_eq!(chain.tip(), ours.tip(), "the old tip is fully usable");
}

/// [8] Known headers above an invalid block are left out of the best header, and their bodies are
/// not asked for.
#[test]
fn what_descends_from_an_invalid_block_is_not_asked_for() {
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
    let now = crate::kit::now();
    let added = chain.ledger().add_headers(&headers[7..], now).expect("a disk");
    assert_eq!(added.refused, Some((0, ContextError::InvalidParent)));
    chain.restart();
    assert_eq!(chain.refused(theirs.block(6)), ContextError::KnownInvalid);
}

/// [6] The valid part below an invalid block is adopted if it alone has more work.
#[test]
fn the_valid_part_of_a_better_branch_is_adopted() {
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
fn the_next_best_branch_is_tried() {
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

/// [25] Coins that exist only on the branch that is left cannot be spent on the other.
#[test]
fn funds_of_an_abandoned_branch_do_not_exist() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(1));
    let mut theirs = ours.fork(1, 2);
    chain.grow(&[ours.mine(vec![pay(&network, 1, 0, "10", 3)])]);
    assert_eq!(chain.balance(3), "10.000000");
    theirs.mine_empty(1);
    chain.grow(&theirs.blocks()[1..]);
    let spends = theirs.mine(vec![pay(&network, 3, 0, "10", 4)]);
    let error = chain.refused(&spends);
    assert!(matches!(error, ContextError::InsufficientFunds { .. }), "{error}");
    assert_eq!(chain.balance(3), "10.000000");
}

/// A payment on both branches stands once; its sequence is free again on a branch without it.
#[test]
fn sequences_follow_the_branch() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(1));
    let mut theirs = ours.fork(1, 2);
    let payment = pay(&network, 1, 0, "4", 3);
    chain.grow(&[ours.mine(vec![payment.clone()])]);
    theirs.mine_empty(1);
    theirs.mine(vec![payment.clone()]);
    chain.grow(&theirs.blocks()[1..]);
    assert_eq!((chain.tip(), chain.balance(3)), (theirs.tip(), "4.000000".to_owned()));
    let again = theirs.mine(vec![payment]);
    assert!(matches!(chain.refused(&again), ContextError::Sequence { index: 0, .. }));
}

/// [9] A branch that leaves ours more than 2,000 blocks ago is followed if it has more work.
#[test]
fn a_deep_reorganisation_succeeds() {
    let network = network(|rules| rules.reward_maturity = 3);
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    ours.mine_empty(10);
    let mut theirs = ours.fork(10, 2);
    ours.mine_empty(2_000);
    theirs.mine(vec![pay(&network, 1, 0, "5", 3)]);
    theirs.mine_empty(2_000);
    chain.add(ours.blocks());
    assert_eq!(chain.tip(), ours.tip());
    let headers = theirs.headers();
    for headers in headers.chunks(1_000) {
        let added = chain.ledger().add_headers(headers, crate::kit::now()).expect("a disk");
        assert_eq!(added.refused, None);
    }
    assert_eq!(chain.ledger().best_header().block, theirs.tip());
    assert_eq!(chain.ledger().missing_blocks(3).expect("a disk"), theirs.refs()[10..13]);
    for blocks in theirs.blocks()[10..].chunks(667) {
        chain.add(blocks);
    }
    assert_eq!(chain.tip(), theirs.tip());
    assert_eq!(chain.balance(3), "5.000000");
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
    assert_eq!(chain.refused(ours.block(6)), ContextError::KnownInvalid);
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
    chain.ledger().add_headers(&[*bad.header()], crate::kit::now()).expect("a disk");
    for _ in 0..2 {
        chain.ledger().mark_invalid(bad.block_ref()).expect("a disk");
        assert_eq!(chain.snapshot(), before);
        assert_eq!(chain.ledger().best_header(), chain.ledger().tip());
    }
}
