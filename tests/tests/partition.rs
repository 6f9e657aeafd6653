//! Two halves of a network, cut apart and joined again.

use cairn_tests::{Proxy, Signal, Snapshot, TestNetwork, wait_until};

/// Micro-coins.
const COIN: u64 = 1_000_000;
/// From about this height on a block takes a second.
const SETTLED: u64 = 20;

#[test]
fn behaviour_10_two_halves_settle_on_the_most_work_and_keep_every_valid_payment() {
    let network = TestNetwork::new();
    let (left, right) = (network.home(), network.on_other_ports().home());
    let (alice, bob) = (left.new_address("alice"), right.new_address("bob"));

    // One chain, over the one cable between them, until its difficulty has settled.
    let left_miner = left.mine(&[]);
    let cable = Proxy::to(&left_miner.address());
    let mut right_miner = right.mine(&["--peer", &cable.address()]);
    left_miner.wait_for_height(SETTLED);
    wait_until("coins on both sides", || {
        [&left, &right].iter().all(|home| home.balance("mining-rewards") >= 20 * COIN)
    });
    Snapshot::of(&[&left, &right]);

    // Both mine, and both confirm payments.
    let before = left.work();
    cable.cut();
    right_miner.wait_for_height(right_miner.tip().0 + 3);
    right.wallet_json(&["send", "mining-rewards", "4", "bob", "--wait"]);
    left.wallet_json(&["send", "mining-rewards", "3", "alice", "--wait"]);
    // The right one sleeps, until the left one leads by as much work as all had done before.
    right_miner.process().signal(Signal::STOP);
    let lead = right.work().plus(before);
    wait_until("much more work on the left", || left.work() > lead);
    let heavier = left_miner.tip();
    let reorgs = left_miner.events_of("reorg").len();
    cable.mend();
    right_miner.process().signal(Signal::CONT);

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
