//! Which of two broken rules is told: the one that docs/PROTOCOL.md puts first.

use cairn_protocol::codec::{CodecError, decode};
use cairn_protocol::limits::MAX_MESSAGE_BYTES;
use cairn_protocol::{Amount, ContentRoot, Height, Sequence, Target, Transaction};

use crate::draft::Draft;
use crate::encodings::Sloppy;
use crate::kit::{coins, network, off_curve, payment, signed, verdict};

/// A rule, and what breaks it in a `T`.
type Breaker<'a, T> = (&'static str, &'a dyn Fn(&mut T));

/// All pairs of breakers, the first before the second.
fn pairs<'b, T>(breakers: &'b [Breaker<'b, T>]) -> impl Iterator<Item = [Breaker<'b, T>; 2]> {
    let after =
        move |first: usize| breakers[first + 1..].iter().map(move |one| [breakers[first], *one]);
    (0..breakers.len()).flat_map(after)
}

#[test]
fn the_first_broken_rule_of_an_encoding_is_told() {
    let rule = |bytes: &[u8]| decode::<Sloppy>(bytes).map_err(|error: CodecError| error.rule());
    let too_long = vec![0x85; MAX_MESSAGE_BYTES + 1];
    assert_eq!(rule(&too_long).err(), Some("S1"), "and S3, S4");
    assert_eq!(decode::<Transaction>(&too_long).expect_err("and S2").rule(), "S1");
    let malformed_and_trailing = [2, 0, 0];
    assert_eq!(decode::<Option<u8>>(&malformed_and_trailing).expect_err("and S3").rule(), "S2");
    assert_eq!(rule(&[0x85, 0]).err(), Some("S3"), "and S4");
    assert_eq!(rule(&[0x85]).err(), Some("S4"));
}

/// T1 and T2 cannot be broken together: without an amount the fee alone is never too large.
#[test]
fn the_first_broken_rule_of_a_transaction_is_told() {
    let network = network();
    let breakers: [Breaker<'_, Transaction>; 4] = [
        ("T1", &|transaction| transaction.payment.amount = Amount::ZERO),
        ("T2", &|transaction| transaction.payment.fee = Amount::MAX),
        ("T3", &|transaction| transaction.payment.sender = off_curve()),
        ("T4", &|transaction| transaction.signature.0[0] ^= 1),
    ];
    for [(first, break_first), (second, break_second)] in pairs(&breakers) {
        if (first, second) == ("T1", "T2") {
            continue;
        }
        let mut transaction = signed(&network, |_| {});
        break_first(&mut transaction);
        break_second(&mut transaction);
        let error = verdict(&transaction, network.id()).expect_err("not valid");
        assert_eq!(error.rule(), first, "and {second}");
    }
}

/// The amounts of all are checked before any signature.
#[test]
fn the_amounts_of_a_batch_come_before_its_signatures() {
    let network = network();
    let mut forged = signed(&network, |_| {});
    forged.signature.0[0] ^= 1;
    let nothing = signed(&network, |payment| payment.amount = Amount::ZERO);
    let refused = |batch| {
        let (index, error) = Transaction::verify_all(batch, network.id()).expect_err("not valid");
        (index, error.rule())
    };
    assert_eq!(refused(vec![forged.clone(), nothing.clone()]), (1, "T1"));
    assert_eq!(refused(vec![forged.clone(), forged]), (0, "T4"));
}

/// One after the other: H, then B1 and B2, then T of the payments, then B3 to B5. B4 and B5 need
/// no pair: where B4 is broken, no reward is right.
#[test]
fn the_first_broken_rule_of_a_block_is_told() {
    let network = network();
    let pay = |draft: &mut Draft, change: &dyn Fn(&mut Transaction)| {
        let mut transaction = signed(&network, |_| {});
        change(&mut transaction);
        draft.payments.push(transaction);
    };
    let pay_much = |draft: &mut Draft, sequence| {
        let fee = Amount::from_micros(Amount::MAX.micros() - 1_000_000).expect("an amount");
        let sequence = Sequence::from(sequence);
        draft.payments.push(signed(&network, |one| (one.fee, one.sequence) = (fee, sequence)));
    };
    let breakers: [Breaker<'_, Draft>; 13] = [
        ("H1", &|draft| draft.version = 2),
        ("H2", &|draft| draft.height = Height::GENESIS),
        ("H3", &|draft| draft.target = Target::with_leading_zeros(3)),
        ("H4", &|draft| draft.proven = false),
        ("B1", &|draft| draft.content = Some(ContentRoot([0; 32]))),
        ("B2", &|draft| {
            let large = (0..3).map(|n| signed(&network, |one| *one = payment(n, 512)));
            draft.payments.extend(large);
        }),
        ("T1", &|draft| pay(draft, &|one| one.payment.amount = Amount::ZERO)),
        ("T2", &|draft| pay(draft, &|one| one.payment.fee = Amount::MAX)),
        ("T3", &|draft| pay(draft, &|one| one.payment.sender = off_curve())),
        ("T4", &|draft| pay(draft, &|one| one.signature.0[0] ^= 1)),
        ("B3", &|draft| draft.reward.height = Height::from(2)),
        ("B4", &|draft| (0..2).for_each(|sequence| pay_much(draft, sequence))),
        ("B5", &|draft| draft.reward.amount = coins("9")),
    ];
    for (rule, break_it) in &breakers {
        let mut draft = Draft::new(&network);
        break_it(&mut draft);
        assert_eq!(draft.refused().1, *rule, "alone");
    }
    for [(first, break_first), (second, break_second)] in pairs(&breakers) {
        let mut draft = Draft::new(&network);
        break_first(&mut draft);
        break_second(&mut draft);
        assert_eq!(draft.refused().1, first, "and {second}");
    }
}
