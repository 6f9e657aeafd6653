//! Blocks that wait for a commit, which they share with others.

use cairn_ledger::LedgerError;
use cairn_protocol::{Network, VerifiedBlock};

use crate::chain::Chain;
use crate::kit::{Branch, network, now};

fn three_blocks(network: &Network) -> Branch {
    let mut branch = Branch::new(network, 1);
    branch.mine_empty(3);
    branch
}

fn catch_up(chain: &mut Chain, block: &VerifiedBlock) -> Result<(), LedgerError> {
    let refused = chain.ledger().catch_up(std::slice::from_ref(block), now())?;
    assert_eq!(refused, []);
    Ok(())
}

#[test]
fn readers_see_blocks_only_after_their_commit() {
    let network = network(|_| {});
    let branch = three_blocks(&network);
    let mut chain = Chain::new(&network);
    let reader = chain.reader();
    for block in branch.blocks() {
        catch_up(&mut chain, block).expect("a disk");
        assert_eq!(chain.tip(), block.block_ref());
        assert_eq!(chain.ledger().committed_tip().block, network.genesis_ref());
        assert_eq!(reader.tip().expect("a disk").block, network.genesis_ref());
    }
    let change = chain.ledger().commit().expect("a disk").expect("the tip moved");
    assert_eq!(change.connected, branch.refs());
    assert_eq!(reader.tip().expect("a disk").block, branch.tip());
    assert_eq!(chain.ledger().commit().expect("a disk"), None);
    chain.check();
}

/// Headers that come meanwhile wait with the blocks, and the answer to a block at the tip tells of
/// all blocks.
#[test]
fn what_comes_in_between_is_committed_together() {
    let network = network(|_| {});
    let branch = three_blocks(&network);
    let mut chain = Chain::new(&network);
    let reader = chain.reader();
    catch_up(&mut chain, branch.block(1)).expect("a disk");
    let added = chain.ledger().add_headers(&branch.headers(), now()).expect("a disk");
    assert_eq!(added.new, 2);
    assert_eq!(reader.tip().expect("a disk").block, network.genesis_ref());
    catch_up(&mut chain, branch.block(2)).expect("a disk");
    let added = chain.ledger().add_blocks(&branch.blocks()[2..], now()).expect("a disk");
    assert_eq!(added.change.expect("the tip moved").connected, branch.refs());
    assert_eq!(reader.tip().expect("a disk").block, branch.tip());
}

#[test]
fn a_ledger_that_is_closed_commits_what_waits() {
    let network = network(|_| {});
    let branch = three_blocks(&network);
    let mut chain = Chain::new(&network);
    for block in branch.blocks() {
        catch_up(&mut chain, block).expect("a disk");
    }
    chain.restart();
    assert_eq!(chain.tip(), branch.tip());
    chain.check();
}

/// An error of the disk takes everything back to the last commit, in memory as on disk.
#[test]
fn an_error_gives_up_all_that_waits() {
    let network = network(|_| {});
    let branch = three_blocks(&network);
    let mut chain = Chain::new(&network);
    chain.grow(&branch.blocks()[..1]);
    catch_up(&mut chain, branch.block(2)).expect("a disk");
    chain.ledger().commit().expect("a disk");
    // There is room for three bodies.
    let trigger = "CREATE TRIGGER full BEFORE INSERT ON bodies \
                   WHEN (SELECT count(*) FROM bodies) >= 3 \
                   BEGIN SELECT RAISE(ABORT, 'as an example'); END";
    chain.file().execute_batch(trigger).expect("SQL");
    catch_up(&mut chain, branch.block(3)).expect("the third body has a place");
    assert_eq!(chain.tip(), branch.tip());
    let mut longer = branch.fork(3, 2);
    longer.mine_empty(1);
    catch_up(&mut chain, longer.block(4)).expect_err("there is no place for a fourth");
    assert_eq!(chain.tip(), branch.block(2).block_ref());
    assert_eq!(chain.ledger().committed_tip(), chain.ledger().tip());
    chain.file().execute_batch("DROP TRIGGER full").expect("SQL");
    chain.grow(&[branch.block(3).clone(), longer.block(4).clone()]);
    chain.check();
}
