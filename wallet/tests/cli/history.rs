//! `wallet history`.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use cairn_home::{History, Outbox};
use cairn_ledger::Ledger;
use cairn_protocol::{AccountId, SecretKey, Transaction};
use serde_json::{Value, json};

use crate::chain;
use crate::home::{Home, Outcome, name};
use crate::peer::Peer;

/// Adds a block with the payments that wait here, whose reward is nobody's.
pub(crate) fn confirm(home: &Home, ledger: &mut Ledger) {
    let outbox = Outbox::open(&home.chain_folder()).expect("opens");
    let reader = ledger.reader().expect("readable");
    let waiting: Vec<Transaction> = outbox.unconfirmed(&reader).expect("readable");
    chain::mine_on(ledger, ledger.tip().block, AccountId([8; 32]), &waiting);
}

/// A data directory in which `rich` has mined three blocks; and its chain.
fn rich() -> (Home, Ledger) {
    let home = Home::new();
    let rich = home.new_address("rich");
    let mut ledger = home.chain();
    chain::mine(&mut ledger, rich, 3);
    (home, ledger)
}

fn index(home: &Home) -> PathBuf {
    home.chain_folder().join("history.db")
}

/// Height, kind, name and amount of each entry.
fn told(answer: &Value) -> Value {
    let entries = answer["entries"].as_array().expect("a list").iter();
    let row =
        |entry: &Value| json!([entry["height"], entry["kind"], entry["name"], entry["amount"]]);
    entries.map(row).collect()
}

#[test]
fn a_payment_is_pending_then_in_a_block_and_pending_again_after_a_reorganisation() {
    let (home, mut ledger) = rich();
    let fork = ledger.tip().block;
    home.json(&["send", "rich", "2", "rich", "--fee", "0.5", "--offline"]);
    let mined = [[3, 2, 1].map(|height| json!([height, "reward", "rich", "+10.000000"]))].concat();
    let with = |height: Value| {
        let both = ["received", "sent"].map(|kind| {
            let amount = if kind == "sent" { "-2.000000" } else { "+2.000000" };
            json!([height, kind, "rich", amount])
        });
        [&both[..], &mined].concat()
    };
    let now = || told(&home.json(&["history"])).as_array().expect("a list").clone();
    assert_eq!(now(), with(Value::Null));
    confirm(&home, &mut ledger);
    assert_eq!(now(), with(json!(4)));
    let other = chain::mine_on(&mut ledger, fork, AccountId([7; 32]), &[]);
    chain::mine_on(&mut ledger, other, AccountId([7; 32]), &[]);
    assert_eq!(now(), with(Value::Null));
}

#[test]
fn a_key_that_is_copied_in_is_looked_for_once_and_nothing_but_the_result_is_printed() {
    let (home, mut ledger) = rich();
    let other = SecretKey::from_seed([5; 32]);
    chain::mine(&mut ledger, other.account(), 2);
    assert_eq!(told(&home.json(&["history"])).as_array().map(Vec::len), Some(3));
    // With the mode of a key file of ours.
    fs::copy(home.key_file("rich"), home.key_file("copied")).expect("copied");
    fs::write(home.key_file("copied"), other.to_pem().as_ref()).expect("written");
    let outcome = home.run(&["history", "--last", "2"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:?}");
    assert_eq!(outcome.stdout.matches("copied").count(), 2, "{outcome:?}");
    // Its address names it as well.
    let address = cairn_protocol::Address::new(name(), other.account()).to_string();
    let answer = home.json(&["history", &address]);
    assert_eq!(
        told(&answer),
        json!([[5, "reward", "copied", "+10.000000"], [4, "reward", "copied", "+10.000000"]])
    );
}

#[test]
fn before_any_sync_it_tells_nothing_and_creates_nothing() {
    let home = Home::new();
    let outcome = home.run(&["history", "--json"]);
    let answer = outcome.json();
    assert_eq!((&answer["height"], &answer["entries"]), (&json!(0), &json!([])));
    assert!(outcome.stderr.contains("never_synchronised"), "{outcome:?}");
    assert!(!home.data().exists());
    let home = Home::new();
    home.new_address("alice");
    let plain = home.run(&["history"]);
    assert!(plain.stdout.starts_with("Nothing was received or sent yet."), "{plain:?}");
    assert!(!home.chain_folder().exists());
}

#[test]
fn a_strangers_address_is_not_this_wallets() {
    let (home, _ledger) = rich();
    let address = cairn_protocol::Address::new(name(), AccountId([3; 32])).to_string();
    let (code, message) = home.error(&["history", &address], 4);
    assert_eq!(code, "not_local");
    assert!(message.contains("the names are rich"), "{message}");
}

#[test]
fn a_damaged_index_is_made_anew_with_a_note() {
    let (home, _ledger) = rich();
    let right = home.json(&["history"]);
    let good = fs::read(index(&home)).expect("there");
    let mut flipped = good.clone();
    for at in (4_096..good.len()).step_by(7) {
        flipped[at] ^= 0x10;
    }
    for bytes in [vec![0x5a; 20_000], good[..good.len() / 2].to_vec(), flipped] {
        fs::write(index(&home), bytes).expect("written");
        let outcome = home.run(&["history", "--json"]);
        assert_eq!(outcome.json(), right);
        assert!(outcome.stderr.contains("history_made_anew"), "{outcome:?}");
        assert_eq!(home.run(&["history"]).stderr, "", "it is told once");
    }
    fs::remove_file(index(&home)).expect("removed");
    assert_eq!(home.json(&["history"]), right);
}

#[test]
fn many_at_once_and_some_of_them_killed_tell_the_same() {
    let (home, mut ledger) = rich();
    let other = SecretKey::from_seed([5; 32]).account();
    chain::mine(&mut ledger, other, 1_500);
    // Each at another moment of its search.
    for millis in 0..20 {
        let mut killed = home.start(&["history"]);
        std::thread::sleep(Duration::from_millis(millis));
        killed.kill().expect("our child");
        killed.wait().expect("our child");
        if millis % 4 == 0 {
            // So that there is much to search again.
            let _ = fs::remove_file(index(&home));
        }
    }
    let all = [(); 4].map(|()| home.start(&["history", "--json"])).map(Outcome::of);
    for outcome in all {
        let rows = told(&outcome.json());
        assert_eq!(rows, json!([3, 2, 1].map(|at| json!([at, "reward", "rich", "+10.000000"]))));
    }
}

#[test]
fn whoever_follows_the_chain_indexes_it() {
    let (there, here) = (Home::new(), Home::new());
    // Made before there is a chain here, so it has to be looked for.
    let alice = here.new_address("alice");
    let mut ledger = there.chain();
    chain::mine(&mut ledger, alice, 25);
    let peer = Peer::start(ledger, alice);
    let synced = here.run(&["sync", "--once", "--peer", &peer.address()]);
    // No line tells how far it is, where it would end up in a file.
    assert_eq!((synced.code, synced.stderr.as_str()), (0, ""), "{synced:?}");
    let history = History::open(&here.chain_folder(), &chain::network()).expect("usable");
    let newest = history.newest(&[alice], usize::MAX).expect("usable");
    assert_eq!(newest.len(), 25);
    // Made where a chain is: there is nothing to look for.
    let bob = here.new_address("bob");
    let reader = here.chain().reader().expect("readable");
    assert_eq!(history.behind(&reader, &[alice, bob]).expect("usable"), 0);
}
