//! What bad input gets: a clear error, the right exit code, and nothing lost.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use cairn_tests::{Home, Miner, Process, Program, TestNetwork, text, wait_for, wait_until};

/// A data directory with some coins and a key `alice`, and its miner.
fn rich() -> (Home, Miner) {
    let home = TestNetwork::new().home();
    let miner = home.mine(&[]);
    home.new_address("alice");
    wait_until("coins", || home.balance("mining-rewards") >= 10_000_000);
    (home, miner)
}

/// Runs a wallet command that fails with this exit code and error code; returns the message.
fn refused(home: &Home, arguments: &[&str], exit: i32, code: &str) -> String {
    let (given, message) = home.wallet(&[arguments, &["--json"]].concat()).error(exit);
    assert_eq!(given, code, "{arguments:?}: {message}");
    message
}

#[test]
fn behaviour_60_malformed_payments_are_refused_and_nothing_is_recorded() {
    let (home, _miner) = rich();
    let send = |amount: &str, to: &str, code: &str| {
        refused(&home, &["send", "mining-rewards", amount, to], 4, code)
    };
    let alice = home.new_address("copied");
    let mut typo = alice.clone().into_bytes();
    typo[20] = if typo[20] == b'q' { b'p' } else { b'q' };
    let message = send("1", &String::from_utf8(typo).expect("text"), "bad_address");
    assert!(message.contains("typing error"), "{message}");
    send("1", &alice[..40], "bad_address");
    let foreign = TestNetwork::new().home().new_address("foreign");
    let message = send("1", &foreign, "bad_address");
    assert!(message.contains("belongs to the network"), "{message}");
    let message = send("1", "nobody", "unknown_name");
    assert!(message.contains("alice"), "the names that there are: {message}");
    refused(&home, &["send", "nobody", "1", "alice"], 4, "unknown_name");
    refused(&home, &["send", "mining-rewards", "99999999", "alice"], 3, "insufficient_funds");

    // All of it left no trace: the first payment recorded is the first.
    let sent = home.wallet_json(&["send", "mining-rewards", "1", "alice"]);
    assert_eq!(sent["sequence"], 0);
}

#[test]
fn behaviour_60_keys_are_never_overwritten() {
    let home = TestNetwork::new().home();
    home.new_address("alice");
    let file = home.keys().join("alice.pem");
    let before = fs::read(&file).expect("a key");
    let message = refused(&home, &["new-address", "alice"], 6, "name_exists");
    assert!(message.contains("another name"), "{message}");
    assert_eq!(fs::read(&file).expect("a key"), before);
}

#[test]
fn fault_12_damaged_key_files_are_named_and_left_alone() {
    let (home, _miner) = rich();
    let file = home.keys().join("alice.pem");
    let whole = fs::read(&file).expect("a key");
    for damaged in [&whole[..60], b"", b"-----BEGIN nonsense"] {
        fs::write(&file, damaged).expect("written");
        let message = refused(&home, &["send", "alice", "1", "mining-rewards"], 6, "bad_key_file");
        assert!(message.contains("alice.pem"), "{message}");
        assert_eq!(fs::read(&file).expect("a key"), damaged);
    }
    let outcome = home.miner_outcome(&["--reward-to", "alice", "--json"]);
    assert_eq!(outcome.error(6).0, "bad_key_file");
    fs::write(&file, whole).expect("written");
    assert_eq!(home.balance("alice"), 0);
}

#[test]
fn a_damaged_chain_is_named_and_kept() {
    let (home, mut miner) = rich();
    miner.process().kill();
    let file = home.chain_file();
    for log in ["chain.db-wal", "chain.db-shm"] {
        // What the log holds is not in the file yet; without it, only damage is left.
        let _ = fs::remove_file(file.with_file_name(log));
    }
    let damaged = vec![0x5a; 20_000];
    fs::write(&file, &damaged).expect("written");
    let (code, message) = home.miner_outcome(&["--json"]).error(1);
    assert_eq!(code, "damaged_chain");
    assert!(message.contains("chain.db") && message.contains("move it away"), "{message}");
    refused(&home, &["list-addresses"], 1, "damaged_chain");
    assert_eq!(fs::read(&file).expect("the file"), damaged);

    fs::remove_file(&file).expect("moved away");
    home.mine(&[]).wait_for_mined(1);
    home.list();
}

#[test]
fn a_port_that_was_set_by_hand_and_is_taken_is_an_error() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = taken.local_addr().expect("bound").port();
    let home = TestNetwork::new().with(&format!("ports.blocks={port}")).home();
    let (code, message) = home.miner_outcome(&["--json"]).error(2);
    assert_eq!(code, "port_in_use");
    assert!(message.contains(&port.to_string()) && message.contains("ports.blocks"), "{message}");
}

#[test]
fn a_peer_with_other_rules_is_told_by_the_rule() {
    let network = TestNetwork::new();
    let (ours, theirs) =
        (network.home(), network.with_rules(|rules| rules.reward_maturity = 7).home());
    let other = theirs.mine(&[]);
    let miner = ours.mine(&["--peer", &other.address()]);
    let rule = "rules.reward_maturity is 0 here and 7 there";
    wait_until("a warning that names the rule", || {
        let mut warnings = miner.events_of("warning").into_iter();
        warnings.any(|event| event["message"].as_str().is_some_and(|text| text.contains(rule)))
    });
    miner.wait_for_mined(1);
}

#[test]
fn a_wallet_that_never_heard_of_anybody_sends_nothing() {
    let home = TestNetwork::new().home();
    home.new_address("alice");
    home.new_address("bob");
    let list = home.list();
    assert_eq!(list["height"], 0);
    assert!(!home.chain_file().exists(), "a command that only reads creates no chain");
    for how in [&[][..], &["--offline"]] {
        let arguments = [&["send", "alice", "1", "bob"], how].concat();
        let (_, message) = home.wallet(&[&arguments[..], &["--json"]].concat()).error(5);
        assert!(message.len() > 10, "{message}");
    }
}

#[test]
fn more_threads_than_cores_are_allowed_with_a_warning() {
    let cores = thread::available_parallelism().expect("this machine tells").get();
    let more = (cores + 1).to_string();
    let home = TestNetwork::new().home();
    let mut command = home.command(Program::Miner, &["--threads", &more]);
    let process = Process::start(&mut command);
    let line = wait_for("the second line", || process.stdout().get(1).cloned());
    let words =
        format!("warning: {more} searching threads, but this machine runs {cores} at once: ");
    assert!(line.starts_with(&words), "{line}");
    drop(process);

    let setting = format!("miner.threads={more}");
    let mut command = home.command(Program::Miner, &["--json", "--set", &setting]);
    let miner = Miner::of(Process::start(&mut command));
    let message = text(&miner.wait_for_warning("many_threads")["message"]);
    assert!(message.contains("set miner.threads or --threads to 0"), "{message}");
    assert_eq!(miner.events()[0]["event"], "started");
}

#[test]
fn zero_threads_search_on_all_cores_without_a_warning() {
    let home = TestNetwork::new().home();
    for zero in [["--threads", "0"], ["--set", "miner.threads=0"]] {
        let outcome = home.miner_outcome(&[&["--blocks", "1"], &zero[..]].concat());
        assert_eq!(outcome.code, 0, "{outcome:?}");
        assert!(!outcome.stdout.contains("searching threads"), "{outcome:?}");
    }
}
