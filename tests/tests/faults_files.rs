//! Faults 11, 12, 14, 16 and 17 of the predecessor: what its commands did to files, and what they
//! said of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use cairn_tests::Person::{Alice, Bob};
use cairn_tests::{Branch, Home, Outcome, TestNetwork, Victim, path_text, payment, wait_until};

/// What [`changed`] says if nothing did.
const NOTHING: [String; 0] = [];
/// Micro-coins.
const COIN: u64 = 1_000_000;

/// A data directory with a chain of so many blocks of Alice's, of ten coins each, with her key and
/// Bob's, and nobody at work.
fn quiet_home(network: &TestNetwork, blocks: usize) -> Home {
    let home = network.home();
    let mut chain = Branch::new(home.network());
    for _ in 0..blocks {
        chain.mine(Alice.account(), Vec::new());
    }
    chain.write_to(&home);
    home.import("alice", &Alice.key());
    home.import("bob", &Bob.key());
    home
}

/// Any hash is a block's, and a block needs no payment.
fn easiest() -> TestNetwork {
    TestNetwork::new().with_rules(|rules| {
        rules.difficulty = 0;
        rules.block_interval_seconds = 0;
    })
}

/// The files that are not as they were, with their sizes.
fn changed(home: &Home, before: &Files) -> Vec<String> {
    let after = files(home);
    let paths: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let changed = paths.into_iter().filter(|path| before.get(*path) != after.get(*path));
    let size = |file: Option<&(Vec<u8>, SystemTime)>| file.map(|(content, _)| content.len());
    let line = |path: &PathBuf| {
        let (old, new) = (size(before.get(path)), size(after.get(path)));
        format!("{}: {old:?} bytes, {new:?} bytes", path.display())
    };
    changed.map(line).collect()
}

/// What each file holds, and when it was written.
type Files = BTreeMap<PathBuf, (Vec<u8>, SystemTime)>;

/// All files of a data directory, with what they hold and when they were written. The shared memory
/// beside a database is left out: it holds the locks of those who read.
fn files(home: &Home) -> Files {
    let mut files = BTreeMap::new();
    let mut folders = vec![home.path()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if !path_text(&path).ends_with("-shm") {
                let written = path.metadata().and_then(|file| file.modified()).expect("a time");
                files.insert(path.clone(), (fs::read(&path).expect("readable"), written));
            }
        }
    }
    files
}

#[test]
fn fault_11_a_command_that_is_killed_while_it_reads_leaves_the_chain_as_it_was() {
    let home = quiet_home(&easiest(), 20);
    let list = home.list();
    let began = Instant::now();
    assert_eq!(home.list(), list);
    let whole = began.elapsed();
    let before = files(&home);
    for step in 0..40 {
        let mut reader = home.start_wallet(&["list-addresses"]);
        // Not to wait for anything: to be killed at another moment each time.
        std::thread::sleep(whole * step / 40);
        reader.kill();
        assert_eq!(changed(&home, &before), NOTHING, "killed at {step} of 40");
    }
    assert_eq!(home.list(), list);
}

#[test]
fn fault_11_an_empty_chain_file_is_filled_again() {
    let victim = Victim::start();
    let home = wallet_beside(&victim);
    fs::write(home.chain_file(), "").expect("written");
    let outcome = home.wallet(&["list-addresses", "--json"]);
    assert_eq!(outcome.json()["height"], 0);
    assert!(outcome.stderr.contains("never_synchronised"), "{outcome:?}");
    home.wallet_json(&["sync", "--once"]);
    assert_eq!(Branch::of(&home).fork(2).tip(), victim.chain.tip());
}

/// Another data directory of a miner's network, with its chain, the keys of Alice and Bob, and a
/// payment of two coins from her to him that nobody has heard of.
fn wallet_beside(victim: &Victim) -> Home {
    let home = victim.network.home();
    victim.chain.write_to(&home);
    home.import("alice", &Alice.key());
    home.import("bob", &Bob.key());
    home.wallet_json(&["send", "alice", "2", "bob", "--offline"]);
    home
}

