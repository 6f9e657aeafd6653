//! A network of fixed difficulty whose blocks wait for payments.

use cairn_tests::{TestNetwork, text, wait_until};

#[test]
fn a_block_waits_for_its_payments_and_the_miner_says_so() {
    let network = TestNetwork::new().with_rules(|rules| {
        rules.block_interval_seconds = 0;
        rules.min_block_transactions = 3;
    });
    let home = network.home();
    let miner = home.mine(&[]);
    home.new_address("alice");

    // The first block is free, or no coin could ever come into being.
    wait_until("the first coins", || home.tip().0 == 1);
    let warning = miner.wait_for_warning("too_few_transactions");
    assert!(text(&warning["message"]).contains("needs 2 more payments"), "{warning}");

    home.wallet_json(&["send", "mining-rewards", "1", "alice"]);
    wait_until("a warning that one is missing", || {
        let mut warnings = miner.events_of("warning").into_iter();
        warnings.any(|warning| text(&warning["message"]).contains("needs 1 more payment "))
    });
    assert_eq!(home.tip().0, 1);
    home.wallet_json(&["send", "mining-rewards", "2", "alice", "--wait"]);
    assert_eq!(home.tip().0, 2);
    assert_eq!(miner.events_of("block_mined")[1]["transactions"], 3);
    assert_eq!(home.balance("alice"), 3_000_000);
}
