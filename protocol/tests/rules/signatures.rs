//! Signatures at the edges of ZIP 215, where libraries differ: one verdict alone and in a batch.

use cairn_protocol::codec::decode;
use cairn_protocol::{AccountId, Network, Payment, Rules, Transaction};
use serde_json::Value;

use crate::draft::Draft;
use crate::kit::{network, payment, verdict, with_signature};

/// Every crafted case of docs/golden.json gets the verdict that is written there.
#[test]
fn attack_07_crafted_signatures_are_judged_alike_alone_and_in_batches() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../docs/golden.json")).expect("JSON");
    let network = Network::new(Rules::default()).expect("the defaults are possible");
    let cases = golden["signatures"].as_array().expect("a list");
    assert_eq!(cases.len(), 13);
    for case in cases {
        let bytes = const_hex::decode(case["transaction"].as_str().expect("hex")).expect("hex");
        let transaction: Transaction = decode(&bytes).expect("a transaction");
        let rule = verdict(&transaction, network.id()).err().map(|error| error.rule());
        assert_eq!(rule, case["refused_by"].as_str(), "{}", case["why"]);
    }
}

/// All encodings of the eight points of small order, the canonical ones first (ZIP 215, test
/// vectors).
const SMALL_ORDER: [&str; 14] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

fn points() -> [[u8; 32]; 14] {
    SMALL_ORDER.map(|hex| const_hex::decode_to_array(hex).expect("32 bytes"))
}

/// Whatever A and R of small order, 8 (0 B - R - k A) is the identity: all 196 are valid, where
/// other rules accept some of them or none. With s = 1 none is.
#[test]
fn attack_07_all_points_of_small_order_are_judged_by_the_cofactored_equation() {
    let network = network().id();
    let mut one = [0; 32];
    one[0] = 1;
    for sender in points() {
        let payment = Payment { sender: AccountId(sender), ..payment(0, 0) };
        let signed = |r, s| with_signature(payment.clone(), r, s);
        let all: Vec<_> = points().map(|r| signed(r, [0; 32])).into();
        for transaction in &all {
            let alone = transaction.clone().verify(network).expect("valid");
            assert_eq!(alone.id(), all[0].payment.id(network));
        }
        assert_eq!(Transaction::verify_all(all, network).expect("valid").len(), 14);
        let wrong = verdict(&signed(points()[0], one), network).expect_err("1 B is no identity");
        assert_eq!(wrong.rule(), "T4");
    }
}

/// A second valid signature of the same payment leaves its id as it was, and makes another block:
/// nobody can exchange the signature in a block that is mined.
#[test]
fn attack_07_the_id_leaves_the_signature_out_and_the_content_root_does_not() {
    let network = network();
    let sender = AccountId(points()[0]);
    let [first, second] = [points()[0], points()[3]]
        .map(|r| with_signature(Payment { sender, ..payment(0, 0) }, r, [0; 32]));
    let id = |transaction: &Transaction| verdict(transaction, network.id()).expect("valid").id();
    assert_ne!(first.signature, second.signature);
    assert_eq!(id(&first), id(&second));

    let mut draft = Draft::with_payments(&network, 1);
    draft.payments = vec![first];
    draft.assert_accepted();
    let committed = draft.content_root();
    draft.payments = vec![second];
    draft.assert_accepted();
    assert_ne!(draft.content_root(), committed);
    draft.content = Some(committed);
    assert_eq!(draft.refused().1, "B1");
}
