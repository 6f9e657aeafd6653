//! Everything at once in one data directory: a miner, a `wallet sync`, ten that look and ten that
//! pay, each again and again.
//!
//! `CAIRN_CROWD=60 cargo test --release -p cairn-tests --test crowd -- --nocapture` keeps it up for a
//! minute.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use cairn_tests::{Home, TestNetwork, micros, text, wait_until};

/// For how long, in seconds.
const SECONDS: u64 = 4;
/// How many look, and how many pay; every second one pays from the same key.
const LOOKERS: usize = 10;
const PAYERS: usize = 10;
const KEYS: [&str; 2] = ["mining-rewards", "alice"];
/// Micro-coins that a block creates.
const SUBSIDY: u64 = 10_000_000;

/// The sequence and id of a payment, as `send` prints them.
type Paid = (u64, String);

/// Lists addresses until the end. All coins belong to the keys here, so each answer must add up.
fn look(home: &Home, end: Instant) -> usize {
    let mut answers = 0;
    while Instant::now() < end {
        let list = home.list();
        let addresses = list["addresses"].as_array().expect("a list");
        let held =
            |entry: &serde_json::Value| micros(&entry["balance"]) + micros(&entry["immature"]);
        let supply: u64 = addresses.iter().map(held).sum();
        assert_eq!(supply, list["height"].as_u64().expect("a height") * SUBSIDY, "{list}");
        answers += 1;
    }
    answers
}

/// Pays until the end, and returns what was acknowledged.
fn pay(home: &Home, from: &str, end: Instant) -> Vec<Paid> {
    let mut paid = Vec::new();
    while Instant::now() < end {
        let sent = home.wallet_json(&["send", from, "0.001", "bob"]);
        paid.push((sent["sequence"].as_u64().expect("a number"), text(&sent["txid"])));
    }
    paid
}

#[test]
#[expect(clippy::print_stderr, reason = "a test's output is where it belongs")]
fn behaviour_54_a_crowd_in_one_data_directory_loses_nothing() {
    let home = TestNetwork::new().home();
    let mut miner = home.mine(&[]);
    for name in ["alice", "bob"] {
        home.new_address(name);
    }
    wait_until("coins", || home.balance(KEYS[0]) >= 3 * SUBSIDY);
    home.wallet_json(&["send", KEYS[0], "10", KEYS[1], "--wait"]);
    let mut sync = home.start_wallet(&["sync"]);

    let seconds =
        std::env::var("CAIRN_CROWD").map_or(SECONDS, |text| text.parse().expect("seconds"));
    let end = Instant::now() + Duration::from_secs(seconds);
    let (looks, paid) = thread::scope(|scope| {
        let lookers: Vec<_> = (0..LOOKERS).map(|_| scope.spawn(|| look(&home, end))).collect();
        let payers = (0..PAYERS).map(|number| {
            let from = KEYS[number % KEYS.len()];
            let home = &home;
            scope.spawn(move || (from, pay(home, from, end)))
        });
        let payers: Vec<_> = payers.collect();
        let mut paid = BTreeMap::<&str, Vec<Paid>>::new();
        for payer in payers {
            let (from, payments) = payer.join().expect("no error");
            paid.entry(from).or_default().extend(payments);
        }
        let looks: usize = lookers.into_iter().map(|looker| looker.join().expect("no error")).sum();
        (looks, paid)
    });
    assert!(miner.process().is_running() && sync.is_running());
    let count: usize = paid.values().map(Vec::len).sum();
    eprintln!("{count} payments and {looks} lists in {seconds} s");

    for (from, mut payments) in paid {
        payments.sort();
        // The coins of the second key came by the first payment of the first.
        let first = u64::from(from == KEYS[0]);
        let sequences = payments.iter().map(|(sequence, _)| *sequence);
        assert!(sequences.eq((first..).take(payments.len())), "{from}: {payments:?}");
        let next = first + payments.len() as u64;
        wait_until("all payments are made", || home.sequence(from) == next);
        let made = home.made_by(from);
        assert_eq!(made[made.len() - payments.len()..], payments, "{from}");
        assert_eq!(made.len() as u64, next);
    }
    assert_eq!(home.miner_outcome(&["check", "--json"]).code, 0);
}
