//! The exchange, broken off after each of its steps.

use cairn_protocol::{AccountId, Amount, Network, Rules, Sequence};
use tempfile::TempDir;

use super::*;
use crate::ledger::LOCK;
use crate::place::Place;
use crate::store::Store;
use crate::types::Account;

/// Has a row in the log of the old database, and nowhere else.
const OLD: AccountId = AccountId([1; 32]);
/// Has a row in the new one.
const NEW: AccountId = AccountId([2; 32]);

fn network() -> Network {
    Network::new(Rules::default()).expect("the defaults are valid")
}

fn open(path: &Path) -> Store {
    Store::open_writer(Place::File(path.to_owned()), &network()).expect("a chain").0
}

fn put(store: &mut Store, id: AccountId) {
    let held = Account { balance: Amount::MAX, sequence: Sequence::FIRST };
    store.write(|tables| tables.put_account(&id, &held)).expect("a disk");
}

/// Which of the two databases this is.
fn which(store: &Store) -> AccountId {
    let has = |id: AccountId| {
        let account = store.read(|tables| tables.account(&id)).expect("a disk");
        account != Account::default()
    };
    match (has(OLD), has(NEW)) {
        (true, false) => OLD,
        (false, true) => NEW,
        other => panic!("{other:?}"),
    }
}

/// A folder with a database, a log that was never written into it, and a complete draft.
fn before() -> (TempDir, PathBuf) {
    let (elsewhere, folder) =
        (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let (source, database) = (elsewhere.path().join("chain.db"), folder.path().join("chain.db"));
    drop(open(&source));
    let mut old = open(&source);
    put(&mut old, OLD);
    for suffix in ["", "-wal"] {
        fs::copy(beside(&source, suffix), beside(&database, suffix)).expect("a disk");
    }
    let mut new = open(&draft_of(&database));
    put(&mut new, NEW);
    new.leave_no_log().expect("nobody else has it");
    drop(new);
    assert!(LOGS.iter().all(|log| !beside(&draft_of(&database), log).exists()));
    (folder, database)
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).expect("readable");
    let name = |entry: io::Result<fs::DirEntry>| entry.expect("one").file_name().into_string();
    let mut names: Vec<_> = entries.map(|entry| name(entry).expect("plain")).collect();
    names.sort();
    names
}

fn run(steps: &[Step]) {
    steps.iter().try_for_each(Step::run).expect("a disk");
}

/// Does so many steps. Returns whether there were as many.
fn do_steps(database: &Path, most: usize) -> bool {
    let mut left = most;
    let mut some_of = |steps: Vec<Step>| {
        let now = left.min(steps.len());
        run(&steps[..now]);
        left -= now;
        now == steps.len()
    };
    some_of(commit(database)) && some_of(steps_to_finish(database).expect("readable")) && left > 0
}

/// The draft gets its second name by the second step.
fn due_after(steps: usize) -> AccountId {
    if steps < 2 { OLD } else { NEW }
}

#[test]
fn behaviour_52_a_kill_after_any_step_leaves_the_old_or_the_new_to_a_writer() {
    for steps in 0.. {
        let (folder, database) = before();
        let is_over = do_steps(&database, steps);
        let store = open(&database);
        assert_eq!(which(&store), due_after(steps), "after {steps} steps");
        drop(store);
        let due: &[&str] = match due_after(steps) {
            OLD => &["chain.db", "chain.db-wal"],
            _ => &["chain.db", "chain.db-wal", "chain.db.damaged-1", "chain.db.damaged-1-wal"],
        };
        let mut names = names(&folder);
        names.retain(|name| !name.ends_with("-shm"));
        assert_eq!(names, due, "after {steps} steps");
        if is_over {
            assert!(steps > 8, "{steps}");
            break;
        }
    }
}

#[test]
fn behaviour_52_a_kill_after_any_step_leaves_the_old_or_the_new_to_a_reader() {
    for steps in 0.. {
        let (_folder, database) = before();
        let is_over = do_steps(&database, steps);
        let reader = Store::open_reader(Place::File(database.clone()), &network());
        assert_eq!(which(&reader.expect("a chain")), due_after(steps), "after {steps} steps");
        assert_eq!(which(&open(&database)), due_after(steps), "after {steps} steps");
        if is_over {
            break;
        }
    }
}

/// It goes on with the old file, which no longer has the name, and would never see a new block.
#[test]
fn a_reader_that_was_there_before_is_told() {
    let (_folder, database) = before();
    let reader = Store::open_reader(Place::File(database.clone()), &network()).expect("a chain");
    assert_eq!(which(&reader), OLD);
    swap_in(&database).expect("a disk");
    let error = reader.read(|tables| tables.account(&OLD)).expect_err("another file");
    assert!(matches!(&error, LedgerError::Replaced(path) if *path == database), "{error:?}");
    let error = reader.look(|tables| tables.account(&OLD)).expect_err("another file");
    assert!(matches!(error, LedgerError::Replaced(_)), "{error:?}");
    // What another process does with the new one does not disturb it, nor the other way round.
    let mut new = open(&database);
    put(&mut new, AccountId([3; 32]));
    assert_eq!(which(&new), NEW);
}

/// Without the right to finish it, there is nothing to open.
#[test]
fn a_reader_in_the_middle_is_told() {
    let (folder, database) = before();
    assert!(!do_steps(&database, 4) && !database.exists());
    let lock = folder.path().join(LOCK);
    let held = WriterLock::acquire(&lock, &database).expect("free");
    let error = Store::open_reader(Place::File(database.clone()), &network()).expect_err("nothing");
    assert!(matches!(error, LedgerError::Replaced(_)), "{error:?}");
    drop(held);
    let reader = Store::open_reader(Place::File(database), &network()).expect("a chain");
    assert_eq!(which(&reader), NEW);
}

/// What gave way keeps its own log, also if a reader came too late and made another.
#[test]
fn the_old_database_is_put_aside_with_its_log() {
    let (_folder, database) = before();
    let log = fs::read(beside(&database, "-wal")).expect("a log");
    // Of older ones, one is whole, and of another only the log is left.
    let aside = |name: &str| beside(&database, &format!(".damaged-{name}"));
    for older in ["4", "4-wal", "5-wal"] {
        fs::write(aside(older), older).expect("a disk");
    }
    let steps = steps_until_the_log_is_aside(&database);
    fs::write(beside(&database, "-wal"), "").expect("a disk");
    recover(&database).expect("a disk");
    assert_eq!(fs::read(aside("5-wal")).expect("kept"), log, "{steps}");
    assert!(!beside(&database, "-wal").exists());
    assert_eq!(which(&open(&aside("5"))), OLD);
    assert_eq!(fs::read(aside("4")).expect("kept"), b"4");
    assert_eq!(fs::read(aside("4-wal")).expect("kept"), b"4-wal");
    remove(&aside("5")).expect("a disk");
    assert!(!aside("5").exists() && !aside("5-wal").exists() && aside("4-wal").exists());
}

fn steps_until_the_log_is_aside(database: &Path) -> usize {
    run(&commit(database));
    let log = beside(database, "-wal");
    let steps = steps_to_finish(database).expect("readable");
    let last = steps.iter().position(|step| matches!(step, Step::Rename(from, _) if *from == log));
    let last = last.expect("the log is renamed");
    run(&steps[..=last]);
    last
}
