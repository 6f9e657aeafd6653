//! Several processes in one data directory.

use cairn_tests::{Signal, TestNetwork, wait_until};

#[test]
fn behaviour_54_a_wallet_works_beside_the_miner_of_its_data_directory() {
    let home = TestNetwork::new().home();
    let miner = home.mine(&[]);
    home.new_address("alice");
    wait_until("coins", || home.balance("mining-rewards") >= 10_000_000);
    let height = miner.tip().0;
    wait_until("the wallet sees the miner's chain", || home.tip().0 >= height);

    let sent = home.wallet_json(&["send", "mining-rewards", "1", "alice", "--memo", "hello"]);
    assert_eq!(sent["status"], "pending");
    assert_eq!(sent["height"], serde_json::Value::Null);
    wait_until("confirmed", || home.balance("alice") == 1_000_000);
}

#[test]
fn behaviour_54_a_second_miner_in_one_data_directory_is_refused() {
    let home = TestNetwork::new().home();
    let first = home.mine(&[]);
    let (code, message) = home.miner_outcome(&["--json"]).error(8);
    assert_eq!(code, "in_use");
    assert!(message.contains("another miner") && message.contains("--data-dir"), "{message}");
    let mined = first.events_of("block_mined").len();
    first.wait_for_mined(mined + 1);
}

#[test]
fn behaviour_54_wallet_sync_gives_way_to_a_miner_and_takes_the_chain_back() {
    let network = TestNetwork::new();
    let (home, elsewhere) = (network.home(), network.home());
    let other = elsewhere.mine(&[]);
    let mut sync = home.start_wallet(&["sync", "--json"]);
    wait_until("the wallet follows", || {
        home.chain_file().exists() && home.tip().0 >= other.tip().0.min(3)
    });

    // The miner gets the chain, and the sync goes on beside it.
    let mut miner = home.mine(&[]);
    let height = miner.tip().0;
    miner.wait_for_height(height + 1);
    assert!(sync.is_running());

    // It ends, and the sync writes the chain again.
    let status = miner.process().end_by(Signal::INT);
    assert!(status.success());
    let left_at = home.tip().0;
    wait_until("the wallet follows again", || home.tip().0 > left_at);
    assert!(sync.is_running());
    let status = sync.end_by(Signal::INT);
    assert!(status.success());
}

#[test]
fn behaviour_58_a_payment_is_repeated_until_a_block_holds_it() {
    let network = TestNetwork::new();
    let (home, elsewhere) = (network.home(), network.home());
    let mut miner = home.mine(&[]);
    home.new_address("alice");
    wait_until("coins", || home.balance("mining-rewards") >= 10_000_000);
    miner.process().kill();

    // Recorded while nobody listens, sent when a miner starts here.
    let sent = home.wallet_json(&["send", "mining-rewards", "2", "alice", "--offline"]);
    assert_eq!(sent["status"], "pending");
    let _other = elsewhere.mine(&[]);
    let _miner = home.mine(&[]);
    wait_until("confirmed", || home.balance("alice") == 2_000_000);
}
