//! What waits for a block outlives the program that keeps it.

use std::fs;

use cairn_tests::{Home, Miner, Signal, TestNetwork, wait_until};

/// How many payments the next block needs, as the miner says.
fn waits_for(miner: &Miner, missing: u32) {
    let text = format!("needs {missing} more payments");
    wait_until(&text, || {
        let mut warnings = miner.events_of("warning").into_iter();
        warnings.any(|event| event["message"].as_str().is_some_and(|said| said.contains(&text)))
    });
}

/// A miner that waits for four payments and has one, whose owner has gone. Its data directory.
fn with_a_waiting_payment() -> (Home, Miner) {
    let network = TestNetwork::new().with_rules(|rules| {
        rules.block_interval_seconds = 0;
        rules.min_block_transactions = 5;
    });
    let (home, elsewhere) = (network.home(), network.home());
    let miner = home.mine(&[]);
    miner.wait_for_mined(1);
    elsewhere.new_address("alice");
    home.copy_key("mining-rewards", &elsewhere);
    elsewhere.wallet_json(&["sync", "--once", "--peer", &miner.address()]);
    let send = ["send", "mining-rewards", "1", "alice", "--peer", &miner.address()];
    elsewhere.wallet_json(&send);
    waits_for(&miner, 3);
    (home, miner)
}

#[test]
fn behaviour_49_a_payment_waits_over_a_restart_though_its_owner_has_gone() {
    let (home, mut miner) = with_a_waiting_payment();
    let status = miner.process().end_by(Signal::INT);
    assert!(status.success());
    let file = home.chain_file().with_file_name("mempool.bin");
    assert!(file.exists());
    let mut miner = home.mine(&[]);
    waits_for(&miner, 3);

    // A crash loses nothing either: the file is still there.
    miner.process().kill();
    let mut miner = home.mine(&[]);
    waits_for(&miner, 3);

    // A damaged one is named, and is no reason to fail.
    miner.process().end_by(Signal::INT);
    let whole = fs::read(&file).expect("written");
    fs::write(&file, &whole[..whole.len() / 2]).expect("written");
    let mut miner = home.mine(&[]);
    miner.process().wait_for_stderr("mempool.bin cannot be used");
    waits_for(&miner, 4);
    let status = miner.process().end_by(Signal::INT);
    assert!(status.success());
    assert!(!file.exists(), "nothing waited");
}

#[test]
fn behaviour_49_a_wallet_that_gives_the_chain_to_a_miner_hands_over_what_waits() {
    let (home, mut miner) = with_a_waiting_payment();
    miner.process().end_by(Signal::INT);
    let sync = home.start_wallet(&["sync", "-v"]);
    sync.wait_for_stderr("1 still do");
    // Only the wallet has it: what it read is gone when the miner starts.
    fs::remove_file(home.chain_file().with_file_name("mempool.bin")).expect("there");
    let miner = home.mine(&[]);
    waits_for(&miner, 3);
}
