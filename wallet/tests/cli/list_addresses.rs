//! `wallet list-addresses`.

use std::fs;

use serde_json::json;

use crate::chain;
use crate::home::Home;

#[test]
fn before_any_sync_it_tells_genesis_and_creates_nothing() {
    let home = Home::new();
    let outcome = home.run(&["list-addresses", "--json"]);
    let genesis = chain::network().genesis_ref().hash.to_string();
    let expected = json!({
        "network": "test", "height": 0, "tip": genesis, "tip_time": 0, "addresses": [],
    });
    assert_eq!(outcome.json(), expected);
    assert!(
        outcome.stderr.starts_with("{\"note\":{\"code\":\"never_synchronised\""),
        "{outcome:?}"
    );
    assert!(!home.data().exists());
    let plain = home.run(&["list-addresses"]);
    assert!(plain.stdout.starts_with("There are no addresses yet"), "{plain:?}");
    assert!(plain.stderr.starts_with("note: "), "{plain:?}");
    assert_eq!(home.run(&["list-addresses", "-q"]).stderr, "");
}

#[test]
fn behaviour_56_balances_pending_and_immature_are_told_by_name() {
    let home = Home::new();
    let [miner, alice, _] = ["miner", "alice", "bob"].map(|name| home.new_address(name));
    let mut ledger = home.chain();
    chain::mine(&mut ledger, miner, 2);
    chain::mine(&mut ledger, alice, 1);
    home.json(&["send", "miner", "2.5", "alice", "--fee", "0.1", "--offline"]);

    let list = home.json(&["list-addresses"]);
    let tip = ledger.tip();
    assert_eq!((&list["height"], &list["tip"]), (&json!(3), &json!(tip.block.hash.to_string())));
    assert_eq!(list["tip_time"], tip.time.millis());
    let rows: Vec<_> = list["addresses"].as_array().expect("a list").iter().collect();
    let amounts =
        rows.iter().map(|row| [&row["name"], &row["balance"], &row["pending"], &row["immature"]]);
    let expected = [
        ["alice", "0.000000", "+2.500000", "10.000000"],
        ["bob", "0.000000", "+0.000000", "0.000000"],
        ["miner", "20.000000", "-2.600000", "0.000000"],
    ];
    assert_eq!(json!(amounts.collect::<Vec<_>>()), json!(expected));
}

#[test]
fn behaviour_54_it_reads_beside_the_process_that_writes_the_chain() {
    let home = Home::new();
    let miner = home.new_address("miner");
    let mut ledger = home.chain();
    for height in 1..=3 {
        chain::mine(&mut ledger, miner, 1);
        let list = home.json(&["list-addresses"]);
        assert_eq!(list["height"], height);
        assert_eq!(list["tip"], ledger.tip().block.hash.to_string());
    }
}

#[test]
fn the_table_lines_up_and_says_as_of_which_block() {
    let home = Home::new();
    let miner = home.new_address("mining-rewards");
    home.new_address("alice");
    let mut ledger = home.chain();
    chain::mine(&mut ledger, miner, 1);
    let hash = ledger.tip().block.hash.to_string();
    let text = home.run(&["list-addresses"]).stdout;
    let lines: Vec<_> = text.lines().collect();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(lines[0]), ["Key", "Name", "Balance", "Pending", "Immature", "Address"]);
    assert_eq!(words(lines[2])[..4], ["mining-rewards", "0.000000", "+0.000000", "10.000000"]);
    assert!(lines[3].starts_with(&format!("As of block 1 ({}..), ", &hash[..8])), "{text}");
    assert!(lines[3].ends_with(" days old."), "{text}");
    let address_column = lines[0].find("Address").expect("a heading");
    assert!(lines[1..3].iter().all(|line| line[address_column..].starts_with("test1")), "{text}");

    chain::mine(&mut ledger, miner, 1);
    drop(ledger);
    home.json(&["send", "mining-rewards", "1", "alice", "--offline"]);
    let text = home.run(&["list-addresses"]).stdout;
    assert!(text.contains("-1.000000") && text.contains("+1.000000"), "{text}");
}

#[test]
fn behaviour_53_a_broken_key_file_does_not_hide_the_others() {
    let home = Home::new();
    home.new_address("alice");
    home.new_address("bob");
    fs::write(home.key_file("bob"), "-----BEGIN PRIVATE KEY-----\n").expect("written");
    let outcome = home.run(&["list-addresses"]);
    assert_eq!(outcome.code, 6);
    assert!(outcome.stdout.contains("alice"), "{outcome:?}");
    assert!(outcome.stderr.contains("bob.pem holds no usable key"), "{outcome:?}");
}

#[test]
fn behaviour_53_a_damaged_chain_is_named_and_left_alone() {
    let home = Home::new();
    home.new_address("alice");
    fs::create_dir_all(home.chain_folder()).expect("created");
    let file = home.chain_folder().join("chain.db");
    let damaged = vec![0x5a; 20_000];
    fs::write(&file, &damaged).expect("written");
    let (code, message) = home.error(&["list-addresses"], 1);
    assert_eq!(code, "damaged_chain");
    assert!(message.contains("chain.db") && message.contains("move it away"), "{message}");
    assert_eq!(fs::read(&file).expect("kept"), damaged);
}

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let home = Home::new();
    let mut command = home.command();
    let output = command.args(["list-addresses", "-q"]).stdout(full).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
}
