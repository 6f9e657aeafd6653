//! `wallet send`.

use std::collections::BTreeSet;

use cairn_home::Outbox;
use cairn_ledger::LedgerReader;
use cairn_protocol::{AccountId, Address};

use crate::chain;
use crate::home::{Home, Outcome, name, wait_for};
use crate::peer::Peer;
use crate::stranger::Stranger;

/// A data directory in which `rich` has 20 coins, and `alice` none.
fn rich() -> Home {
    let home = Home::new();
    let rich = home.new_address("rich");
    home.new_address("alice");
    chain::mine(&mut home.chain(), rich, 3);
    home
}

#[test]
fn a_payment_is_recorded_and_told() {
    let home = rich();
    let sent = home.json(&["send", "rich", "2.5", "alice", "--fee", "0.25", "--offline"]);
    let list = home.json(&["list-addresses"]);
    assert_eq!(sent["to"], list["addresses"][0]["address"]);
    assert_eq!(sent["from"], list["addresses"][1]["address"]);
    assert_eq!([&sent["amount"], &sent["fee"]], ["2.500000", "0.250000"]);
    assert_eq!((sent["sequence"].as_u64(), sent["status"].as_str()), (Some(0), Some("pending")));
    assert!(sent["height"].is_null());
    assert_eq!(sent["txid"].as_str().expect("hex").len(), 64);
    let next = home.json(&["send", "rich", "1", "rich", "--offline"]);
    assert_eq!(next["sequence"], 1);
    let text = home.run(&["send", "rich", "1", "alice", "--offline"]).stdout;
    assert!(text.contains("payment 3 of rich: 1.000000 to alice"), "{text}");
    assert!(text.contains("A miner or `wallet sync`"), "{text}");
}

#[test]
fn sender_and_recipient_may_be_given_by_address() {
    let home = rich();
    let list = home.json(&["list-addresses"]);
    let address = |row: usize| list["addresses"][row]["address"].as_str().expect("text").to_owned();
    let [alice, rich] = [address(0), address(1)];
    let sent = home.json(&["send", &rich, "1", &alice.to_uppercase(), "--offline"]);
    assert_eq!([&sent["from"], &sent["to"]], [rich.as_str(), alice.as_str()]);
    let stranger = Home::new().json(&["new-address", "stranger"])["address"].clone();
    let stranger = stranger.as_str().expect("text");
    assert_eq!(home.json(&["send", "rich", "1", stranger, "--offline"])["to"], stranger);
    let (code, message) = home.error(&["send", stranger, "1", "alice", "--offline"], 4);
    assert_eq!(code, "not_local");
    assert!(message.ends_with("the names are alice, rich"), "{message}");
}

#[test]
fn behaviour_60_each_kind_of_bad_input_has_its_code_and_records_nothing() {
    let home = rich();
    let weak = Address::new(name(), AccountId([0; 32])).to_string();
    let list = home.json(&["list-addresses"]);
    let typo = list["addresses"][0]["address"].as_str().expect("text").replace("test1", "test1q");
    let memo = "x".repeat(513);
    let cases: [(&[&str], i32, &str); 14] = [
        (&["rich", "1e3", "alice"], 4, "bad_amount"),
        (&["rich", "-1", "alice"], 4, "bad_amount"),
        (&["rich", "", "alice"], 4, "bad_amount"),
        (&["rich", "0.0000001", "alice"], 4, "bad_amount"),
        (&["rich", "0", "alice"], 4, "bad_amount"),
        (&["rich", "1", "alice", "--fee", "NaN"], 4, "bad_amount"),
        (&["rich", "9223372036854.775807", "alice", "--fee", "0.000001"], 4, "bad_amount"),
        (&["nobody", "1", "alice"], 4, "unknown_name"),
        (&["rich", "1", "nobody"], 4, "unknown_name"),
        (&["rich", "1", "../evil"], 4, "bad_name"),
        (&["rich", "1", &typo], 4, "bad_address"),
        (&["rich", "1", &weak], 4, "bad_address"),
        (&["rich", "1", "alice", "--memo", &memo], 2, "memo_too_long"),
        (&["rich", "20.000001", "alice"], 3, "insufficient_funds"),
    ];
    for (arguments, exit, expected) in cases {
        let arguments = [&["send", "--offline"], arguments].concat();
        let (code, message) = home.error(&arguments, exit);
        assert_eq!(code, expected, "{arguments:?}: {message}");
        assert!(message.len() > 20, "{message}");
    }
    let sent = home.json(&["send", "rich", "20", "alice", "--offline"]);
    assert_eq!(sent["sequence"], 0, "nothing was recorded before");
}

