//! Two halves of a network, cut apart and joined again.

use cairn_tests::{Proxy, Signal, Snapshot, TestNetwork, wait_until};

/// Micro-coins.
const COIN: u64 = 1_000_000;

#[test]
fn two_halves_settle_on_the_most_work_and_keep_every_valid_payment() {
    let network = TestNetwork::new();
    let (left, right) = (network.home(), network.on_other_ports().home());
    let (alice, bob) = (left.new_address("alice"), right.new_address("bob"));

    // One chain, over the one cable between them; both own coins on it.
    let left_miner = left.mine(&[]);
    let cable = Proxy::to(&left_miner.address());
    let mut right_miner = right.mine(&["--peer", &cable.address()]);
    wait_until("coins on both sides", || {
        [&left, &right].iter().all(|home| home.balance("mining-rewards") >= 20 * COIN)
    });
    let common = Snapshot::of(&[&left, &right]);

    // Both mine, and payments are confirmed on both sides, one of them of no later use: its coins
    // are spent on the other side as well.
    cable.cut();
    right_miner.wait_for_height(common.height + 3);
    right.wallet_json(&["send", "mining-rewards", "4", "bob", "--wait"]);
    left.wallet_json(&["send", "mining-rewards", "3", "alice", "--wait"]);
    // The right one sleeps while the left one gets far ahead.
    right_miner.process().signal(Signal::STOP);
    let behind = right_miner.tip().0;
    left_miner.wait_for_height(behind + 6);
    let heavier = left_miner.tip();
    let reorgs = left_miner.events_of("reorg").len();
    right_miner.process().signal(Signal::CONT);
    cable.mend();

    wait_until("the same chain on both sides", || {
        let tips = (left_miner.tip(), right_miner.tip());
        tips.0 == tips.1 && tips.0.0 > heavier.0
    });
    wait_until("both payments confirmed on both sides", || {
        let snapshot = Snapshot::of(&[&left, &right]);
        snapshot.balance(&alice) == 3 * COIN && snapshot.balance(&bob) == 4 * COIN
    });
    let snapshot = Snapshot::of(&[&left, &right]);
    assert_eq!(snapshot.supply(), snapshot.height * 10 * COIN, "the supply is the subsidies");

    let given_up = right_miner.events_of("reorg");
    let deep = |event: &serde_json::Value| event["disconnected"].as_u64() >= Some(3);
    assert!(given_up.iter().any(deep), "the lighter side gives way: {given_up:?}");
    let deep_left = left_miner.events_of("reorg").split_off(reorgs);
    assert!(!deep_left.iter().any(deep), "the heavier side stays: {deep_left:?}");
}
