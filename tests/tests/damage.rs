//! Bits that flip at random places of a data directory: what the programs then say is true, or
//! names the file that is damaged.
//!
//! `CAIRN_FLIPS=1000 cargo test --release -p cairn-tests --test damage` tries so many places of each
//! file, and `CAIRN_SEED=7` others. That `miner check` finds every change of the chain is shown in
//! `ledger/tests/ledger/random_damage.rs`.

use std::fs;
use std::path::Path;

use cairn_forge::Recipe;
use cairn_protocol::hash::sha256;
use cairn_tests::{Home, Outcome, TestNetwork, path_text, wait_for};
use serde_json::Value;

const PLACES: u32 = 25;
const SEED: u32 = 1;
/// After every so many flips of the chain a miner starts, too.
const MINERS: u32 = 8;
const SEND: [&str; 6] = ["send", "account-1", "1", "account-2", "--offline", "--json"];

/// A number from the environment.
fn setting(name: &str) -> Option<u32> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}

/// A chain with payments, and its keys.
fn quiet_home() -> Home {
    let home = TestNetwork::forged().home();
    home.forge(&Recipe { blocks: 60, payments: 3, ..Recipe::default() });
    home
}

/// Flips a bit of a file again and again, each time another, and looks.
fn flip(file: &Path, mut look: impl FnMut(u32, &str)) {
    let whole = fs::read(file).expect("readable");
    let seed = setting("CAIRN_SEED").unwrap_or(SEED);
    for number in 0..setting("CAIRN_FLIPS").unwrap_or(PLACES) {
        let [a, b, c, d, ..] = sha256(&[&seed.to_le_bytes(), &number.to_le_bytes()]);
        let place = u32::from_be_bytes([a, b, c, d]) as usize % (8 * whole.len());
        let mut flipped = whole.clone();
        flipped[place / 8] ^= 1 << (place % 8);
        fs::write(file, &flipped).expect("written");
        look(number, &format!("bit {place} of {}", file.display()));
    }
}

/// The JSON of a success; nothing, if the error names the file and says what to do.
fn answer(outcome: &Outcome, file: &Path, what: &str) -> Option<Value> {
    if outcome.code == 0 {
        return Some(outcome.json());
    }
    let (code, message) = outcome.error(1);
    assert!(["damaged_chain", "damaged_outbox", "permission"].contains(&&*code), "{what}: {code}");
    let told = message.contains(&path_text(file)) && message.contains("move it away");
    assert!(told, "{what}: {message}");
    None
}

/// The tip that a miner starts with, if it starts.
fn start(home: &Home, what: &str) -> Option<(u64, String)> {
    let mut miner = home.start_miner(&["--reward-to", "account-1"]);
    let starts = wait_for("a start or an end", || {
        let started = !miner.events_of("started").is_empty();
        (started || !miner.process().is_running()).then_some(started)
    });
    if starts {
        return Some(miner.tip());
    }
    answer(&Outcome::of(miner.process()), &home.chain_file(), what)?;
    panic!("{what}: a miner that cannot start does not succeed")
}

#[test]
fn behaviour_53_a_damaged_chain_never_shows_wrong_money() {
    let home = quiet_home();
    let (file, truth, tip) = (home.chain_file(), home.list(), home.tip());
    flip(&file, |number, what| {
        let listed = answer(&home.wallet(&["list-addresses", "--json"]), &file, what);
        assert!(listed.is_none_or(|listed| listed == truth), "{what}");
        if number % MINERS == 0 {
            assert!(start(&home, what).is_none_or(|started| started == tip), "{what}");
        }
        for end in ["-wal", "-shm"] {
            // There is one only if somebody could open the chain.
            let _ = fs::remove_file(path_text(&file) + end);
        }
    });
}

#[test]
fn behaviour_53_a_damaged_outbox_gives_no_sequence_out_twice() {
    let home = quiet_home();
    let sequence = |sent: &Value| sent["sequence"].as_u64().expect("a number");
    let last = [(); 3].map(|()| sequence(&home.wallet(&SEND).json()))[2];
    let file = home.network_folder().join("wallet.db");
    flip(&file, |_, what| {
        let sent = answer(&home.wallet(&SEND), &file, what);
        assert!(sent.is_none_or(|sent| sequence(&sent) == last + 1), "{what}");
    });
}

#[test]
fn behaviour_53_a_damaged_key_file_shows_no_other_address() {
    let home = quiet_home();
    let address = Value::from(home.new_address("carol"));
    flip(&home.keys().join("carol.pem"), |_, what| {
        let listed = home.wallet(&["list-addresses", "--json"]);
        let list: Value = serde_json::from_str(&listed.stdout).expect("a list");
        let mut entries = list["addresses"].as_array().expect("a list").iter();
        match entries.find(|entry| entry["name"] == "carol") {
            Some(carol) => assert_eq!(carol["address"], address, "{what}"),
            None => assert!(listed.stderr.contains("carol.pem holds no usable key"), "{listed:?}"),
        }
    });
}