#[test]
fn what_is_under_way_cannot_be_spent_twice() {
    let home = rich();
    home.json(&["send", "rich", "15", "alice", "--offline"]);
    let (code, message) =
        home.error(&["send", "rich", "5", "alice", "--fee", "0.1", "--offline"], 3);
    assert_eq!(code, "insufficient_funds");
    assert!(message.contains("rich has 20.000000, of which 5.000000 is free"), "{message}");
    assert!(message.contains("takes 5.100000"), "{message}");
    home.json(&["send", "rich", "5", "alice", "--offline"]);
}

#[test]
fn who_never_synchronised_cannot_pay() {
    let home = Home::new();
    home.new_address("alice");
    home.new_address("bob");
    let (code, message) = home.error(&["send", "alice", "1", "bob", "--offline"], 5);
    assert_eq!(code, "never_synchronised");
    assert!(message.contains("nothing was recorded"), "{message}");
    assert!(!home.chain_folder().exists());
    let mut ledger = home.chain();
    assert_eq!(home.error(&["send", "alice", "1", "bob", "--offline"], 5).0, code);
    let alice = home.json(&["list-addresses"])["addresses"][0]["address"].clone();
    chain::mine(&mut ledger, crate::home::account(&alice), 2);
    home.json(&["send", "alice", "1", "bob", "--offline"]);
}

#[test]
fn behaviour_59_twelve_at_once_are_recorded_with_consecutive_sequences() {
    let home = rich();
    let sends: Vec<_> = (0..12)
        .map(|_| home.start(&["send", "rich", "1", "alice", "--offline", "--json"]))
        .collect();
    let sequences: BTreeSet<_> = sends
        .into_iter()
        .filter_map(|child| Outcome::of(child).json()["sequence"].as_u64())
        .collect();
    assert_eq!(sequences, (0..12).collect());
}

#[test]
fn behaviour_54_a_payment_is_waited_for_beside_the_process_that_confirms_it() {
    let home = rich();
    let mut ledger = home.chain();
    let miner = home.new_address("miner");
    let sending = home.start(&["send", "rich", "1", "alice", "--wait=2", "--json"]);
    let payment = wait_for("a recorded payment", || {
        let outbox = Outbox::open_existing(&home.chain_folder()).expect("readable")?;
        outbox.unconfirmed(&ledger.reader().expect("readable")).expect("readable").pop()
    });
    let tip = ledger.tip().block;
    let holder = chain::mine_on(&mut ledger, tip, miner, &[payment]);
    chain::mine(&mut ledger, miner, 1);
    let sent = Outcome::of(sending).json();
    assert_eq!(
        (&sent["status"], &sent["height"]),
        (&"confirmed".into(), &holder.height.get().into())
    );
}

#[test]
fn what_is_not_confirmed_in_time_is_kept() {
    let home = rich();
    let _ledger = home.chain();
    let outcome = home.run(&["send", "rich", "1", "alice", "--wait", "--timeout", "1", "--json"]);
    assert_eq!(outcome.code, 7, "{outcome:?}");
    assert!(outcome.stdout.contains("\"status\":\"pending\",\"height\":null"), "{outcome:?}");
    assert!(outcome.stderr.contains("{\"error\":{\"code\":\"timed_out\""), "{outcome:?}");
    let list = home.json(&["list-addresses"]);
    assert_eq!(list["addresses"][0]["pending"], "+1.000000");
}

