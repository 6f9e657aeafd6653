//! A new database of the blocks of a damaged one.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use cairn_ledger::{Ledger, LedgerError, Rebuild, RebuildError, Rebuilt, Stage};
use cairn_protocol::{Network, VerifiedBlock};
use tempfile::TempDir;

use crate::chain::Chain;
use crate::damage::{block, body_of, run};
use crate::kit::{Branch, OneByOne, network, pay};
use crate::storage::{busy_chain, maturing};

fn rebuild(folder: &Path, network: &Network) -> Result<Rebuilt, RebuildError> {
    let rebuild = Rebuild::begin(folder, network)?;
    rebuild.run(&mut OneByOne::new(network), &mut |_| ControlFlow::Continue(()))
}

/// All files of a folder, but for what connections share in memory, and for the lock.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("readable").map(|entry| {
        let path = entry.expect("one").path();
        let name = path.file_name().expect("a name").to_str().expect("plain").to_owned();
        (name, fs::read(path).expect("readable"))
    });
    entries.filter(|(name, _)| !name.ends_with("-shm") && name != "chain.lock").collect()
}

fn names(folder: &Path) -> Vec<String> {
    files(folder).into_keys().collect()
}

/// All blocks of the active chain and of the branch that was left are there again, and nothing
/// else is.
fn assert_rebuilt_whole(damage: impl FnOnce(&rusqlite::Connection)) {
    let network = maturing();
    let mut chain = busy_chain(&network);
    let (due, bodies) = (chain.snapshot(), chain.stored_bodies());
    chain.close();
    damage(&chain.file());
    let rebuilt = rebuild(chain.path(), &network).expect("all blocks are there");
    assert_eq!((rebuilt.blocks, rebuilt.payments), (bodies.into(), 8));
    assert_eq!((rebuilt.left_out, &rebuilt.kept), (0, &None));
    chain.restart();
    assert_eq!(chain.snapshot(), due);
    assert_eq!(chain.ledger().tip(), rebuilt.tip);
    assert_eq!(chain.stored_bodies(), bodies);
    assert_eq!(names(chain.path()), ["chain.db", "chain.db-wal"]);
}

#[test]
fn behaviour_52_a_whole_chain_is_rebuilt_as_it_was() {
    assert_rebuilt_whole(|_| {});
}

/// Only the table of bodies is believed.
#[test]
fn behaviour_53_a_chain_is_rebuilt_whatever_becomes_of_the_other_tables() {
    for table in ["meta", "headers", "active", "best", "accounts"] {
        assert_rebuilt_whole(|file| {
            file.execute(&format!("DELETE FROM {table}"), []).expect("SQL");
        });
        assert_rebuilt_whole(|file| {
            file.execute_batch(&format!("DROP TABLE {table}")).expect("SQL");
        });
    }
    assert_rebuilt_whole(|file| {
        file.execute_batch("UPDATE accounts SET balance = 1; UPDATE active SET hash = x'00'")
            .expect("SQL");
    });
}

/// What the writer did last is in the log only.
#[test]
fn the_log_of_the_old_database_is_read_too() {
    let network = maturing();
    let mut chain = busy_chain(&network);
    let due = chain.snapshot();
    let folder = TempDir::new().expect("a folder");
    for name in ["chain.db", "chain.db-wal"] {
        fs::copy(chain.path().join(name), folder.path().join(name)).expect("a disk");
    }
    assert!(folder.path().join("chain.db").metadata().expect("a file").len() < 8_192);
    let rebuilt = rebuild(folder.path(), &network).expect("all blocks are there");
    assert_eq!((rebuilt.tip.block, rebuilt.left_out), (due.tip, 0));
    assert_eq!(Chain::of(folder, &network).snapshot(), due);
}

/// Blocks are stored as they come, and a child may come before its parent.
#[test]
fn blocks_are_taken_whatever_their_order() {
    let network = network(|_| {});
    let mut branch = Branch::new(&network, 1);
    branch.mine_empty(9);
    let mut chain = Chain::new(&network);
    chain.add_headers(&branch);
    let backwards: Vec<VerifiedBlock> = branch.blocks().iter().rev().cloned().collect();
    for block in &backwards {
        chain.add(std::slice::from_ref(block));
    }
    chain.close();
    let rebuilt = rebuild(chain.path(), &network).expect("all blocks are there");
    assert_eq!((rebuilt.tip.block, rebuilt.blocks, rebuilt.left_out), (branch.tip(), 9, 0));
}

