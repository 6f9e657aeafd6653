//! Faults 5, 6 and 15 of the predecessor: what stopped its mining, and what a reorganisation lost.

use cairn_protocol::{BlockHash, Height};
use cairn_tests::Person::{Alice, Bob, Mallory};
use cairn_tests::{Branch, Home, Proxy, Snapshot, TestNetwork, Victim, wait_until};

/// Micro-coins.
const COIN: u64 = 1_000_000;

#[test]
fn fault_05_payments_that_overspend_are_not_mined_and_mining_goes_on() {
    let mut victim = Victim::start();
    // The second and third would spend what the first has left of 9 coins; the others, more than
    // there ever was, or what the first has spent.
    let first = victim.payment(Alice, 1, "5", Bob);
    victim.confirms(&first);
    let overspending = [
        victim.payment(Alice, 2, "4.000001", Bob),
        victim.payment(Alice, 2, "9223372036854.775807", Mallory),
        victim.payment(Alice, 1, "5", Mallory),
        victim.payment(Bob, 0, "7", Mallory),
    ];
    for payment in &overspending {
        victim.broadcast(payment);
    }
    // Each of these two could be paid, and both cannot.
    victim.broadcast(&victim.payment(Alice, 3, "3", Mallory));
    victim.confirms(&victim.payment(Alice, 2, "3", Bob));
    assert_eq!(victim.balances(), [COIN, 9 * COIN, 10 * COIN]);

    victim.confirms(&victim.payment(Mallory, 0, "10", Bob));
    assert!(victim.miner.process().is_running());
    assert_eq!(victim.balances(), [COIN, 19 * COIN, 0]);
}

#[test]
fn fault_05_a_block_that_overspends_is_refused_and_mining_goes_on() {
    let victim = Victim::start();
    let twice = [1, 2].map(|sequence| victim.payment(Alice, sequence, "5", Mallory));
    let mut lie = victim.chain.clone();
    let block = lie.mine(Mallory.account(), twice.to_vec());
    victim.link(lie.status(10, 0)).serve(|request| Some(lie.answer(request)));
    let warning = victim.miner.wait_for_warning("invalid_block")["message"].to_string();
    assert!(warning.contains(&block.hash.to_string()) && warning.contains("(C8)"), "{warning}");
    victim.confirms(&victim.payment(Alice, 1, "2", Bob));
    assert_eq!(victim.balances(), [7 * COIN, 3 * COIN, 10 * COIN]);
}

#[test]
fn fault_05_two_wallets_that_spend_the_same_coins_do_not_stop_the_miner() {
    let victim = Victim::start();
    let other = victim.network.home();
    victim.chain.write_to(&other);
    let bob = victim.home.import("bob", &Bob.key());
    for home in [&victim.home, &other] {
        home.import("alice", &Alice.key());
        // Both record it, since neither knows of the other.
        let sent = home.wallet_json(&["send", "alice", "8", &bob, "--offline"]);
        assert_eq!(sent["sequence"], 1);
    }
    wait_until("one of them is mined", || victim.balance(Bob) == 9 * COIN);
    other.wallet_json(&["sync", "--once"]);
    victim.confirms(&victim.payment(Mallory, 0, "1", Bob));
    assert_eq!(victim.balances(), [COIN, 10 * COIN, 9 * COIN]);
}

/// Two miners that have each mined the first blocks of a chain of their own, and then meet.
#[test]
fn fault_06_two_fresh_miners_with_different_first_blocks_meet_and_both_mine_on() {
    let pairs: Vec<_> = (0..3).map(|_| std::thread::spawn(meet)).collect();
    for (pair, trial) in pairs.into_iter().zip(1..) {
        assert!(pair.join().is_ok(), "trial {trial} of 3");
    }
}

fn meet() {
    let network = TestNetwork::new();
    let (left, right) = (network.home(), network.on_other_ports().home());
    let left_miner = left.mine(&[]);
    let cable = Proxy::to(&left_miner.address());
    cable.cut();
    let right_miner = right.mine(&["--peer", &cable.address()]);
    let miners = [&left_miner, &right_miner];
    for miner in miners {
        miner.wait_for_mined(1);
    }
    assert_ne!(first_block(&left), first_block(&right), "they have not met");

    cable.mend();
    wait_until("one first block", || first_block(&left) == first_block(&right));
    wait_until("that one of them says so", || {
        miners.iter().any(|miner| !miner.events_of("reorg").is_empty())
    });
    for miner in miners {
        let before = miner.events_of("block_mined").len();
        miner.wait_for_mined(before + 1);
    }
    let snapshot = Snapshot::of(&[&left, &right]);
    assert_eq!(snapshot.supply(), snapshot.height * 10 * COIN, "the supply is the subsidies");
}

fn first_block(home: &Home) -> BlockHash {
    let height = Height::from(1);
    home.reader().header_at(height).expect("readable").expect("mined").0
}

#[test]
fn fault_15_a_payment_whose_block_is_given_up_is_mined_again() {
    let victim = Victim::start();
    let kept = victim.payment(Alice, 1, "2", Bob);
    let void = victim.payment(Mallory, 0, "2", Bob);
    // Nobody repeats them: they were said once, by somebody who is gone.
    victim.confirms(&kept);
    victim.confirms(&void);
    assert_eq!(victim.balance(Bob), 5 * COIN);

    // On a longer branch Mallory has spent that sequence otherwise.
    let mut longer = victim.chain.clone();
    for sequence in 0..3 {
        longer.mine(Mallory.account(), vec![victim.payment(Mallory, sequence, "1", Alice)]);
    }
    victim.link(longer.status(10, 0)).serve_honestly(longer.clone());
    let reorg = victim.miner.wait_for_event("reorg");
    assert_eq!((&reorg["disconnected"], &reorg["connected"]), (&2.into(), &3.into()));
    victim.miner.wait_for_mined(3);
    let again = Branch::of(&victim.home);
    assert_eq!(again.fork(5).tip(), longer.tip());
    assert_eq!(*again.blocks()[5].payments, [kept], "it is back, and the void one is not");
    assert_eq!(victim.balance(Bob), 3 * COIN);
    assert_eq!(victim.balance(Alice), 10 * COIN);
}
