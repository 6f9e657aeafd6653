//! Which branch the ledger follows, and that it moves there whole or not at all.

use cairn_ledger::ContextError;

use crate::chain::Chain;
use crate::kit::{Branch, network, pay, refs};

/// [1] A branch with equal work does not displace the first one.
#[test]
fn on_a_tie_the_first_branch_stays() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let (mut ours, mut theirs) = (Branch::new(&network, 1), Branch::new(&network, 2));
    chain.grow(&ours.mine_empty(3));
    chain.grow(&theirs.mine_empty(3));
    assert_eq!(chain.tip(), ours.tip());
    chain.restart();
    chain.grow(&[]);
    assert_eq!(chain.tip(), ours.tip());
    chain.grow(&theirs.mine_empty(1));
    assert_eq!(chain.tip(), theirs.tip());
    chain.restart();
    chain.grow(&ours.mine_empty(1));
    assert_eq!(chain.tip(), theirs.tip(), "now they were first");
}

/// [2, 3] A branch with more work displaces ours, and ours comes back when it has more again.
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
        let added = chain.add(&theirs.blocks()[5..]);
        let change = added.change.expect("more work");
        assert_eq!(change.disconnected, [ours.refs()[6], ours.refs()[5]]);
        assert_eq!(change.connected, theirs.refs()[5..]);
        assert_eq!(chain.tip(), theirs.tip());
        assert_eq!(chain.balance(5), "0.000000");

        let old_tip = ours.tip();
        let more = ours.mine_empty(2);
        chain.grow(&more);
        assert_eq!(chain.tip(), ours.tip());
        let mut after = chain.snapshot();
        assert_eq!(after.active.drain(7..).collect::<Vec<_>>(), refs(&more));
        assert_eq!(after.active, before.active);
        assert_eq!(before.tip, old_tip);
    }
}

/// [5] A longer branch with an invalid block is refused there.
#[test]
fn a_branch_with_an_invalid_block_is_not_followed() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(3));
    let mut theirs = ours.fork(1, 2);
    theirs.mine_empty(1);
    let bad = theirs.mine(vec![pay(&network, 9, 0, "1", 1)]).block_ref();
    theirs.mine_empty(3);
    let before = chain.snapshot();
    let added = chain.add(&theirs.blocks()[1..]);
    assert_eq!(added.change, None);
    assert!(
        matches!(added.refused[0], (block, ContextError::InsufficientFunds { .. }) if block == bad)
    );
    assert_eq!(chain.snapshot(), before);
}
