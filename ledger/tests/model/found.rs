//! What random histories found, by name.

use cairn_ledger::{ContextError, Ledger};

use crate::kit::{Branch, network, now, pay};

/// The tip falls back to the branch that was complete first, although the block below the invalid
/// one has as much work and is nearer.
#[test]
fn rule_f2_the_tip_falls_back_to_the_branch_that_was_complete_first() {
    let network = network(|_| {});
    let mut ledger = Ledger::in_memory(&network).expect("memory");
    let (mut first, mut second) = (Branch::new(&network, 1), Branch::new(&network, 2));
    first.mine_empty(1);
    second.mine_empty(2);
    for blocks in [first.blocks(), second.blocks()] {
        assert_eq!(ledger.add_blocks(blocks, now()).expect("memory").refused, []);
    }
    assert_eq!(ledger.tip().block, second.tip());
    ledger.mark_invalid(second.tip()).expect("memory");
    assert_eq!(ledger.tip().block, first.tip());
}

/// A branch that never had the most work, and that is invalid, is looked at when the tip falls
/// back below it. The coins are added up before it is condemned, and they are right.
#[test]
fn rule_f3_the_tip_falls_back_past_a_branch_that_is_invalid() {
    let network = network(|_| {});
    let mut ledger = Ledger::in_memory(&network).expect("memory");
    let (mut ours, mut theirs) = (Branch::new(&network, 1), Branch::new(&network, 2));
    ours.mine_empty(3);
    theirs.mine(vec![pay(&network, 9, 0, "1", 1)]);
    theirs.mine_empty(1);
    for blocks in [ours.blocks(), theirs.blocks()] {
        assert_eq!(ledger.add_blocks(blocks, now()).expect("memory").refused, []);
    }
    ledger.mark_invalid(ours.refs()[1]).expect("no damage");
    assert_eq!(ledger.tip().block, ours.refs()[0]);
    let added = ledger.add_blocks(theirs.blocks(), now()).expect("memory");
    let errors: Vec<_> = added.refused.iter().map(|(_, error)| *error).collect();
    let known = theirs.refs().into_iter().map(ContextError::KnownInvalid);
    assert!(errors.into_iter().eq(known));
}
