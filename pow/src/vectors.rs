//! The scans of all instruction sets against NIST's test vectors for SHA-256.
//!
//! A scan goes through the nonces of a candidate, but its rounds are those of any block: here they
//! hash the blocks of the vectors, whose thirteenth words take the nonce's place.

use sha2::block_api::compress256;

use crate::Method;
use crate::job::{Job, NONCE};
use crate::kernel::Scan;
use crate::sha256::INITIAL;

const SHORT_MESSAGES: &str = include_str!("../../protocol/tests/vectors/sha256/SHA256ShortMsg.rsp");
const MONTE_CARLO: &str = include_str!("../../protocol/tests/vectors/sha256/SHA256Monte.rsp");

/// The scans that this CPU has.
fn scans() -> Vec<(Method, Scan)> {
    Method::ALL.into_iter().filter_map(|method| Some((method, method.scan()?))).collect()
}

/// The message with its padding (FIPS 180-4, 5.1.1), in blocks.
fn padded(message: &[u8]) -> Vec<[u8; 64]> {
    let mut bytes = message.to_vec();
    bytes.push(0x80);
    bytes.resize((bytes.len() + 8).next_multiple_of(64) - 8, 0);
    bytes.extend((8 * message.len() as u64).to_be_bytes());
    bytes.as_chunks().0.to_vec()
}

/// Whether the scan says that this is the first word of the state after the block.
fn agrees(scan: Scan, state: &[u32; 8], block: &[u8; 64], first_word: u32) -> bool {
    let words: [u32; 16] = std::array::from_fn(|i| u32::from_be_bytes(block.as_chunks().0[i]));
    let mut job = Job::of_block(state, &words, u32::MAX);
    job.constants[63] = job.constants[63].wrapping_sub(first_word);
    let nonce = words[NONCE].swap_bytes();
    let number = nonce / scan.lanes;
    let batch = (scan.first)(&job, number..=number);
    batch.is_some_and(|batch| batch.passed >> (nonce % scan.lanes) & 1 == 1)
}

/// Hashes a message and asks the scans about each of its blocks.
fn check(scans: &[(Method, Scan)], message: &[u8], digest: &[u8]) {
    let mut state = INITIAL;
    let blocks = padded(message);
    for (i, block) in blocks.iter().enumerate() {
        let before = state;
        compress256(&mut state, &[*block]);
        if i + 1 == blocks.len() {
            assert_eq!(state.map(u32::to_be_bytes).as_flattened(), digest, "the vector itself");
        }
        for (method, scan) in scans {
            assert!(agrees(*scan, &before, block, state[0]), "{method}: {message:?}, block {i}");
            let wrong = state[0] ^ 1 << (i % 32);
            assert!(!agrees(*scan, &before, block, wrong), "{method} agrees with anything");
        }
    }
}

/// The values of the lines `name = value` of a file of vectors.
fn values<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| line.strip_prefix(name)?.trim().strip_prefix("= "))
}

fn hex(text: &str) -> Vec<u8> {
    const_hex::decode(text).expect("hexadecimal")
}

#[test]
fn messages_of_all_lengths_of_a_block() {
    let scans = scans();
    let lengths = values(SHORT_MESSAGES, "Len").map(|bits| bits.parse::<usize>().expect("bits"));
    let messages = values(SHORT_MESSAGES, "Msg").map(hex);
    let digests = values(SHORT_MESSAGES, "MD").map(hex);
    let mut seen = 0;
    for ((bits, message), digest) in lengths.zip(messages).zip(digests) {
        check(&scans, &message[..bits / 8], &digest);
        seen += 1;
    }
    assert_eq!(seen, 65);
}

/// Each digest of the file is the last of a thousand, each made of the three before it.
#[test]
fn a_hundred_thousand_digests_in_a_row() {
    let scans = scans();
    let mut seed = hex(values(MONTE_CARLO, "Seed").next().expect("a seed"));
    let digests: Vec<_> = values(MONTE_CARLO, "MD").map(hex).collect();
    assert_eq!(digests.len(), 100);
    for last in digests {
        let mut three = [seed.clone(), seed.clone(), seed];
        for i in 1..=1_000 {
            let message = three.concat();
            let digest = digest(&message);
            check(&scans, &message, if i == 1_000 { &last } else { &digest });
            three.rotate_left(1);
            three[2] = digest;
        }
        [_, _, seed] = three;
    }
}

fn digest(message: &[u8]) -> Vec<u8> {
    use sha2::Digest;
    sha2::Sha256::digest(message).to_vec()
}
