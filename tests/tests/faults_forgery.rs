//! Faults 1 to 4 of the predecessor: forged and repeated payments, impossible amounts, and blocks
//! and payments that are not what they are said to be.

use cairn_protocol::messages::{Answer, Message, Request, RequestId, frame};
use cairn_protocol::{Amount, Bounded, NetworkId, Transaction, TransactionId};
use cairn_tests::Person::{Alice, Bob, Mallory};
use cairn_tests::{Branch, Victim, encoded, payment, wait_for, wait_until};

/// Micro-coins.
const COIN: u64 = 1_000_000;

/// What a miner says of a signature that is not the sender's.
const UNSIGNED: &str = "the signature is not the sender's";

/// Payments of so much from Alice's account that she did not sign, each otherwise in order.
fn forgeries(victim: &Victim, coins: &str) -> [Transaction; 3] {
    let network = victim.home.network().id();
    let theft = payment(Alice.account(), 1, coins, Mallory.account());
    let by_mallory = Mallory.key().sign(theft.clone(), network);
    // A signature of hers, but for less, or for another network.
    let for_less = victim.payment(Alice, 1, "1", Mallory);
    let for_less = Transaction { payment: theft.clone(), ..for_less };
    let elsewhere = Alice.key().sign(theft, NetworkId([7; 32]));
    [by_mallory, for_less, elsewhere]
}

#[test]
fn fault_01_only_the_owner_of_an_account_pays_from_it() {
    let victim = Victim::start();
    for forged in forgeries(&victim, "5") {
        victim.broadcast(&forged);
    }
    // Others than those: what was heard just before is not looked at again.
    for (forged, instance) in forgeries(&victim, "6").into_iter().zip(10..) {
        let reason = victim.cuts_off(victim.chain.status(instance, 0), |line| {
            line.say(&Message::Transaction(forged));
        });
        assert!(reason.contains(UNSIGNED), "{reason}");
    }
    // It has the sequence that the forged ones had.
    victim.confirms(&victim.payment(Alice, 1, "2", Bob));
    assert_eq!(victim.balances(), [7 * COIN, 3 * COIN, 10 * COIN]);
}

#[test]
fn fault_01_a_block_with_a_payment_signed_by_another_key_is_refused() {
    let victim = Victim::start();
    for (forged, instance) in forgeries(&victim, "5").into_iter().zip(10..) {
        let mut lie = victim.chain.clone();
        let block = lie.mine(Mallory.account(), vec![forged]);
        let mut line = victim.link(lie.status(instance, 0));
        line.serve(|request| Some(lie.answer(request)));
        let warning = warning_of(&victim, &block.hash.to_string());
        assert!(warning.contains(UNSIGNED), "{warning}");
    }
    assert_eq!(victim.balances(), [9 * COIN, COIN, 10 * COIN]);
    victim.confirms(&victim.payment(Alice, 1, "2", Bob));
}

/// The warning that mentions this.
fn warning_of(victim: &Victim, text: &str) -> String {
    wait_for(&format!("a warning of {text}"), || {
        let messages = victim.miner.events_of("warning").into_iter();
        let mut messages = messages.map(|event| cairn_tests::text(&event["message"]));
        messages.find(|message| message.contains(text))
    })
}

/// The same signature with another encoding of its second half: the order of the group is added
/// so many times.
fn malleated(payment: &Transaction, times: u16) -> Transaction {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut changed = payment.clone();
    let mut carry = 0;
    for (byte, added) in changed.signature.0[32..].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(added) * times;
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    changed
}

#[test]
fn fault_02_a_mined_payment_is_not_mined_again_under_any_signature() {
    let mut victim = Victim::start();
    let first = victim.payment(Alice, 1, "2", Bob);
    victim.confirms(&first);
    victim.broadcast(&first);
    victim.broadcast(&malleated(&first, 1));
    let reason = victim.cuts_off(victim.chain.status(10, 0), |line| {
        line.say(&Message::Transaction(malleated(&first, 2)));
    });
    assert!(reason.contains(UNSIGNED), "{reason}");
    victim.confirms(&victim.payment(Alice, 2, "1", Bob));

    // A miner that was started anew has heard of none.
    victim.restart();
    victim.broadcast(&first);
    let older = victim.chain.blocks()[1].payments[0].clone();
    let mut line = victim.link(victim.chain.status(11, 0));
    line.say(&Message::Transaction(older));
    victim.confirms(&victim.payment(Alice, 3, "1", Bob));
    let answer = line.ask(Request::MempoolIds(None));
    assert_eq!(answer, Answer::MempoolIds(Bounded::default()), "it does not wait");
    assert_eq!(victim.balances(), [5 * COIN, 5 * COIN, 10 * COIN]);
}