/// Truncates a file to so many bytes and asserts that these commands fail with 1 and this code,
/// naming the file and what to do, and touch nothing.
fn fails_truncated(home: &Home, file: &Path, bytes: usize, code: &str, commands: &[&[&str]]) {
    let whole = fs::read(file).expect("readable");
    fs::write(file, &whole[..bytes]).expect("written");
    let before = files(home);
    for command in commands {
        let outcome = home.wallet(&[command, &["--json"][..]].concat());
        let (given, message) = outcome.error(1);
        assert_eq!(given, code, "{bytes} bytes, {command:?}");
        assert!(message.contains(&path_text(file)), "{message}");
        assert!(message.contains("move it away"), "{message}");
    }
    assert_eq!(changed(home, &before), NOTHING, "{bytes} bytes");
    fs::write(file, whole).expect("written");
}

/// Pays Bob a coin of Alice's.
const SEND: [&str; 5] = ["send", "alice", "1", "bob", "--offline"];

#[test]
fn fault_12_a_truncated_chain_is_named_and_comes_back() {
    let victim = Victim::start();
    let home = wallet_beside(&victim);
    let file = home.chain_file();
    let whole = fs::read(&file).expect("readable");
    for bytes in [50, 100, 4_096, whole.len() / 2, whole.len() - 4_096] {
        let commands: [&[&str]; 3] = [&["list-addresses"], &SEND, &["sync", "--once"]];
        fails_truncated(&home, &file, bytes, "damaged_chain", &commands);
    }
    fs::write(&file, &whole[..whole.len() / 2]).expect("written");
    let (code, message) = home.miner_outcome(&["--json"]).error(1);
    assert_eq!(code, "damaged_chain", "{message}");

    // As it is told to do: the chain is downloaded, keys and payment are still there.
    fs::rename(&file, home.path().join("damaged")).expect("moved away");
    home.wallet_json(&["sync", "--once"]);
    wait_until("the payment is mined, and the wallet has heard of it", || {
        home.wallet_json(&["sync", "--once"]);
        (home.balance("alice"), home.balance("bob")) == (7 * COIN, 3 * COIN)
    });
}

#[test]
fn fault_12_a_truncated_outbox_is_named_and_the_rest_is_kept() {
    let victim = Victim::start();
    let home = wallet_beside(&victim);
    let file = home.network_folder().join("wallet.db");
    let whole = fs::read(&file).expect("readable").len();
    for bytes in [1, 50, 100, 4_096, 5_000, whole - 1] {
        let commands: [&[&str]; 2] = [&["list-addresses"], &SEND];
        fails_truncated(&home, &file, bytes, "damaged_outbox", &commands);
    }
    fs::rename(&file, home.path().join("damaged")).expect("moved away");
    assert_eq!(home.balance("alice"), 9 * COIN);
    assert_eq!(home.wallet_json(&SEND)["sequence"], 1);
}

#[test]
fn fault_14_no_name_leads_out_of_the_key_folder() {
    let home = TestNetwork::new().home();
    let folder = home.path().parent().expect("a temporary folder").to_owned();
    let absolute = path_text(&folder.join("evil"));
    for name in
        ["../evil", "../../evil", "a/../../evil", "a/b", &absolute, "..", ".", ".hidden", ""]
    {
        let outcome = home.wallet(&["new-address", name, "--json"]);
        assert_eq!(outcome.error(4).0, "bad_name", "{name:?}");
        let entries = fs::read_dir(&folder).expect("readable").count();
        assert_eq!(entries, 0, "{name:?} has written something");
    }
    let outcome = home.miner_outcome(&["--reward-to", "../evil", "--json"]);
    assert_eq!(outcome.error(4).0, "bad_name");
    assert!(!home.keys().exists() && !folder.join("evil.pem").exists());
}

#[test]
fn fault_14_keys_are_readable_by_their_owner_only() {
    let home = TestNetwork::new().home();
    home.new_address("alice");
    // The miner makes one, too.
    assert_eq!(home.miner_outcome(&["--blocks", "1", "--threads", "1"]).code, 0);
    let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
    for name in ["alice.pem", "mining-rewards.pem"] {
        assert_eq!(mode(&home.keys().join(name)), 0o600, "{name}");
    }
    for folder in [home.keys(), home.path(), home.network_folder()] {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
    }
}