#[test]
fn a_wallet_by_itself_synchronises_pays_and_waits() {
    let (there, here) = (Home::new(), Home::new());
    let [rich, _] = ["rich", "alice"].map(|name| here.new_address(name));
    let mut ledger = there.chain();
    chain::mine(&mut ledger, rich, 3);
    let peer = Peer::start(ledger, rich);
    let address = peer.address();
    let sent = here.json(&["send", "rich", "1", "alice", "--peer", &address]);
    assert_eq!(sent["status"], "pending");
    peer.wait_for_payments(1);

    let waiting =
        here.start(&["send", "rich", "2", "alice", "--peer", &address, "--wait", "--json"]);
    peer.wait_for_payments(2);
    peer.mine(3);
    let sent = Outcome::of(waiting).json();
    assert_eq!((&sent["status"], &sent["height"]), (&"confirmed".into(), &4.into()));
    let list = here.json(&["list-addresses"]);
    assert_eq!(list["addresses"][0]["balance"], "3.000000");
}

#[test]
fn behaviour_58_a_recorded_payment_is_sent_by_the_next_sync() {
    let (there, here) = (Home::new(), Home::new());
    let [rich, _] = ["rich", "alice"].map(|name| here.new_address(name));
    let mut ledger = there.chain();
    chain::mine(&mut ledger, rich, 3);
    let peer = Peer::start(ledger, rich);
    here.json(&["sync", "--once", "--peer", &peer.address()]);
    here.json(&["send", "rich", "1", "alice", "--offline"]);
    here.json(&["sync", "--once", "--peer", &peer.address()]);
    peer.wait_for_payments(1);
}

#[test]
fn a_payment_leaves_by_a_link_that_comes_up_late() {
    let home = rich();
    let stranger = Stranger::new(7);
    let sending = home.start(&["send", "rich", "1", "alice", "--peer", &stranger.address()]);
    let mut line = stranger.accept();
    let recorded = wait_for("a recorded payment", || {
        let outbox = Outbox::open_existing(&home.chain_folder()).expect("readable")?;
        let reader = LedgerReader::open(&home.chain_folder(), &chain::network()).expect("a chain");
        outbox.unconfirmed(&reader).expect("readable").pop()
    });
    stranger.greet(&mut line);
    assert_eq!(line.payment(), Some(recorded));
    drop(line);
    assert_eq!(Outcome::of(sending).code, 0);
}

#[test]
fn a_sync_sends_what_waits_to_every_named_peer_before_it_ends() {
    let home = rich();
    for _ in 0..3 {
        home.json(&["send", "rich", "1", "alice", "--offline"]);
    }
    let (early, late) = (Stranger::new(7), Stranger::new(8));
    let (one, two) = (early.address(), late.address());
    let syncing = home.start(&["sync", "--once", "--peer", &one, "--peer", &two]);
    let mut lines = [early.accept(), late.accept()];
    // The wallet is level as soon as it hears of one.
    early.greet(&mut lines[0]);
    let first = lines[0].payment().expect("sent");
    late.greet(&mut lines[1]);
    // The link may come up between two payments; then some come twice.
    let sequences = lines.map(|mut line| {
        let received = std::iter::from_fn(|| line.payment());
        received.map(|one| one.payment.sequence.get()).collect::<BTreeSet<_>>()
    });
    assert_eq!(first.payment.sequence.get(), 0);
    assert_eq!(sequences[1], (0..3).collect(), "all, though the link came up late");
    assert!(sequences[0].is_superset(&(1..3).collect()), "{sequences:?}");
    assert_eq!(Outcome::of(syncing).code, 0);
}

#[test]
fn peers_that_do_not_answer_hold_nothing_up_for_long() {
    let home = rich();
    home.json(&["send", "rich", "1", "alice", "--offline"]);
    let (here, mute) = (Stranger::new(7), Stranger::new(8));
    let (one, two) = (here.address(), mute.address());
    let syncing = home.start(&["sync", "--once", "--peer", &one, "--peer", &two]);
    let (mut line, _mute) = (here.accept(), mute.accept());
    here.greet(&mut line);
    assert!(line.payment().is_some());
    drop(line);
    assert_eq!(Outcome::of(syncing).code, 0);
}