#[test]
fn fault_02_a_block_that_repeats_a_payment_is_refused() {
    let victim = Victim::start();
    let mined = victim.chain.blocks()[1].payments[0].clone();
    let repetitions = [(mined.clone(), "(C7)"), (malleated(&mined, 1), UNSIGNED)];
    for ((repeated, reason), instance) in repetitions.into_iter().zip(10..) {
        let mut lie = victim.chain.clone();
        let block = lie.mine(Mallory.account(), vec![repeated]);
        let mut line = victim.link(lie.status(instance, 0));
        line.serve(|request| Some(lie.answer(request)));
        let warning = warning_of(&victim, &block.hash.to_string());
        assert!(warning.contains(reason), "{warning}");
    }
    assert_eq!(victim.balances(), [9 * COIN, COIN, 10 * COIN]);
    victim.confirms(&victim.payment(Alice, 1, "2", Bob));
}

#[test]
fn fault_03_amounts_that_are_none_are_refused_at_the_command_line() {
    let victim = Victim::start();
    let home = &victim.home;
    home.import("alice", &Alice.key());
    home.import("bob", &Bob.key());
    for amount in [
        "-1",
        "-0.000001",
        "NaN",
        "inf",
        "1e3",
        "+1",
        "1_000",
        "0.0000001",
        "01",
        "",
        "0",
        "9223372036854.775808",
    ] {
        let outcome = home.wallet(&["send", "alice", amount, "bob", "--json"]);
        assert_eq!(outcome.error(4).0, "bad_amount", "{amount:?}");
        if amount != "0" {
            let fee = format!("--fee={amount}");
            let outcome = home.wallet(&["send", "alice", "1", "bob", &fee, "--json"]);
            assert_eq!(outcome.error(4).0, "bad_amount", "{fee:?}");
        }
    }
    // The first that is recorded is the next of the account, and nothing else was sent before.
    let sent = home.wallet_json(&["send", "alice", "2", "bob", "--wait"]);
    assert_eq!((&sent["sequence"], &sent["height"]), (&1.into(), &3.into()));
    assert_eq!(victim.balances(), [7 * COIN, 3 * COIN, 10 * COIN]);
}

#[test]
fn fault_03_a_payment_to_oneself_costs_the_fee_and_makes_no_coin() {
    let victim = Victim::start();
    let home = &victim.home;
    home.import("alice", &Alice.key());
    let sent = home.wallet_json(&["send", "alice", "5", "alice", "--fee", "0.5", "--wait"]);
    assert_eq!(sent["from"], sent["to"]);
    assert_eq!(victim.balances(), [8_500_000, COIN, 10 * COIN]);
    assert_eq!(home.balance("mining-rewards"), 10_500_000);
    assert!(home.reader().supply().expect("readable").is_right());

    // With all that there is, and not with more.
    home.wallet_json(&["send", "alice", "8.4", "alice", "--fee", "0.1", "--wait"]);
    assert_eq!(victim.balances(), [8_400_000, COIN, 10 * COIN]);
    let more = home.wallet(&["send", "alice", "8.4", "alice", "--fee", "0.000001", "--json"]);
    assert_eq!(more.error(3).0, "insufficient_funds");
    let more = victim.payment(Alice, 3, "8.400001", Alice);
    victim.broadcast(&more);
    victim.confirms(&victim.payment(Bob, 0, "1", Mallory));
    assert_eq!(victim.balances(), [8_400_000, 0, 11 * COIN]);
}

#[test]
fn fault_03_amounts_that_are_negative_or_overflow_on_the_wire_pay_nothing() {
    let victim = Victim::start();
    let network = victim.home.network().id();
    // One coin, as a 64-bit number with a sign would write its opposite.
    let negative = {
        let payment = victim.payment(Mallory, 0, "1", Alice);
        let mut bytes = frame(&Message::Transaction(payment));
        // Behind the length, the message's variant, and two accounts.
        bytes[72..80].copy_from_slice(&(-1_000_000_i64).to_le_bytes());
        bytes
    };
    let overflowing = |sequence| {
        let mut payment = payment(Mallory.account(), sequence, "1", Alice.account());
        (payment.amount, payment.fee) = (Amount::MAX, Amount::MAX);
        Mallory.key().sign(payment, network)
    };
    victim.broadcast(&overflowing(0));
    let messages =
        [(negative, "malformed"), (frame(&Message::Transaction(overflowing(1))), "than can exist")];
    for ((bytes, reason), instance) in messages.into_iter().zip(10..) {
        let status = victim.chain.status(instance, 0);
        let said = victim.cuts_off(status, |line| line.say_bytes(&bytes));
        assert!(said.contains(reason), "{said}");
    }
    victim.confirms(&victim.payment(Mallory, 0, "1", Bob));
    assert_eq!(victim.balances(), [9 * COIN, 2 * COIN, 9 * COIN]);
}

