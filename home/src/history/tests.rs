use std::fs;

use cairn_protocol::AccountId;
use rand::RngExt;

use super::world::World;
use super::*;

/// Follows for these accounts and shows all of it.
fn shown(history: &mut History, accounts: &[AccountId]) -> Vec<Entry> {
    history.catch_up(accounts, &mut |_| {}).expect("readable");
    history.newest(accounts, usize::MAX).expect("readable")
}

#[test]
fn the_index_is_what_a_replay_finds_through_any_reorganisations() {
    for seed in 0..8 {
        let mut world = World::new(seed);
        let all = world.accounts();
        // One follows at each step, the others whenever it comes to it, each with more accounts.
        let mut histories = [world.open(), world.open()];
        for step in 0..30 {
            match world.draws.random_range(0..4) {
                0 => world.fork(6),
                _ => world.mine(),
            }
            let at = world.draws.random_range(0..histories.len());
            let some = &all[..world.draws.random_range(1..=all.len())];
            assert_eq!(shown(&mut histories[at], some), world.replayed(some), "{seed} {step}");
            if world.draws.random_range(0..5) == 0 {
                histories[at] = world.open();
            }
        }
        let [first, second] = &mut histories;
        assert_eq!(shown(first, &all), world.replayed(&all), "{seed}");
        assert_eq!(shown(second, &all), world.replayed(&all), "{seed}");
    }
}

/// What an account ever got and gave is what it has.
#[test]
fn an_accounts_entries_add_up_to_its_balance() {
    let mut world = World::new(100);
    (0..20).for_each(|_| world.mine());
    world.fork(5);
    let mut history = world.open();
    for account in world.accounts() {
        let mut balance = 0;
        for entry in shown(&mut history, &[account]) {
            let amount = i128::from(entry.event.amount().micros());
            balance += match &entry.event {
                Event::Sent(payment) => -amount - i128::from(payment.fee.micros()),
                Event::Reward(_) | Event::Received(_) => amount,
            };
        }
        let reader = world.ledger.reader().expect("readable");
        let (_, states) = reader.accounts(&[account]).expect("readable");
        assert_eq!(balance, i128::from(states[0].account.balance.micros()));
    }
}

#[test]
fn the_newest_come_first_and_no_more_than_asked_for() {
    let mut world = World::new(101);
    (0..20).for_each(|_| world.mine());
    let mut history = world.open();
    let all = world.accounts();
    let entries = shown(&mut history, &all);
    for most in [0, 1, 7, entries.len()] {
        assert_eq!(history.newest(&all, most).expect("readable"), entries[..most]);
    }
}

/// How many blocks are looked through to follow to the tip.
fn blocks_read(history: &mut History, accounts: &[AccountId]) -> u64 {
    let mut blocks = 0;
    history.catch_up(accounts, &mut |indexed| blocks = indexed.blocks).expect("readable");
    blocks
}

#[test]
fn only_a_key_that_was_not_made_here_is_looked_for_in_old_blocks() {
    let mut world = World::new(102);
    (0..10).for_each(|_| world.mine());
    let mut history = world.open();
    let [old, copied, made, ..] = world.accounts()[..] else { unreachable!("six") };
    assert_eq!(blocks_read(&mut history, &[old]), 10);
    assert_eq!(blocks_read(&mut history, &[old]), 0, "it was looked through before");
    world.mine();
    history.begin(made, world.ledger.tip().block).expect("writable");
    assert_eq!(blocks_read(&mut history, &[made]), 0);
    // First up to where the old one is, then both together.
    assert_eq!(blocks_read(&mut history, &[old, copied]), 11);
    assert_eq!(shown(&mut history, &[old, copied]), world.replayed(&[old, copied]));
    // What is known already is not forgotten.
    history.begin(old, world.ledger.tip().block).expect("writable");
    assert_eq!(shown(&mut history, &[old]), world.replayed(&[old]));
    // Whoever was made here is told of all that comes.
    for _ in 0..20 {
        world.mine();
    }
    let since = |entry: &Entry| entry.height.get() > 11;
    let expected: Vec<_> = world.replayed(&[made]).into_iter().filter(since).collect();
    assert_ne!(expected, []);
    assert_eq!(shown(&mut history, &[made]), expected);
}

#[test]
fn of_a_chain_that_is_downloaded_anew_the_index_starts_again() {
    let mut world = World::new(103);
    (0..10).for_each(|_| world.mine());
    let all = world.accounts();
    let mut history = world.open();
    shown(&mut history, &all);
    let mut another = World::new(104);
    (0..4).for_each(|_| another.mine());
    let (from, to) = (another.folder.path(), world.folder.path());
    fs::copy(to.join("history.db"), from.join("history.db")).expect("copied");
    let mut history = another.open();
    assert_eq!(shown(&mut history, &all), another.replayed(&all));
}

