//! Followers learn of every move of the active chain, whenever they ask.

use cairn_ledger::{Changes, LedgerError};
use cairn_protocol::BlockRef;

use crate::chain::Chain;
use crate::kit::{Branch, network};

/// A follower that keeps a list of the blocks it was told to apply.
struct Follower {
    cursor: BlockRef,
    applied: Vec<BlockRef>,
}

impl Follower {
    fn follow(&mut self, chain: &Chain, most: usize) {
        let changes = chain.reader().changes_since(self.cursor, most).expect("a chain");
        for block in changes.disconnected {
            assert_eq!(self.applied.pop(), Some(block), "blocks are undone newest first");
        }
        assert!(changes.connected.len() <= most);
        self.applied.extend(changes.connected);
        self.cursor = changes.cursor;
    }
}

#[test]
fn a_follower_of_any_pace_ends_with_the_active_chain() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let genesis = network.genesis_ref();
    let mut followers: Vec<_> =
        (0..5).map(|_| Follower { cursor: genesis, applied: Vec::new() }).collect();
    let mut branches = [Branch::new(&network, 1), Branch::new(&network, 2)];
    for round in 0..10 {
        let branch = &mut branches[round % 2];
        let blocks = branch.mine_empty(2 * (round + 1) - branch.blocks().len());
        chain.grow(&blocks);
        for (pace, follower) in followers.iter_mut().enumerate() {
            follower.follow(&chain, pace * 3);
        }
    }
    let active = branches[1].refs();
    for follower in &mut followers {
        for _ in 0..active.len() {
            follower.follow(&chain, 1);
        }
        assert_eq!(follower.applied, active);
        assert_eq!(follower.cursor, branches[1].tip());
    }
}

#[test]
fn a_cursor_on_an_abandoned_branch_leads_back() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(4));
    let mut theirs = ours.fork(1, 2);
    chain.grow(&theirs.mine_empty(5));
    let disconnected = vec![ours.refs()[3], ours.refs()[2], ours.refs()[1]];
    let changes = |most| chain.reader().changes_since(ours.tip(), most).expect("a chain");
    let connected = theirs.refs()[1..3].to_vec();
    let cursor = connected[1];
    assert_eq!(changes(2), Changes { disconnected: disconnected.clone(), connected, cursor });
    let cursor = ours.refs()[0];
    assert_eq!(changes(0), Changes { disconnected, connected: Vec::new(), cursor });
}

#[test]
fn a_cursor_that_was_never_here_is_an_error() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    chain.grow(&branch.mine_empty(1));
    branch.mine_empty(1);
    let error = chain.reader().changes_since(branch.tip(), 9).expect_err("unknown");
    assert!(matches!(error, LedgerError::UnknownCursor(block) if block == branch.tip()));
}