#[test]
fn fault_04_headers_prove_their_own_hashes_and_parents() {
    let victim = Victim::start();
    let mut longer = victim.chain.clone();
    longer.mine(Mallory.account(), vec![victim.payment(Mallory, 0, "1", Bob)]);
    let mut unproven = longer.clone();
    let floor = victim.home.network().rules().floor();
    while floor.is_met_by(&unproven.tip().hash) {
        unproven.block_mut(3).sealed.proof.nonce += 1;
    }
    let mut rootless = Branch::new(victim.home.network());
    for sequence in 0..3 {
        rootless.mine(Mallory.account(), vec![victim.payment(Mallory, sequence, "1", Bob)]);
    }
    let lies: [(&Branch, &[usize], &str); 3] = [
        (&unproven, &[3], "does not meet its target"),
        (&longer, &[1, 3], "do not follow one another"),
        (&rootless, &[2, 3], "a block that we did not name"),
    ];
    for ((lie, heights, reason), instance) in lies.into_iter().zip(10..) {
        let shown = heights.iter().map(|height| lie.blocks()[height - 1].sealed);
        let shown = Answer::Headers(Bounded::first(shown));
        let said = victim.cuts_off(longer.status(instance, 0), |line| {
            line.serve(|request| match request {
                Request::Headers(_) => Some(shown.clone()),
                _ => None,
            });
        });
        assert!(said.contains(reason), "{said}");
    }
    assert_eq!(victim.height(), 2);
    victim.confirms(&victim.payment(Alice, 1, "2", Bob));
}

#[test]
fn fault_04_only_the_block_that_was_asked_for_is_taken() {
    let victim = Victim::start();
    let payment = victim.payment(Mallory, 0, "1", Bob);
    let mut truth = victim.chain.clone();
    truth.mine(Mallory.account(), vec![payment.clone()]);
    let mut sibling = victim.chain.clone();
    sibling.mine(Alice.account(), vec![payment]);
    let mut stolen = truth.clone();
    stolen.block_mut(3).reward.recipient = Alice.account();
    let mut emptied = truth.clone();
    emptied.block_mut(3).payments = Bounded::default();
    let block = |branch: &Branch| Answer::Blocks(Bounded::first([encoded(&branch.blocks()[2])]));

    let said = victim.cuts_off(victim.chain.status(10, 0), |line| {
        line.say(&Message::Answer(RequestId(u32::MAX), block(&truth)));
    });
    assert!(said.contains("an answer that was not asked for"), "{said}");
    let lies = [
        (sibling, "a block that was not asked for"),
        (stolen, "not what its header commits to"),
        (emptied, "not what its header commits to"),
    ];
    for ((lie, reason), instance) in lies.into_iter().zip(11..) {
        let said = victim.cuts_off(truth.status(instance, 0), |line| {
            line.serve(|request| match request {
                Request::Blocks(_) => Some(block(&lie)),
                other => Some(truth.answer(other)),
            });
        });
        assert!(said.contains(reason), "{said}");
        assert_eq!(victim.height(), 2);
    }

    // What it lied about is still taken from somebody who has it.
    victim.link(truth.status(20, 0)).serve_honestly(truth.clone());
    wait_until("the true block", || victim.miner.tip() == (3, truth.tip().hash.to_string()));
    victim.confirms(&victim.payment(Alice, 1, "2", Bob));
}

#[test]
fn fault_04_only_the_payment_that_was_asked_for_is_taken() {
    let victim = Victim::start();
    let other = victim.payment(Mallory, 0, "1", Bob);
    let claimed = TransactionId([1; 32]);
    let said = victim.cuts_off(victim.chain.status(10, 0), |line| {
        line.serve(|request| match request {
            Request::MempoolIds(_) => Some(Answer::MempoolIds(Bounded::first([claimed]))),
            Request::Transactions(_) => Some(Answer::Transactions(Bounded::first([other.clone()]))),
            honest => Some(victim.chain.answer(honest)),
        });
    });
    assert!(said.contains("a transaction that was not asked for"), "{said}");
    victim.confirms(&victim.payment(Alice, 1, "2", Bob));
    assert_eq!(victim.balances(), [7 * COIN, 3 * COIN, 10 * COIN]);
}
