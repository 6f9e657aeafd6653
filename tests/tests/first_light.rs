//! The whole session of a newcomer: start a miner, make an address, pay, see it confirmed.

use cairn_tests::{TestNetwork, text, wait_until};

#[test]
fn a_newcomer_pays_somebody_and_sees_it_confirmed() {
    let home = TestNetwork::new().home();
    let miner = home.mine(&[]);

    let alice = home.wallet_json(&["new-address", "alice"]);
    assert_eq!(alice["name"], "alice");
    let address = text(&alice["address"]);
    assert_eq!(alice["key_file"], home.keys().join("alice.pem").to_str().expect("plain"));
    wait_until("coins", || home.balance("mining-rewards") >= 2_500_000);

    let sent = home.wallet_json(&["send", "mining-rewards", "2.5", "alice", "--wait"]);
    assert_eq!(sent["status"], "confirmed");
    assert_eq!(sent["amount"], "2.500000");
    assert_eq!(sent["fee"], "0.000000");
    assert_eq!(sent["sequence"], 0);
    assert_eq!(text(&sent["to"]), address);
    let height = sent["height"].as_u64().expect("confirmed in a block");

    let list = home.list();
    assert!(list["height"].as_u64().expect("a height") >= height);
    let addresses = list["addresses"].as_array().expect("a list");
    let names: Vec<_> = addresses.iter().map(|entry| text(&entry["name"])).collect();
    assert_eq!(names, ["alice", "mining-rewards"]);
    assert_eq!(addresses[0]["balance"], "2.500000");
    assert_eq!(addresses[0]["pending"], "+0.000000");
    assert_eq!(text(&addresses[0]["address"]), address);

    let table = home.wallet(&["list-addresses"]).stdout;
    for word in ["Key Name", "Balance", "Pending", "Address", "alice", "2.500000", &address] {
        assert!(table.contains(word), "no {word} in:\n{table}");
    }
    let mined = miner.events_of("block_mined");
    assert!(mined.iter().any(|event| event["transactions"] == 2), "the payment's block");
    assert!(mined.iter().all(|event| event["reward"] == "10.000000"));
}
