//! Bits that flip, and files that are cut off, at random places of a chain and of its log.
//!
//! | command | places of each file and kind of damage |
//! |---|---|
//! | `cargo test -p cairn-ledger random_damage` | a few |
//! | `CAIRN_FLIPS=1000 cargo test --release -p cairn-ledger random_damage` | so many |
//! | `CAIRN_SEED=7 ...` | others: those of seed 7 instead of 1 |
//!
//! Where damage changes what is stored, the full check finds it. Readers and a writer may not: they
//! look at what they need. But what they say is true, or they say that the file is damaged. A log
//! ends where it is damaged, so there the truth may be an earlier one.

use std::fs;
use std::path::Path;

use cairn_ledger::{LedgerError, LedgerReader};
use cairn_protocol::Network;
use cairn_protocol::hash::sha256;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::damage::SECOND;
use crate::kit::{self, account, pay, seal};
use crate::storage::{all_answers, busy_chain, maturing};

/// How many places of each kind, and the seed that they are drawn from.
const PLACES: u32 = 25;
const SEED: u32 = 1;
/// What a page of the log has before it, and the log before its first page.
const FRAME_HEADER: usize = 24;
const LOG_HEADER: usize = 32;
const PAGE: usize = 4_096;
/// Where a database says which versions may write it.
const WRITE_VERSION: usize = 18;

/// A chain's file and its log, as bytes.
#[derive(Clone)]
struct Files {
    chain: Vec<u8>,
    log: Vec<u8>,
}

impl Files {
    /// A chain whose log holds its last blocks.
    fn new(network: &Network) -> Self {
        let mut chain = busy_chain(network);
        // Whoever closes a chain last writes its log into its file.
        chain.restart();
        for number in 8..13 {
            let tip = chain.tip();
            let (_, parent) = chain.reader().header_at(tip.height).expect("a chain").expect("tip");
            let (time, target) = (parent.header.time.after(SECOND), parent.header.target);
            let payments = vec![pay(network, 1, number, "0.25", 2)];
            chain.grow(&[seal(network, &parent, account(1), time, target, payments)]);
        }
        let read = |name| fs::read(chain.path().join(name)).expect("a file");
        let files = Self { chain: read("chain.db"), log: read("chain.db-wal") };
        assert!(files.log.len() > 10 * PAGE, "{}", files.log.len());
        files
    }

    /// The same chain with all of it in its file.
    fn without_log(&self) -> Self {
        let folder = self.write();
        let file = Connection::open(folder.path().join("chain.db")).expect("a file");
        file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("SQL");
        drop(file);
        Self { chain: fs::read(folder.path().join("chain.db")).expect("a file"), log: Vec::new() }
    }

    fn write(&self) -> TempDir {
        let folder = TempDir::new().expect("a folder");
        fs::write(folder.path().join("chain.db"), &self.chain).expect("a disk");
        if !self.log.is_empty() {
            fs::write(folder.path().join("chain.db-wal"), &self.log).expect("a disk");
        }
        folder
    }

    /// The same with the log as it was after each of its pages.
    fn earlier(&self) -> impl Iterator<Item = Self> {
        let pages = self.log.len().saturating_sub(LOG_HEADER) / (FRAME_HEADER + PAGE);
        (0..=pages).map(|pages| {
            let end = (LOG_HEADER + pages * (FRAME_HEADER + PAGE)).min(self.log.len());
            Self { log: self.log[..end].to_vec(), ..self.clone() }
        })
    }
}

/// All rows of all tables.
type Stored = Vec<Vec<Value>>;

/// What is stored, as SQLite reads it, or nothing if it cannot.
fn stored(folder: &Path) -> Option<Stored> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let file = Connection::open_with_flags(folder.join("chain.db"), flags).ok()?;
    let mut all = Vec::new();
    let tables = ["meta", "headers", "bodies", "active", "best", "accounts"];
    for table in tables {
        let mut query = file.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).ok()?;
        let columns = query.column_count();
        let mut rows = query.query([]).ok()?;
        while let Some(row) = rows.next().ok()? {
            let read = |index| row.get::<_, Value>(index);
            all.push((0..columns).map(read).collect::<Result<_, _>>().ok()?);
        }
    }
    Some(all)
}