/// What comes after a block that is not what was stored is left out, and the old file is kept. What is
/// missing can be added again.
#[test]
fn behaviour_53_a_damaged_block_ends_the_rebuilt_chain() {
    let network = network(|_| {});
    for damage in ["bytes = zeroblob(250)", "bytes = substr(bytes, 1, 40)", "sum = sum + 1"] {
        let mut branch = Branch::new(&network, 1);
        branch.mine_empty(2);
        for number in 0..6 {
            branch.mine(vec![pay(&network, 1, number, "0.5", 2)]);
        }
        let mut chain = Chain::new(&network);
        chain.grow(branch.blocks());
        let due = chain.snapshot();
        let file = chain.file();
        let id = body_of(&file, block(&chain, 6));
        run(&file, &format!("UPDATE bodies SET {damage} WHERE id = ?1"), [id]);
        drop(file);
        chain.close();
        let rebuilt = rebuild(chain.path(), &network).expect("five blocks");
        assert_eq!(rebuilt.tip.block, branch.block(5).block_ref());
        assert_eq!((rebuilt.blocks, rebuilt.payments, rebuilt.left_out), (5, 3, 3));
        let kept = rebuilt.kept.expect("not all blocks are in the new one");
        assert_eq!(kept, chain.path().join("chain.db.damaged-1"));
        assert!(kept.exists());
        chain.restart();
        chain.grow(&branch.blocks()[5..]);
        assert_eq!(chain.snapshot(), due);
    }
}

/// Whatever comes after a lost block has no parent: nobody waits for its signatures.
#[test]
fn what_comes_after_a_lost_block_is_not_verified() {
    let network = network(|_| {});
    let mut branch = Branch::new(&network, 1);
    branch.mine_empty(40);
    let mut chain = Chain::new(&network);
    chain.ledger().add_blocks(branch.blocks(), crate::kit::now()).expect("a disk");
    let file = chain.file();
    let id = body_of(&file, block(&chain, 6));
    run(&file, "DELETE FROM bodies WHERE id = ?1", [id]);
    drop(file);
    chain.close();
    let mut verified = 0;
    let rebuild = Rebuild::begin(chain.path(), &network).expect("free");
    let rebuilt = rebuild.run(&mut OneByOne::new(&network), &mut |progress| {
        if progress.stage == Stage::Blocks {
            verified = progress.done;
        }
        ControlFlow::Continue(())
    });
    let rebuilt = rebuilt.expect("five blocks");
    assert_eq!((rebuilt.blocks, rebuilt.left_out, verified), (5, 34, 5));
}

/// A block that somebody forged, checksum included, is none of the chain.
#[test]
fn behaviour_53_a_forged_block_is_left_out() {
    let network = network(|_| {});
    let mut branch = Branch::new(&network, 1);
    branch.mine_empty(2);
    branch.mine(vec![pay(&network, 1, 0, "0.5", 2)]);
    let mut chain = Chain::new(&network);
    chain.grow(branch.blocks());
    let at = block(&chain, 3);
    crate::damage::change_body(&chain.file(), at, |bytes| {
        *bytes.last_mut().expect("a signature") ^= 1;
    });
    chain.close();
    let rebuilt = rebuild(chain.path(), &network).expect("two blocks");
    assert_eq!((rebuilt.tip.block, rebuilt.left_out), (branch.block(2).block_ref(), 1));
}

/// Whichever page is lost: what is rebuilt is a beginning of the chain, and often all of it.
#[test]
fn behaviour_53_a_lost_page_is_passed_over() {
    const PAGE: usize = 4_096;
    let network = network(|_| {});
    let mut branch = Branch::new(&network, 1);
    branch.mine_empty(150);
    let mut chain = Chain::new(&network);
    chain.ledger().add_blocks(branch.blocks(), crate::kit::now()).expect("a disk");
    chain.close();
    let whole = fs::read(chain.path().join("chain.db")).expect("a disk");
    let (mut complete, mut parts, mut nothing) = (0, 0, 0);
    for lost in 0..whole.len() / PAGE {
        let mut bytes = whole.clone();
        bytes[lost * PAGE..][..PAGE].fill(0xa5);
        let folder = TempDir::new().expect("a folder");
        fs::write(folder.path().join("chain.db"), &bytes).expect("a disk");
        match rebuild(folder.path(), &network) {
            Ok(rebuilt) => {
                let tip = usize::try_from(rebuilt.tip.block.height.get()).expect("low");
                assert_eq!(rebuilt.blocks, tip as u64);
                assert_eq!(rebuilt.left_out + rebuilt.blocks, 150, "page {lost}");
                assert_eq!(rebuilt.kept.is_some(), tip < 150);
                let mut again = Chain::of(folder, &network);
                assert_eq!(again.snapshot().active, branch.refs()[..tip]);
                *(if tip == 150 { &mut complete } else { &mut parts }) += 1;
            }
            Err(RebuildError::Nothing(_)) => {
                nothing += 1;
                assert_eq!(files(folder.path())["chain.db"], bytes);
                assert!(!names(folder.path()).iter().any(|name| name.contains("new")));
            }
            Err(error) => panic!("page {lost}: {error:?}"),
        }
    }
    assert!(complete > 10 && parts > 5 && nothing <= 3, "{complete} {parts} {nothing}");
}

