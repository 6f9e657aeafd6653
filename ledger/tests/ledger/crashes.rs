//! What a killed process leaves behind: its database with a log that may end anywhere.

use std::fs;
use std::path::Path;

use cairn_ledger::{Ledger, LedgerError, LedgerReader};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::chain::Chain;
use crate::kit::{Branch, pay};
use crate::storage::{busy_chain, maturing};

/// Copies the database as a killed process leaves it: with its log, without the shared memory.
fn copy_as_killed(chain: &Chain) -> TempDir {
    let copy = TempDir::new().expect("a folder");
    for name in ["chain.db", "chain.db-wal"] {
        fs::copy(chain.path().join(name), copy.path().join(name)).expect("a file");
    }
    copy
}

/// What was committed is there after a kill, for a reader that comes first and for a writer.
#[test]
fn behaviour_51_a_killed_writer_loses_nothing() {
    let network = maturing();
    let mut chain = busy_chain(&network);
    let copy = copy_as_killed(&chain);
    assert!(fs::metadata(copy.path().join("chain.db-wal")).expect("a log").len() > 0);
    let reader = LedgerReader::open(copy.path(), &network).expect("a chain");
    assert_eq!(reader.tip().expect("a chain"), chain.ledger().tip());
    assert!(reader.supply().expect("a chain").is_right());
    let ledger = Ledger::open(copy.path(), &network).expect("a chain");
    assert_eq!(ledger.tip(), chain.ledger().tip());
}

/// A log that was cut anywhere leaves an earlier state, whole.
#[test]
fn behaviour_51_a_log_cut_anywhere_leaves_an_earlier_tip() {
    let network = maturing();
    let chain = busy_chain(&network);
    let log = fs::read(chain.path().join("chain.db-wal")).expect("a log");
    let tips: Vec<_> = (0..=20)
        .map(|twentieth| {
            let copy = copy_as_killed(&chain);
            let cut = &log[..log.len() * twentieth / 20];
            fs::write(copy.path().join("chain.db-wal"), cut).expect("a disk");
            let ledger = Ledger::open(copy.path(), &network).expect("a chain");
            let reader = ledger.reader().expect("a reader");
            assert!(reader.supply().expect("a chain").is_right());
            ledger.tip().block.height
        })
        .collect();
    assert!(tips.is_sorted(), "{tips:?}");
    assert!(tips.first() < tips.last(), "{tips:?}");
}

/// A move to another branch is one write: after a crash at any moment of it the chain is on the
/// old branch or on the new one, bit by bit, and goes on from there.
#[test]
fn behaviour_06_a_crash_within_a_move_leaves_the_old_tip_or_the_new_one() {
    let network = maturing();
    let mut chain = busy_chain(&network);
    let mut theirs = Branch::new(&network, 2);
    theirs.mine_empty(11);
    theirs.mine(vec![pay(&network, 2, 0, "3", 1)]);
    theirs.mine_empty(4);
    let path = chain.path().join("chain.db-wal");
    let log = || fs::read(&path).expect("a log");
    let (start, before) = (log().len(), chain.snapshot());
    chain.add(theirs.blocks());
    let (log, after) = (log(), chain.snapshot());
    assert_eq!(after.tip, theirs.tip());

    let mut seen = Vec::new();
    for cut in 0..=30 {
        let copy = copy_as_killed(&chain);
        let end = start + (log.len() - start) * cut / 30;
        fs::write(copy.path().join("chain.db-wal"), &log[..end]).expect("a disk");
        let mut cut_short = Chain::of(copy, &network);
        let found = cut_short.snapshot();
        assert!(found == before || found == after, "{end} bytes of the log");
        seen.push(found == after);
        cut_short.add(theirs.blocks());
        assert_eq!(cut_short.snapshot(), after);
    }
    assert!(seen.is_sorted() && !seen[0] && seen[30], "{seen:?}");
}

/// A process that is killed while it creates the chain leaves nothing that counts.
#[test]
fn an_unfinished_creation_counts_as_nothing() {
    let network = maturing();
    let empty_file = |path: &Path| fs::write(path, b"").expect("a disk");
    let without_tables = |path: &Path| {
        let file = Connection::open(path).expect("a file");
        let mode: Result<String, _> =
            file.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0));
        assert_eq!(mode.expect("SQL"), "wal");
    };
    for create in [&empty_file as &dyn Fn(&Path), &without_tables] {
        let folder = TempDir::new().expect("a folder");
        create(&folder.path().join("chain.db"));
        let error = LedgerReader::open(folder.path(), &network).expect_err("no chain");
        assert!(matches!(error, LedgerError::NotFound(_)), "{error}");
        let ledger = Ledger::open(folder.path(), &network).expect("created");
        assert_eq!(ledger.tip().block, network.genesis_ref());
    }
}

/// A new chain never meets the log of an old one that was moved away.
#[test]
fn a_new_chain_ignores_an_old_log() {
    let network = maturing();
    let chain = busy_chain(&network);
    let folder = copy_as_killed(&chain);
    fs::remove_file(folder.path().join("chain.db")).expect("a file");
    let ledger = Ledger::open(folder.path(), &network).expect("created");
    assert_eq!(ledger.tip().block, network.genesis_ref());
    assert!(ledger.reader().expect("a reader").supply().expect("a chain").is_right());
}