#[test]
fn fault_16_every_error_has_its_exit_code_and_says_what_is_wrong() {
    let network = TestNetwork::new();
    let (home, empty, damaged) = (network.home(), network.home(), network.home());
    let _miner = home.mine(&[]);
    home.new_address("alice");
    wait_until("coins", || home.balance("mining-rewards") > 0);
    empty.new_address("alice");
    fs::create_dir_all(damaged.network_folder()).expect("a folder");
    fs::write(damaged.chain_file(), [0x5a; 5_000]).expect("written");
    let deaf = network.on_other_ports().home();
    let cases: [(&Home, &[&str], i32); 10] = [
        (&damaged, &["list-addresses"], 1),
        (&home, &["no-such-command"], 2),
        (&home, &["list-addresses", "--set", "rules.difficulty=999"], 2),
        (&home, &["send", "alice", "1", "mining-rewards"], 3),
        (&home, &["send", "mining-rewards", "one", "alice"], 4),
        (&home, &["send", "nobody", "1", "alice"], 4),
        (&empty, &["send", "alice", "1", "alice", "--offline"], 5),
        (&deaf, &["sync", "--once"], 5),
        (&home, &["new-address", "alice"], 6),
        (&deaf, &["sync", "--once", "--timeout", "1"], 7),
    ];
    for (home, arguments, exit) in cases {
        is_an_error(&home.wallet(arguments), exit);
    }
    is_an_error(&home.miner_outcome(&[]), 8);
}

fn is_an_error(outcome: &Outcome, exit: i32) {
    assert_eq!((outcome.code, outcome.stdout.as_str()), (exit, ""), "{outcome:?}");
    let message = outcome.stderr.lines().find_map(|line| line.strip_prefix("error: "));
    assert!(message.is_some_and(|text| text.len() > 15), "{outcome:?}");
    assert!(!outcome.stderr.contains("panicked"), "{outcome:?}");
}

#[test]
fn fault_16_a_payment_that_is_sent_is_told() {
    let home = quiet_home(&easiest(), 1);
    let told = home.wallet(&["send", "alice", "2.5", "bob", "--fee", "0.1", "--offline"]);
    assert_eq!(told.code, 0, "{told:?}");
    let mut payment = payment(Alice.account(), 0, "2.5", Bob.account());
    payment.fee = "0.1".parse().expect("an amount");
    let id = payment.id(home.network().id()).to_string();
    for part in [&id, "payment 1 of alice: 2.500000 to bob, fee 0.100000"] {
        assert!(told.stdout.contains(part), "no {part:?} in {told:?}");
    }
}

#[test]
fn fault_17_a_command_that_reads_writes_nothing() {
    let home = quiet_home(&easiest(), 20);
    home.wallet_json(&["send", "alice", "1", "bob", "--offline"]);
    let before = files(&home);
    for arguments in [&["list-addresses"][..], &["list-addresses", "--json"], &["--version"]] {
        assert_eq!(home.wallet(arguments).code, 0);
        assert_eq!(changed(&home, &before), NOTHING, "{arguments:?}");
    }
}

#[test]
fn fault_17_what_a_command_costs_does_not_grow_with_the_chain() {
    let [short, long] = [20, 2_000].map(|blocks| quiet_home(&easiest(), blocks));
    assert_eq!((short.tip().0, long.tip().0), (20, 2_000));
    for arguments in [&["list-addresses"][..], &["new-address", "carol"], &SEND] {
        let [few, many] = [&short, &long].map(|home| {
            let mut command = home.start_wallet(arguments);
            let traffic = command.wait_for_traffic();
            assert!(command.wait().success(), "{arguments:?}");
            traffic
        });
        assert!(many.read <= 2 * few.read, "{arguments:?}: {few:?}, {many:?}");
        assert!(many.written <= 2 * few.written, "{arguments:?}: {few:?}, {many:?}");
    }
}