#[test]
fn behaviour_53_a_truncated_chain_is_rebuilt_as_far_as_it_goes() {
    let network = network(|_| {});
    let mut branch = Branch::new(&network, 1);
    branch.mine_empty(150);
    let mut chain = Chain::new(&network);
    chain.ledger().add_blocks(branch.blocks(), crate::kit::now()).expect("a disk");
    chain.close();
    let path = chain.path().join("chain.db");
    let whole = fs::read(&path).expect("a disk");
    fs::write(&path, &whole[..whole.len() * 9 / 10]).expect("a disk");
    assert!(matches!(Ledger::open(chain.path(), &network), Err(LedgerError::Damaged(..))));
    let rebuilt = rebuild(chain.path(), &network).expect("a part");
    assert!(rebuilt.blocks > 20, "{rebuilt:?}");
    chain.restart();
    assert_eq!(chain.tip(), rebuilt.tip.block);
}

#[test]
fn behaviour_53_where_there_is_nothing_to_rebuild_everything_stays() {
    let network = maturing();
    let stays = |folder: &Path, network: &Network| {
        let before = files(folder);
        let error = rebuild(folder, network).expect_err("nothing");
        assert!(matches!(error, RebuildError::Nothing(_)), "{error:?}");
        assert!(error.to_string().contains("move it away"), "{error}");
        assert_eq!(files(folder), before);
    };
    let folder = TempDir::new().expect("a folder");
    let list = "I am a shopping list.\n".repeat(1000);
    fs::write(folder.path().join("chain.db"), list).expect("a disk");
    stays(folder.path(), &network);

    // The blocks of another network have another genesis.
    let mut chain = busy_chain(&network);
    chain.close();
    stays(chain.path(), &crate::kit::network(|rules| rules.reward_maturity = 7));

    let nothing = TempDir::new().expect("a folder");
    let error = rebuild(nothing.path(), &network).expect_err("no chain");
    assert!(matches!(error, RebuildError::Ledger(LedgerError::NotFound(_))), "{error:?}");
    assert_eq!(names(nothing.path()), <[&str; 0]>::default());
}

#[test]
fn a_chain_without_blocks_is_rebuilt_without() {
    let network = maturing();
    let mut chain = Chain::new(&network);
    chain.close();
    let rebuilt = rebuild(chain.path(), &network).expect("genesis");
    assert_eq!((rebuilt.tip.block, rebuilt.blocks), (network.genesis_ref(), 0));
    chain.restart();
}

#[test]
fn an_interrupted_rebuild_leaves_the_chain_as_it_was() {
    let network = maturing();
    let mut chain = busy_chain(&network);
    chain.close();
    let before = files(chain.path());
    let rebuild = Rebuild::begin(chain.path(), &network).expect("free");
    let mut interrupt = |progress: cairn_ledger::Progress| {
        let is_late = progress.stage == Stage::Blocks && progress.done == progress.total;
        if is_late { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let error = rebuild.run(&mut OneByOne::new(&network), &mut interrupt);
    assert!(matches!(error, Err(RebuildError::Interrupted)), "{error:?}");
    assert_eq!(files(chain.path()), before);
    chain.restart();
}

#[test]
fn behaviour_54_a_chain_is_not_rebuilt_beside_its_writer() {
    let network = maturing();
    let chain = busy_chain(&network);
    let error = Rebuild::begin(chain.path(), &network).expect_err("locked");
    assert!(matches!(error, LedgerError::InUse(_)), "{error:?}");
}

/// A rebuild that was killed leaves a draft, which is of no use to anybody.
#[test]
fn behaviour_52_the_draft_of_a_killed_rebuild_is_removed_by_the_next_writer() {
    let network = maturing();
    let mut chain = busy_chain(&network);
    let due = chain.snapshot();
    for name in ["chain.db.new", "chain.db.new-wal"] {
        fs::copy(chain.path().join("chain.db"), chain.path().join(name)).expect("a disk");
    }
    chain.restart();
    assert_eq!(chain.snapshot(), due);
    assert_eq!(names(chain.path()), ["chain.db", "chain.db-wal"]);
}
