//! The signature rule (ZIP 215) at its edges: transactions that libraries with other rules judge
//! otherwise.

use cairn_protocol::{
    AccountId, Memo, Payment, Sequence, Signature, Transaction, TransactionError,
};
use serde::Serialize;

use crate::chain::{Chain, alice, bob, coins};
use crate::encoding;

#[derive(Serialize)]
pub(crate) struct SignatureVector {
    why: &'static str,
    transaction: String,
    refused_by: Option<&'static str>,
}

/// The order of ed25519's base point, little-endian: 2^252 + 27742317777372353535851937790883648493.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
/// A point of order 8.
const ORDER_8: &str = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
/// p - 1 = -1: the point of order 2.
const ORDER_2: &str = "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
const IDENTITY: &str = "0100000000000000000000000000000000000000000000000000000000000000";
/// The identity with p + 1 in place of 1.
const IDENTITY_ABOVE_P: &str = "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
/// The identity with the sign of -0.
const IDENTITY_MINUS_0: &str = "0100000000000000000000000000000000000000000000000000000000000080";
/// y = 2, of which there is no x.
const OFF_CURVE: &str = "0200000000000000000000000000000000000000000000000000000000000000";
const ZERO: [u8; 32] = [0; 32];

fn point(hex: &str) -> [u8; 32] {
    const_hex::decode_to_array(hex).expect("32 bytes")
}

pub(crate) fn all(chain: &Chain) -> Vec<SignatureVector> {
    let network = chain.network.id();
    let good = alice().sign(payment(alice().account()), network);
    let (r, s) = good.signature.0.split_at(32);
    let halves = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).expect("half a signature");
    let (r, s) = (halves(r), halves(s));
    let signed = |sender, r, s| forged(point(sender), r, s);
    let owned = |r, s| forged(alice().account().0, r, s);
    let cases = [
        ("an ordinary signature", good.clone()),
        ("A of order 8, R the identity: only the cofactored equation holds", {
            signed(ORDER_8, point(IDENTITY), ZERO)
        }),
        ("A of order 2, R of order 8", signed(ORDER_2, point(ORDER_8), ZERO)),
        ("A encoded with y = p + 1", signed(IDENTITY_ABOVE_P, point(IDENTITY), ZERO)),
        ("A encoded with x = -0", signed(IDENTITY_MINUS_0, point(IDENTITY), ZERO)),
        ("R encoded with y = p + 1", signed(IDENTITY, point(IDENTITY_ABOVE_P), ZERO)),
        ("R encoded with x = -0", signed(IDENTITY, point(IDENTITY_MINUS_0), ZERO)),
        ("s = L", signed(IDENTITY, point(IDENTITY), L)),
        ("an ordinary signature with s + L in place of s", owned(r, plus_l(s))),
        ("R is no point", owned(point(OFF_CURVE), s)),
        ("A is no point", signed(OFF_CURVE, point(IDENTITY), ZERO)),
        ("an ordinary signature with another R of small order", owned(point(ORDER_8), s)),
        ("an ordinary signature of another key", forged(bob().account().0, r, s)),
    ];
    cases.map(|(why, transaction)| vector(chain, why, &transaction)).into()
}

fn vector(chain: &Chain, why: &'static str, transaction: &Transaction) -> SignatureVector {
    let network = chain.network.id();
    let alone = transaction.clone().verify(network).map_err(|error| error.rule());
    let batch = Transaction::verify_all(vec![transaction.clone()], network)
        .map_err(|(_, error): (usize, TransactionError)| error.rule());
    assert_eq!(batch.err(), alone.clone().err(), "single and batch agree: {why}");
    SignatureVector { why, transaction: encoding(transaction), refused_by: alone.err() }
}

fn payment(sender: AccountId) -> Payment {
    Payment {
        sender,
        recipient: bob().account(),
        amount: coins("1"),
        fee: coins("0"),
        sequence: Sequence::FIRST,
        memo: Memo::default(),
    }
}

fn forged(sender: [u8; 32], r: [u8; 32], s: [u8; 32]) -> Transaction {
    let signature = [r, s].concat().try_into().expect("64 bytes");
    Transaction { payment: payment(AccountId(sender)), signature: Signature(signature) }
}

/// s + L, little-endian, as a careless verifier would reduce it.
fn plus_l(s: [u8; 32]) -> [u8; 32] {
    let mut carry = 0;
    std::array::from_fn(|index| {
        let sum = u16::from(s[index]) + u16::from(L[index]) + carry;
        carry = sum >> 8;
        sum.to_le_bytes()[0]
    })
}
