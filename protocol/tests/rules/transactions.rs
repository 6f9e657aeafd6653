//! T1 to T4: what makes a transaction, alone and in a batch.

use cairn_protocol::codec::{CodecError, decode, encode};
use cairn_protocol::{Amount, Network, Payment, Rules, Sequence, Transaction, TransactionError};

use crate::kit::{key, micros, network, network_with, off_curve, payment, signed, verdict};

/// The payment, signed by key 5 after this change, is refused by this rule.
fn assert_refused(change: impl FnOnce(&mut Payment), error: TransactionError, rule: &str) {
    let network = network();
    let transaction = signed(&network, change);
    assert_eq!(verdict(&transaction, network.id()), Err(error));
    assert_eq!(error.rule(), rule);
}

fn assert_accepted(change: impl FnOnce(&mut Payment)) {
    let network = network();
    let transaction = signed(&network, change);
    let verified = verdict(&transaction, network.id()).expect("valid");
    assert_eq!(verified.transaction(), &transaction);
    assert_eq!(verified.id(), transaction.payment.id(network.id()));
}

#[test]
fn rule_t1_a_payment_pays_something() {
    let error = TransactionError::NothingPaid;
    assert_refused(|payment| payment.amount = Amount::ZERO, error, "T1");
    assert_accepted(|payment| payment.amount = micros(1));
    assert_accepted(|payment| payment.fee = Amount::ZERO);
}

#[test]
fn rule_t2_amount_and_fee_are_an_amount() {
    let all_but = |rest| micros(Amount::MAX.micros() - rest);
    let cost =
        |amount, fee| move |payment: &mut Payment| (payment.amount, payment.fee) = (amount, fee);
    let error = TransactionError::CostTooLarge;
    assert_refused(cost(all_but(7), micros(8)), error, "T2");
    assert_refused(cost(micros(1), Amount::MAX), error, "T2");
    assert_accepted(cost(all_but(7), micros(7)));
    assert_accepted(cost(Amount::MAX, micros(0)));
}

#[test]
fn rule_t3_the_sender_is_a_point_of_the_curve() {
    assert_refused(|payment| payment.sender = off_curve(), TransactionError::SenderKey, "T3");
    assert_accepted(|payment| payment.recipient = off_curve());
    // A point, but not the signer's: that is T4's business.
    assert_refused(|payment| payment.sender = key(6).account(), TransactionError::Signature, "T4");
}

#[test]
fn rule_t4_the_signature_is_the_senders_for_all_that_was_signed() {
    let network = network();
    let changes: [&dyn Fn(&mut Transaction); 8] = [
        &|t| t.signature.0[0] ^= 1,
        &|t| t.signature.0[63] ^= 0x80,
        &|t| t.payment.sender = key(6).account(),
        &|t| t.payment.recipient = key(6).account(),
        &|t| t.payment.amount = micros(1),
        &|t| t.payment.fee = micros(1),
        &|t| t.payment.sequence = Sequence::from(1),
        &|t| t.payment.memo = payment(0, 1).memo,
    ];
    let good = signed(&network, |_| {});
    verdict(&good, network.id()).expect("valid before a change");
    for (index, change) in changes.iter().enumerate() {
        let mut transaction = good.clone();
        change(&mut transaction);
        let error = verdict(&transaction, network.id()).expect_err("changed after it was signed");
        assert_eq!((error, error.rule()), (TransactionError::Signature, "T4"), "change {index}");
    }
}

