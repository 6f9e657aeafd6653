//! Twins: other contents under the same header, and so the same hash. They say nothing about the
//! true block, which is accepted afterwards.

use cairn_protocol::codec::{decode, encode};
use cairn_protocol::{Block, BlockError, Bounded, Transaction};

use crate::draft::Draft;
use crate::kit::network;

/// The block with other payments is refused without a word against its hash, and is then accepted
/// as it was.
fn assert_harmless(block: &Block, payments: Vec<Transaction>) {
    let network = network();
    let twin = Block { payments: Bounded::new(payments).expect("few"), ..block.clone() };
    assert_ne!(&twin, block);
    assert_eq!(twin.sealed.hash(), block.sealed.hash());
    let error = twin.verify(&network).expect_err("another content");
    assert_eq!((error, error.condemns_header()), (BlockError::ContentRoot, false));
    let verified = block.clone().verify(&network).expect("valid");
    assert_eq!(verified.to_block(), *block);
}

fn with_payments(count: u32) -> (Block, Vec<Transaction>) {
    let block = Draft::with_payments(&network(), count).block();
    let payments = block.payments.to_vec();
    (block, payments)
}

#[test]
fn behaviour_20_a_payment_given_twice_does_not_poison_the_hash() {
    for count in 1..=5 {
        let (block, payments) = with_payments(count);
        for again in &payments {
            let mut doubled = payments.clone();
            doubled.push(again.clone());
            assert_harmless(&block, doubled);
        }
    }
}

#[test]
fn behaviour_21_the_true_block_is_valid_after_any_mutated_twin() {
    let (block, payments) = with_payments(4);
    let changes: [fn(&mut Vec<Transaction>); 5] = [
        |payments| payments.reverse(),
        |payments| payments.truncate(3),
        |payments| payments.clear(),
        |payments| payments[2].signature.0[0] ^= 1,
        |payments| payments[2].payment.memo = crate::kit::payment(0, 3).memo,
    ];
    for change in changes {
        let mut mutated = payments.clone();
        change(&mut mutated);
        assert_harmless(&block, mutated);
    }
}

/// CVE-2012-2459: with a tree that repeats its last leaves, the leaves 1 to 6 and 1 to 6, 5, 6
/// share a root. The first leaf is the reward's.
#[test]
fn attack_03_repeated_last_payments_have_another_root() {
    for (count, repeated) in [(5, 2), (2, 1), (4, 1), (6, 1), (3, 2), (1, 1), (7, 4)] {
        let (block, payments) = with_payments(count);
        let again = &payments[payments.len() - repeated..];
        assert_harmless(&block, [&payments, again].concat());
    }
}

/// The hash is nowhere in the bytes: it is computed from them. Whichever bit is another, nothing
/// valid with the same hash comes of it.
#[test]
fn attack_19_no_other_bytes_are_the_block_of_that_hash() {
    let network = network();
    let (block, _) = with_payments(1);
    let good = encode(&block);
    let hash = block.sealed.hash();
    let mut decoded = 0;
    for position in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[position / 8] ^= 1 << (position % 8);
        let Ok(other) = decode::<Block>(&bytes) else { continue };
        decoded += 1;
        if let Ok(verified) = other.verify(&network) {
            assert!(position < 136 * 8, "bit {position}: a valid block with another content");
            assert_ne!(verified.block_ref().hash, hash, "bit {position}");
        }
    }
    assert!(decoded > good.len() * 7, "most of them decode: {decoded}");
}
