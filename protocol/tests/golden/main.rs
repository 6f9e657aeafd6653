//! The golden vectors of docs/PROTOCOL.md: docs/golden.json is built anew from fixed inputs and
//! must be the file that is there. `CAIRN_BLESS=1 cargo test -p cairn-protocol --test golden`
//! rewrites it. Every encoding is also decoded back, here and by wincode (`mirror`).

mod chain;
mod chain_vectors;
mod message_vectors;
mod mirror;
mod quantity_vectors;
mod rule_vectors;
mod signature_vectors;

use std::path::PathBuf;

use bincode::{Decode, Encode};
use cairn_protocol::codec;
use serde::Serialize;

use crate::chain::Chain;
use crate::chain_vectors::ChainVectors;
use crate::message_vectors::MessageVectors;
use crate::quantity_vectors::QuantityVectors;
use crate::rule_vectors::RuleVectors;
use crate::signature_vectors::SignatureVector;

/// The whole file. Fields are written in the order in which docs/PROTOCOL.md explains them.
#[derive(Serialize)]
struct Golden {
    about: &'static str,
    #[serde(flatten)]
    quantities: QuantityVectors,
    #[serde(flatten)]
    chain: ChainVectors,
    signatures: Vec<SignatureVector>,
    #[serde(flatten)]
    rules: RuleVectors,
    #[serde(flatten)]
    messages: MessageVectors,
}

const ABOUT: &str = "Golden vectors of docs/PROTOCOL.md, section 18. Bytes are lower-case hex. \
                     Amounts are micro-coins and, like work, decimal strings; times are \
                     milliseconds. Written by protocol/tests/golden (CAIRN_BLESS=1).";

#[test]
fn the_golden_vectors_are_those_in_the_file() {
    let chain = Chain::new();
    let golden = Golden {
        about: ABOUT,
        quantities: QuantityVectors::new(),
        chain: ChainVectors::new(&chain),
        signatures: signature_vectors::all(&chain),
        rules: RuleVectors::new(),
        messages: MessageVectors::new(&chain),
    };
    let built = serde_json::to_string_pretty(&golden).expect("JSON") + "\n";
    let path = file();
    if std::env::var_os("CAIRN_BLESS").is_some() {
        std::fs::write(&path, &built).expect("docs/golden.json can be written");
    }
    let written = std::fs::read_to_string(&path).expect("docs/golden.json");
    let differs = built.lines().zip(written.lines()).position(|(built, written)| built != written);
    assert_eq!(differs.map(|line| line + 1), None, "docs/golden.json differs first in that line");
    assert_eq!(built.len(), written.len(), "docs/golden.json has another length");
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/golden.json")
}

/// The value's encoding in hex, after it was decoded back.
fn encoding<T: Encode + Decode<()> + PartialEq + std::fmt::Debug>(value: &T) -> String {
    let bytes = codec::encode(value);
    assert_eq!(&codec::decode::<T>(&bytes).expect("decodes"), value);
    const_hex::encode(bytes)
}

/// An amount as the file writes it.
fn micros(amount: cairn_protocol::Amount) -> String {
    amount.micros().to_string()
}