#[test]
fn two_that_follow_at_once_do_not_disturb_each_other() {
    let mut world = World::new(105);
    let all = world.accounts();
    let (folder, network) = (world.folder.path().to_owned(), world.network.clone());
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let mut history = History::open(&folder, &network).expect("usable");
                    shown(&mut history, &all);
                }
            });
        }
        for _ in 0..20 {
            world.mine();
            world.fork(3);
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(shown(&mut world.open(), &all), world.replayed(&all));
}

/// Whatever byte of the file is another: the answer is right, or there is none.
#[test]
fn a_damaged_index_is_never_believed() {
    let mut world = World::new(106);
    (0..30).for_each(|_| world.mine());
    let all = world.accounts();
    let right = shown(&mut world.open(), &all);
    let path = world.folder.path().join("history.db");
    let good = fs::read(&path).expect("a file");
    let mut noticed = 0;
    for _ in 0..200 {
        let mut bytes = good.clone();
        let at = world.draws.random_range(0..bytes.len());
        bytes[at] ^= 1 << world.draws.random_range(0..8);
        fs::write(&path, &bytes).expect("written");
        let answer = History::open(world.folder.path(), &world.network).and_then(|mut history| {
            history.catch_up(&all, &mut |_| {})?;
            history.newest(&all, usize::MAX)
        });
        match answer {
            Ok(entries) => assert_eq!(entries, right, "byte {at}"),
            Err(HistoryError::Damaged(..)) => noticed += 1,
            Err(other) => panic!("byte {at}: {other}"),
        }
    }
    assert!(noticed > 30, "{noticed}");
}

#[test]
fn an_entry_that_another_takes_the_place_of_is_noticed() {
    let mut world = World::new(107);
    (0..12).for_each(|_| world.mine());
    let account = world.accounts()[0];
    let changes = [
        "DELETE FROM entries WHERE number = 2",
        "DELETE FROM entries WHERE number = (SELECT max(number) FROM entries)",
        "UPDATE entries SET number = 1000 WHERE number = 1",
        "UPDATE entries SET content = (SELECT content FROM entries WHERE number = 0) WHERE number = 1",
        "UPDATE accounts SET entries = entries - 1",
        "UPDATE accounts SET height = height - 1",
    ];
    for change in changes {
        History::reset(world.folder.path()).expect("emptied");
        let mut history = world.open();
        assert!(shown(&mut history, &[account]).len() > 3);
        let file = rusqlite::Connection::open(world.folder.path().join("history.db"));
        assert_eq!(file.expect("a file").execute(change, []).expect("SQL"), 1, "{change}");
        let damaged = history.newest(&[account], usize::MAX).expect_err(change);
        assert!(matches!(damaged, HistoryError::Damaged(..)), "{damaged:?}");
    }
}

#[test]
fn whatever_the_file_holds_it_can_be_made_anew() {
    let mut world = World::new(108);
    (0..8).for_each(|_| world.mine());
    let all = world.accounts();
    let right = shown(&mut world.open(), &all);
    let path = world.folder.path().join("history.db");
    let good = fs::read(&path).expect("a file");
    let halves = [&good[..good.len() / 2], &good[..5_000], &good[..10]];
    let others = [vec![0x5a; 20_000], b"SQLite format 3\0".repeat(600), vec![0; 9_000]];
    let mut header = good.clone();
    // Written by something that knows more than this program.
    (header[18], header[19]) = (9, 9);
    for bytes in halves.map(<[u8]>::to_vec).into_iter().chain(others).chain([header]) {
        fs::write(&path, &bytes).expect("written");
        let name = format!("{:?} {}", bytes.first_chunk::<4>(), bytes.len());
        History::reset(world.folder.path()).expect(&name);
        assert_eq!(shown(&mut world.open(), &all), right, "{name}");
    }
}

#[test]
fn one_that_has_it_open_goes_on_when_it_is_emptied() {
    let mut world = World::new(109);
    (0..5).for_each(|_| world.mine());
    let all = world.accounts();
    let mut history = world.open();
    shown(&mut history, &all);
    History::reset(world.folder.path()).expect("emptied");
    // Its tables are gone until somebody opens it.
    history.newest(&all, 1).expect_err("no tables");
    let mut other = world.open();
    world.mine();
    assert_eq!(shown(&mut history, &all), world.replayed(&all));
    assert_eq!(shown(&mut other, &all), world.replayed(&all));
}

#[test]
fn a_chain_without_blocks_has_no_history() {
    let world = World::new(110);
    assert_eq!(shown(&mut world.open(), &world.accounts()), []);
    let nobody = AccountId([9; 32]);
    assert_eq!(shown(&mut world.open(), &[nobody]), []);
    assert_eq!(shown(&mut world.open(), &[]), []);
}