/// Every pair of an amount and a fee that a machine word can hold, however it is signed: what is no
/// amount does not decode, and no sum wraps.
#[test]
fn attack_01_no_amount_and_no_sum_wraps() {
    let network = network();
    let max = Amount::MAX.micros();
    let numbers = [0, 1, max - 1, max, max + 1, u64::MAX - 1, u64::MAX];
    let pairs = numbers.into_iter().flat_map(|amount| numbers.map(|fee| (amount, fee)));
    for (amount, fee) in pairs {
        let in_range = Amount::from_micros(amount).zip(Amount::from_micros(fee));
        let Some((paid, kept)) = in_range else {
            let mut bytes = encode(&signed(&network, |_| {}));
            bytes[64..72].copy_from_slice(&amount.to_le_bytes());
            bytes[72..80].copy_from_slice(&fee.to_le_bytes());
            let refused = decode::<Transaction>(&bytes).expect_err("no amount");
            assert_eq!(refused.rule(), "S2", "{amount} {fee}");
            continue;
        };
        let one = signed(&network, |payment| (payment.amount, payment.fee) = (paid, kept));
        let verdict = verdict(&one, network.id()).map_err(|error| error.rule());
        let cost = verdict.map(|verified| u128::from(verified.cost().micros()));
        let expected = match u128::from(amount) + u128::from(fee) {
            _ if amount == 0 => Err("T1"),
            sum if sum > u128::from(max) => Err("T2"),
            sum => Ok(sum),
        };
        assert_eq!(cost, expected, "{amount} {fee}");
    }
}

#[test]
fn attack_08_a_signature_is_good_on_its_own_network_only() {
    let ours = network();
    let transaction = signed(&ours, |_| {});
    verdict(&transaction, ours.id()).expect("valid here");
    let forks: [&dyn Fn(&mut Rules); 3] = [
        &|rules| rules.name = "other".parse().expect("a name"),
        &|rules| rules.reward_maturity += 1,
        &|rules| rules.min_block_wait_seconds += 1,
    ];
    for change in forks {
        let fork = network_with(change);
        let replayed = verdict(&transaction, fork.id());
        assert_eq!(replayed, Err(TransactionError::Signature));
        assert_ne!(transaction.payment.id(fork.id()), transaction.payment.id(ours.id()));
    }
}

#[test]
fn attack_08_the_signed_bytes_hold_the_network_id() {
    let message = |network: &Network| payment(0, 0).signed_message(network.id());
    let (ours, theirs) = (network(), Network::new(Rules::default()).expect("the defaults"));
    let (one, other) = (message(&ours), message(&theirs));
    assert_eq!(one[..14], other[..14], "the tag");
    assert_eq!((&one[14..46], &other[14..46]), (&ours.id().0[..], &theirs.id().0[..]));
    assert_eq!(one[46..], other[46..], "the payment");
}

/// Whoever holds one key signs for that account and no other.
#[test]
fn attack_18_no_key_signs_for_another_account() {
    let network = network();
    let victim = payment(0, 0);
    for thief in [1, 2, 3, 4, 6].map(key) {
        let stolen = thief.sign(victim.clone(), network.id());
        assert_eq!(verdict(&stolen, network.id()), Err(TransactionError::Signature));
    }
    verdict(&key(5).sign(victim, network.id()), network.id()).expect("its own key may");
}

/// An id is nowhere in the bytes: it is computed from what was signed. Whichever bit is another,
/// nothing valid comes of it, so one signature makes one payment.
#[test]
fn attack_19_a_payment_cannot_come_again_under_another_id() {
    let network = network();
    let good = encode(&signed(&network, |_| {}));
    for position in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[position / 8] ^= 1 << (position % 8);
        if let Ok(transaction) = decode::<Transaction>(&bytes) {
            let error = transaction.verify(network.id()).expect_err("changed after it was signed");
            assert!(["T2", "T3", "T4"].contains(&error.rule()), "{position}: {error}");
        }
    }
}

/// There is no sign: the bytes of -1 are 2^64 - 1, which is out of an amount's range, and so are
/// those of every negative number.
#[test]
fn attack_21_a_negative_amount_does_not_decode() {
    let good = encode(&signed(&network(), |_| {}));
    for negative in [-1, -1_000_000, i64::MIN + 1, i64::MIN] {
        for field in [64, 72, 80] {
            let mut bytes = good.clone();
            bytes[field..field + 8].copy_from_slice(&negative.to_le_bytes());
            let refused = decode::<Transaction>(&bytes);
            assert!(matches!(refused, Err(CodecError::Malformed(_))), "{negative} at {field}");
        }
    }
    let nearest = signed(&network(), |payment| payment.amount = Amount::MAX);
    assert_eq!(decode::<Transaction>(&encode(&nearest)).expect("in range"), nearest);
    assert_eq!(Amount::ZERO.checked_sub(micros(1)), None);
}
