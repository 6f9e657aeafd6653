//! Many payments from one account at once.

use std::collections::BTreeSet;

use cairn_tests::{Outcome, TestNetwork, wait_until};

const SENDS: u64 = 12;

#[test]
fn fault_10_twelve_concurrent_sends_get_twelve_consecutive_sequences_and_confirm() {
    let home = TestNetwork::new().home();
    let _miner = home.mine(&[]);
    home.new_address("alice");
    wait_until("coins", || home.balance("mining-rewards") >= 10_000_000);

    let command = ["send", "mining-rewards", "0.1", "alice", "--json"];
    let sends: Vec<_> = (0..SENDS).map(|_| home.start_wallet(&command)).collect();
    let sent = sends.into_iter().map(|mut process| Outcome::of(&mut process).json());
    let sent: Vec<_> = sent.collect();

    let sequences: BTreeSet<_> = sent.iter().filter_map(|sent| sent["sequence"].as_u64()).collect();
    assert_eq!(sequences, (0..SENDS).collect());
    let ids: BTreeSet<_> = sent.iter().map(|sent| sent["txid"].to_string()).collect();
    assert_eq!(ids.len(), 12);
    wait_until("all confirmed", || home.balance("alice") == SENDS * 100_000);
}
