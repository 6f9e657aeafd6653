//! What the disk does to a chain: restarts, locks, damage, and files that are not what they should
//! be.

use std::fs;
use std::path::Path;

use cairn_ledger::{Journal, Ledger, LedgerError, LedgerReader};
use cairn_protocol::codec::encode;
use cairn_protocol::hash::sha256;
use cairn_protocol::{Network, Rules};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::chain::Chain;
use crate::kit::{Branch, network, now, pay};

/// A chain with payments, immature rewards and a branch that was left.
pub(crate) fn busy_chain(network: &Network) -> Chain {
    let mut chain = Chain::new(network);
    let mut branch = Branch::new(network, 1);
    chain.grow(&branch.mine_empty(4));
    let mut left = branch.fork(3, 2);
    chain.grow(&left.mine_empty(1));
    for number in 0..8 {
        let recipient = u8::try_from(number).expect("small") + 3;
        chain.grow(&[branch.mine(vec![pay(network, 1, number, "0.5", recipient)])]);
    }
    chain
}

pub(crate) fn maturing() -> Network {
    network(|rules| rules.reward_maturity = 2)
}

/// The state is that of a replay, after a restart too, and building it again gives the same.
#[test]
fn behaviour_52_a_restart_changes_nothing_and_a_rebuild_gives_the_same() {
    let network = maturing();
    let mut chain = busy_chain(&network);
    let before = chain.snapshot();
    let ends = (chain.ledger().tip(), chain.ledger().best_header());
    chain.restart();
    assert_eq!(chain.snapshot(), before);
    assert_eq!((chain.ledger().tip(), chain.ledger().best_header()), ends);

    let mut rebuilt = Chain::new(&network);
    for block in &before.active {
        let stored = chain.ledger().block(*block).expect("a chain").expect("a body");
        rebuilt.grow(&[stored.verify(&network).expect("valid")]);
    }
    assert_eq!(rebuilt.snapshot(), before);
}

/// A second writer is refused, readers are not, and the lock goes with its owner.
#[test]
fn behaviour_54_only_one_writer_at_a_time() {
    let network = maturing();
    let mut chain = busy_chain(&network);
    let error = Ledger::open(chain.path(), &network).expect_err("locked");
    assert!(matches!(&error, LedgerError::InUse(path) if path.ends_with("chain.db")), "{error}");
    assert!(error.to_string().contains("written by another process"), "{error}");
    chain.reader();
    chain.close();
    let ledger = Ledger::open(chain.path(), &network).expect("free");
    assert_eq!(ledger.journal(), Journal::WriteAhead);
}

/// Opens a folder's chain for reading and for writing; neither may succeed.
fn damage_in(folder: &Path, network: &Network) -> String {
    let reader = LedgerReader::open(folder, network).expect_err("not a chain of this network");
    let writer = Ledger::open(folder, network).expect_err("not a chain of this network");
    for error in [&reader, &writer] {
        assert!(matches!(error, LedgerError::Damaged(..)), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("chain.db") && text.contains("move it away"), "{text}");
    }
    writer.to_string()
}

/// A file that is no chain, or another network's, is named as such and left alone.
#[test]
fn behaviour_53_foreign_files_are_refused() {
    let network = maturing();
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("chain.db");
    fs::write(&path, "I am a shopping list.\n".repeat(1000)).expect("a disk");
    damage_in(folder.path(), &network);

    fs::remove_file(&path).expect("a file");
    let other = Connection::open(&path).expect("a file");
    other.execute_batch("CREATE TABLE songs (title TEXT)").expect("SQL");
    drop(other);
    damage_in(folder.path(), &network);

    let mut chain = busy_chain(&network);
    chain.close();
    let elsewhere = crate::kit::network(|rules| rules.reward_maturity = 7);
    let text = damage_in(chain.path(), &elsewhere);
    assert!(text.contains("rules.reward_maturity is 7 here and 2 there"), "{text}");
}

/// A chain of a later version of this program is not touched.
#[test]
fn another_schema_version_is_refused() {
    let network = maturing();
    let mut chain = Chain::new(&network);
    chain.close();
    let file = Connection::open(chain.path().join("chain.db")).expect("a file");
    let value = encode(&2_u32);
    let [a, b, c, d, e, f, g, h, ..] = sha256(&[b"schema", &value]);
    let sum = i64::from_be_bytes([a, b, c, d, e, f, g, h]);
    file.execute("UPDATE meta SET value = ?1, sum = ?2 WHERE name = 'schema'", (value, sum))
        .expect("SQL");
    drop(file);
    let text = damage_in(chain.path(), &network);
    assert!(text.contains("schema has version 2, not 1"), "{text}");
}

