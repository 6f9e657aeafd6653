//! The in-memory chain of tests and simulations.

use cairn_ledger::{Journal, Ledger, LedgerReader};

use crate::kit::{Branch, network, now, pay};

#[test]
fn a_chain_in_memory_does_all_that_one_on_disk_does() {
    let network = network(|rules| rules.reward_maturity = 2);
    let mut ledger = Ledger::in_memory(&network).expect("memory");
    let other = Ledger::in_memory(&network).expect("memory");
    let reader = ledger.reader().expect("a reader");
    let mut ours = Branch::new(&network, 1);
    let mut theirs = ours.fork(0, 2);
    ours.mine_empty(3);
    ours.mine(vec![pay(&network, 1, 0, "4", 3)]);
    theirs.mine_empty(5);
    for branch in [&ours, &theirs] {
        let added = ledger.add_blocks(branch.blocks(), now()).expect("memory");
        assert_eq!(added.change.expect("more work").new.block, branch.tip());
        assert_eq!(reader.tip().expect("memory"), ledger.tip());
        assert!(reader.supply().expect("memory").is_right());
    }
    assert_eq!(other.tip().block, network.genesis_ref(), "each has a memory of its own");
}

/// A node moves its ledger to its thread, and a server its readers to theirs.
#[test]
fn ledgers_and_readers_can_move_between_threads() {
    fn movable<T: Send>(_: &T) {}
    let ledger = Ledger::in_memory(&network(|_| {})).expect("memory");
    movable::<Ledger>(&ledger);
    movable::<LedgerReader>(&ledger.reader().expect("a reader"));
    assert_eq!(ledger.journal(), Journal::Memory);
}
