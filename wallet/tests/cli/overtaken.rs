//! A payment in whose place a copy of its key has paid elsewhere.

use std::fs;

use cairn_home::Outbox;
use cairn_ledger::Ledger;
use cairn_protocol::{Payment, SecretKey, Transaction};
use serde_json::Value;

use crate::chain;
use crate::home::{Home, Outcome, wait_for};

/// A data directory in which `rich` has 20 coins, and `alice` none; and its chain.
fn rich() -> (Home, Ledger) {
    let home = Home::new();
    let rich = home.new_address("rich");
    home.new_address("alice");
    let mut ledger = home.chain();
    chain::mine(&mut ledger, rich, 3);
    (home, ledger)
}

/// The payment that is recorded here, once there is one.
fn recorded(home: &Home, ledger: &Ledger) -> Transaction {
    wait_for("a recorded payment", || {
        let outbox = Outbox::open_existing(&home.chain_folder()).expect("readable")?;
        outbox.unconfirmed(&ledger.reader().expect("readable")).expect("readable").pop()
    })
}

/// Adds a block with another payment of the same sequence.
fn overtake(home: &Home, ledger: &mut Ledger, payment: Transaction) {
    let pem = fs::read_to_string(home.key_file("rich")).expect("readable");
    let (pem, _) = pem.split_once("public key").expect("it stands after the PEM");
    let key = SecretKey::from_pem(pem).expect("a key");
    let other = Payment { recipient: key.account(), ..payment.payment };
    let other = key.sign(other, chain::network().id());
    let tip = ledger.tip().block;
    chain::mine_on(ledger, tip, key.account(), &[other]);
}

/// A data directory with an overtaken payment of 2.5 coins, and the payment's id.
fn overtaken() -> (Home, Ledger, String) {
    let (home, mut ledger) = rich();
    let sent = home.json(&["send", "rich", "2.5", "alice", "--offline"]);
    let payment = recorded(&home, &ledger);
    overtake(&home, &mut ledger, payment);
    (home, ledger, sent["txid"].as_str().expect("a text").to_owned())
}

#[test]
fn it_is_told_once() {
    let (home, _ledger, txid) = overtaken();
    assert_eq!(home.run(&["list-addresses", "-q"]).stderr, "", "it is not told in vain");
    let outcome = home.run(&["list-addresses", "--json"]);
    let note: Value = serde_json::from_str(&outcome.stderr).expect("one note");
    assert_eq!(note["note"]["code"], "overtaken");
    let message = note["note"]["message"].as_str().expect("a text");
    for part in ["payment of 2.500000 from rich to alice", &txid, "block 4", "send it again"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(home.run(&["list-addresses", "--json"]).stderr, "");
    let again = home.json(&["send", "rich", "2.5", "alice", "--offline"]);
    assert_eq!(again["sequence"], 1);
}

#[test]
fn sync_and_send_tell_it_too() {
    for arguments in [&["sync", "--once"][..], &["send", "rich", "1", "alice"]] {
        let (home, _ledger, txid) = overtaken();
        let outcome = home.run(arguments);
        assert_eq!(outcome.code, 0, "{outcome:?}");
        assert_eq!(outcome.stderr.matches(&txid).count(), 1, "{outcome:?}");
    }
}

#[test]
fn it_is_not_waited_for_and_not_told_again() {
    let (home, mut ledger) = rich();
    let sending = home.start(&["send", "rich", "1", "alice", "--wait", "--json"]);
    let payment = recorded(&home, &ledger);
    overtake(&home, &mut ledger, payment);
    let outcome = Outcome::of(sending);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("{\"error\":{\"code\":\"overtaken\""), "{outcome:?}");
    assert_eq!(home.run(&["list-addresses"]).stderr, "");
}
