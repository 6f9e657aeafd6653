//! Three miners and two wallets on one machine: payments, a late joiner, a crash.

use cairn_tests::{Home, Snapshot, TestNetwork, wait_until};

/// Micro-coins.
const COIN: u64 = 1_000_000;

#[test]
fn three_miners_and_two_wallets_agree() {
    let network = TestNetwork::new().with_rules(|rules| rules.reward_maturity = 2);
    let [first, second, third, alices, bobs] = [(); 5].map(|()| network.home());
    let alice = alices.new_address("alice");
    let bob = bobs.new_address("bob");
    for home in [&first, &second, &third] {
        alices.copy_key("alice", home);
        bobs.copy_key("bob", home);
    }
    let miners = (first.mine(&[]), second.mine(&[]));
    miners.0.wait_for_mined(1);

    // Miners and wallets pay one another.
    wait_until("coins", || first.balance("mining-rewards") >= 8 * COIN);
    first.wallet_json(&["send", "mining-rewards", "8", &alice, "--wait"]);
    let paid = alices.wallet_json(&["send", "alice", "3", &bob, "--fee", "0.5", "--wait"]);
    assert_eq!(paid["status"], "confirmed");
    bobs.wallet_json(&["sync", "--once"]);
    assert_eq!(bobs.balance("bob"), 3 * COIN);
    let paid = bobs.wallet_json(&["send", "bob", "1", &alice, "--memo", "change", "--wait"]);
    assert_eq!(paid["status"], "confirmed");

    // One joins late, and has the whole chain before it mines.
    let joined = third.mine(&[]);
    let height = miners.0.tip().0;
    joined.wait_for_height(height);
    let own = |event: &serde_json::Value| event["height"].as_u64().expect("a height") <= height;
    assert!(!joined.events_of("block_mined").iter().any(own), "it mined before it was level");

    // One is killed, misses blocks, and comes back.
    let (mut killed, survivor) = miners;
    let height = killed.tip().0;
    killed.process().kill();
    survivor.wait_for_height(height + 3);
    let back = first.mine(&[]);
    back.wait_for_height(height + 3);

    alices.wallet_json(&["sync", "--once"]);
    let snapshot = wallets_and_miners([&first, &second, &third], [&alices, &bobs]);
    assert_eq!(snapshot.balance(&alice), 11 * COIN / 2);
    assert_eq!(snapshot.balance(&bob), 2 * COIN);
    assert!(snapshot.accounts.values().any(|(_, immature)| *immature > 0), "{snapshot:?}");
    assert_eq!(snapshot.supply(), snapshot.height * 10 * COIN, "the supply is the subsidies");
}

/// What all agree on, while the wallets follow.
fn wallets_and_miners(miners: [&Home; 3], wallets: [&Home; 2]) -> Snapshot {
    let _syncs = wallets.map(|home| home.start_wallet(&["sync"]));
    Snapshot::of(&[miners.as_slice(), &wallets].concat())
}