/// What damage does, at a place of a file.
type Harm = fn(&mut Vec<u8>, usize);

#[expect(clippy::ptr_arg, reason = "of one type with those that shorten the file")]
fn flip(bytes: &mut Vec<u8>, bit: usize) {
    bytes[bit / 8] ^= 1 << (bit % 8);
}

fn cut(bytes: &mut Vec<u8>, bit: usize) {
    bytes.truncate(bit / 8);
}

/// A name, the file that is damaged, and how.
type Kind = (&'static str, fn(&mut Files) -> &mut Vec<u8>, Harm);

/// Does these kinds of harm to a chain, each at random places, and returns how often the full check
/// found it.
fn harm(network: &Network, whole: &Files, kinds: &[Kind]) -> Vec<u32> {
    let states: Vec<_> = whole.earlier().filter_map(|files| stored(files.write().path())).collect();
    let answer = |files: Files| all_answers(files.write().path(), network).ok();
    let answers: Vec<_> = whole.earlier().filter_map(answer).collect();
    let harm_one = |&(name, file, harm): &Kind, number| {
        let mut harmed = whole.clone();
        let bytes = file(&mut harmed);
        let place = place(name, number) % (8 * bytes.len());
        harm(bytes, place);
        let what = format!("{name}: bit {place} (number {number})");
        match all_answers(harmed.write().path(), network) {
            Ok(given) => assert!(answers.contains(&given), "{what} is believed"),
            Err(LedgerError::Damaged(..)) => {}
            // SQLite may only read what a later version wrote, by what stands there.
            Err(LedgerError::NoPermission(_)) if harmed.chain.get(WRITE_VERSION) > Some(&2) => {}
            Err(error) => panic!("{what}: {error:?}"),
        }
        is_found(&harmed, network, &states, &what)
    };
    let places = setting("CAIRN_FLIPS").unwrap_or(PLACES);
    let count = |kind| (0..places).map(|number| u32::from(harm_one(kind, number))).sum();
    kinds.iter().map(count).collect()
}

/// Whether the full check finds the harm. It may let pass what leaves one of these states.
fn is_found(harmed: &Files, network: &Network, states: &[Stored], what: &str) -> bool {
    let folder = harmed.write();
    let reader = LedgerReader::open(folder.path(), network);
    match reader.and_then(|reader| kit::check(&reader, network)) {
        Ok(_) => {
            let stored = stored(folder.path());
            assert!(stored.is_some_and(|stored| states.contains(&stored)), "{what} is not found");
            false
        }
        Err(LedgerError::Damaged(..)) => true,
        Err(error) => panic!("{what}: {error:?}"),
    }
}

fn place(name: &str, number: u32) -> usize {
    let seed = setting("CAIRN_SEED").unwrap_or(SEED);
    let [a, b, c, d, ..] = sha256(&[name.as_bytes(), &seed.to_le_bytes(), &number.to_le_bytes()]);
    usize::try_from(u32::from_be_bytes([a, b, c, d])).expect("32 bits")
}

/// A number from the environment.
fn setting(name: &str) -> Option<u32> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}

#[test]
fn behaviour_53_a_flipped_bit_anywhere_is_found_or_changes_nothing() {
    let network = maturing();
    let whole = Files::new(&network);
    let alone: Kind = ("a flip in chain.db", |files| &mut files.chain, flip);
    assert!(harm(&network, &whole.without_log(), &[alone]) > vec![0]);
    let beside: Kind = ("a flip in chain.db beside its log", |files| &mut files.chain, flip);
    harm(&network, &whole, &[beside, ("a flip in chain.db-wal", |files| &mut files.log, flip)]);
}

#[test]
fn behaviour_53_a_file_cut_off_anywhere_is_found_or_an_earlier_one() {
    let network = maturing();
    let whole = Files::new(&network);
    let alone: Kind = ("chain.db cut off", |files| &mut files.chain, cut);
    let found = harm(&network, &whole.without_log(), &[alone]);
    assert_eq!(found, [setting("CAIRN_FLIPS").unwrap_or(PLACES)], "each is found");
    let beside: Kind = ("chain.db cut off beside its log", |files| &mut files.chain, cut);
    harm(&network, &whole, &[beside, ("chain.db-wal cut off", |files| &mut files.log, cut)]);
}