/// Everything that readers and a writer can be told of a chain.
pub(crate) fn all_answers(
    folder: &Path,
    network: &Network,
) -> Result<impl PartialEq + use<>, LedgerError> {
    let reader = LedgerReader::open(folder, network)?;
    let accounts: Vec<_> = (0..20).map(crate::kit::account).collect();
    let accounts = reader.accounts(&accounts)?;
    let supply = reader.supply()?;
    let changes = reader.changes_since(network.genesis_ref(), usize::MAX)?;
    let mut bodies = Vec::new();
    for block in &changes.connected {
        bodies.push((reader.block_bytes(*block)?, reader.header_at(block.height)?));
    }
    let headers = reader.headers_after(&[], usize::MAX)?;

    let mut ledger = Ledger::open(folder, network)?;
    let (missing, locator) = (ledger.missing_blocks(99)?, ledger.locator()?);
    let next = ledger.next_block(now())?;
    let mut branch = Branch::new(network, 1);
    let block = branch.mine(Vec::new());
    let added = ledger.add_blocks(&[block], now())?;
    Ok((supply, accounts, changes, (bodies, headers), (missing, locator, next, added)))
}

/// The bytes of a chain without a log.
fn file_of_a_chain(network: &Network) -> Vec<u8> {
    let mut chain = busy_chain(network);
    chain.close();
    assert_eq!(fs::metadata(chain.path().join("chain.db-wal")).expect("a log").len(), 0);
    fs::read(chain.path().join("chain.db")).expect("a file")
}

fn answers_of(bytes: &[u8], network: &Network) -> Result<impl PartialEq + use<>, LedgerError> {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("chain.db"), bytes).expect("a disk");
    all_answers(folder.path(), network)
}

/// A file that was cut off is refused.
#[test]
fn behaviour_53_a_truncated_file_is_an_error() {
    let network = maturing();
    let bytes = file_of_a_chain(&network);
    for thirtieth in 1..30 {
        let error = answers_of(&bytes[..bytes.len() * thirtieth / 30], &network).err();
        assert!(matches!(error, Some(LedgerError::Damaged(..))), "{thirtieth}: {error:?}");
    }
}

/// A row that is gone from the active chain is not taken for its end.
#[test]
fn behaviour_53_a_hole_in_the_active_chain_is_named() {
    let network = maturing();
    let mut chain = busy_chain(&network);
    let tip = chain.tip().height.get();
    chain.close();
    let path = chain.path().join("chain.db");
    let whole = fs::read(&path).expect("a disk");
    for height in [1, 3, i64::try_from(tip).expect("low")] {
        let file = Connection::open(&path).expect("a file");
        file.execute("DELETE FROM active WHERE height = ?1", [height]).expect("SQL");
        drop(file);
        let changes = LedgerReader::open(chain.path(), &network)
            .and_then(|reader| reader.changes_since(network.genesis_ref(), 100));
        let error = changes.expect_err("a hole");
        assert!(matches!(error, LedgerError::Damaged(..)), "{error:?}");
        assert!(error.to_string().contains(&format!("height {height} is missing")), "{error}");
        fs::write(&path, &whole).expect("a disk");
    }
}

/// A flipped bit is noticed, or was one that nothing depends on.
#[test]
fn behaviour_53_a_flipped_bit_is_never_believed() {
    let network = maturing();
    let bytes = file_of_a_chain(&network);
    let truth = answers_of(&bytes, &network).expect("not damaged");
    let mut noticed = 0;
    // Steps of a prime spread the flips over all pages and all bits.
    for step in 0..400 {
        let position = step * 7_919 % (bytes.len() * 8);
        let mut flipped = bytes.clone();
        flipped[position / 8] ^= 1 << (position % 8);
        match answers_of(&flipped, &network) {
            Ok(answers) => assert!(answers == truth, "bit {position} is believed"),
            Err(LedgerError::Damaged(..)) => noticed += 1,
            Err(error) => panic!("bit {position}: {error:?}"),
        }
    }
    assert!(noticed > 40, "{noticed}");
}

/// An account that cannot be found any more must not condemn the block that spends from it.
#[test]
fn no_block_is_condemned_for_damaged_accounts() {
    let network = maturing();
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    chain.grow(&branch.mine_empty(4));
    let file = Connection::open(chain.path().join("chain.db")).expect("a file");
    file.execute("DELETE FROM accounts", []).expect("SQL");
    let block = branch.mine(vec![pay(&network, 1, 0, "1", 2)]);
    let error = chain.ledger().add_blocks(&[block], now()).expect_err("damaged");
    assert!(matches!(error, LedgerError::Damaged(..)), "{error}");
    assert!(!chain.ledger().has_header(branch.tip()).expect("a disk"), "nothing was written");
}

/// Other rules make another network, whose folder is not this one's.
#[test]
fn rules_are_stored_with_the_chain() {
    let network = Network::new(Rules::default()).expect("the defaults");
    let folder = TempDir::new().expect("a folder");
    drop(Ledger::open(folder.path(), &network).expect("created"));
    let other = Network::new(Rules { difficulty: 23, ..Rules::default() }).expect("possible");
    assert!(damage_in(folder.path(), &other).contains("rules.difficulty is 23 here and 24 there"));
}
