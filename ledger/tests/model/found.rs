//! What random histories found, by name.

use cairn_ledger::Ledger;

use crate::kit::{Branch, network, now};

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
