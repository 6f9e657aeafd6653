//! S1 to S4: which bytes are the encoding of a value.

use std::fmt::Debug;

use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};
use cairn_protocol::codec::{CodecError, decode, encode};
use cairn_protocol::limits::MAX_MESSAGE_BYTES;
use cairn_protocol::messages::Request;
use cairn_protocol::{
    Amount, Block, Bounded, Height, Memo, NetworkName, Reward, SealedHeader, Sequence, Target,
    Timestamp, Transaction,
};

use crate::draft::Draft;
use crate::kit::network;

fn rule_of<T: Encode + Decode<()> + Debug>(bytes: &[u8]) -> &'static str {
    decode::<T>(bytes).expect_err("no encoding").rule()
}

#[test]
fn rule_s1_an_encoding_is_at_most_as_long_as_a_message() {
    // The list's length takes 8 bytes.
    let list = |bytes: usize| encode(&Bounded::<u8, 2_000_000>::first(vec![7; bytes - 8]));
    let refused = decode::<Bounded<u8, 2_000_000>>(&list(MAX_MESSAGE_BYTES + 1));
    let error = refused.expect_err("one byte too long");
    assert!(matches!(error, CodecError::TooLong(bytes) if bytes == MAX_MESSAGE_BYTES + 1));
    assert_eq!(error.rule(), "S1");
    decode::<Bounded<u8, 2_000_000>>(&list(MAX_MESSAGE_BYTES)).expect("as long as may be");
}

/// These bytes break S2, those next to them do not.
fn assert_malformed<T: Encode + Decode<()> + Debug>(malformed: &[u8], nearest: &[u8]) {
    let error = decode::<T>(malformed).expect_err("out of range");
    assert!(matches!(error, CodecError::Malformed(_)), "{malformed:?}: {error:?}");
    assert_eq!(error.rule(), "S2");
    decode::<T>(nearest).expect("in range");
}

#[test]
fn rule_s2_an_encoding_does_not_end_early() {
    assert_malformed::<u32>(&[1, 2, 3], &[1, 2, 3, 4]);
    assert_malformed::<Memo>(&[2, 0, 0, 0, 0, 0, 0, 0, 7], &[1, 0, 0, 0, 0, 0, 0, 0, 7]);
}

#[test]
fn rule_s2_a_list_has_at_most_its_most_items() {
    let memo = |bytes: usize| encode(&Bounded::<u8, 1_000>::first(vec![7; bytes]));
    assert_malformed::<Memo>(&memo(513), &memo(512));
    let list = |items| encode(&Bounded::<u16, 9>::first(vec![7; items]));
    assert_malformed::<Bounded<u16, 3>>(&list(4), &list(3));
}

#[test]
fn rule_s2_options_and_variants_are_those_that_are_listed() {
    assert_malformed::<Option<u8>>(&[2, 0], &[1, 0]);
    assert_malformed::<bool>(&[2], &[1]);
    let question = |variant| [&[variant, 0, 0, 0], &[0; 8][..]].concat();
    assert_malformed::<Request>(&question(4), &question(3));
}

#[test]
fn rule_s2_quantities_are_in_their_range() {
    let (beyond, last) = (encode(&(1_u64 << 63)), encode(&((1_u64 << 63) - 1)));
    assert_malformed::<Amount>(&beyond, &last);
    assert_malformed::<Height>(&beyond, &last);
    assert_malformed::<Sequence>(&beyond, &last);
    assert_malformed::<Timestamp>(&beyond, &last);
    let mut one = [0; 32];
    one[31] = 1;
    assert_malformed::<Target>(&[0; 32], &one);
}

#[test]
fn rule_s2_a_network_name_is_short_and_plain() {
    let name = |text: &str| encode(&Bounded::<u8, 99>::first(text.bytes()));
    for (wrong, nearest) in [("Cairn", "cairn"), ("", "c"), ("ca-rn", "ca1rn")] {
        assert_malformed::<NetworkName>(&name(wrong), &name(nearest));
    }
    let (long, longest) = ("abcdefghijklmnopqrstu", "abcdefghijklmnopqrst");
    assert_malformed::<NetworkName>(&name(long), &name(longest));
}

#[test]
fn rule_s3_no_bytes_follow() {
    let error = decode::<u32>(&[1, 2, 3, 4, 5, 6]).expect_err("two too many");
    assert!(matches!(error, CodecError::Trailing(2)), "{error:?}");
    assert_eq!(error.rule(), "S3");
    assert_eq!(decode::<u32>(&[1, 2, 3, 4]).expect("four"), 0x0403_0201);
}

/// A type with two encodings of each number below 128, as a careless message could have.
#[derive(Debug)]
pub(crate) struct Sloppy(u8);

impl Encode for Sloppy {
    fn encode<E: bincode::enc::Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.0.encode(encoder)
    }
}

impl<Context> Decode<Context> for Sloppy {
    fn decode<D: bincode::de::Decoder<Context = Context>>(
        decoder: &mut D,
    ) -> Result<Self, DecodeError> {
        Ok(Self(u8::decode(decoder)? & 0x7f))
    }
}

#[test]
fn rule_s4_a_value_encodes_to_the_bytes_it_came_from() {
    let error = decode::<Sloppy>(&[0x85]).expect_err("5 is written otherwise");
    assert!(matches!(error, CodecError::NotCanonical), "{error:?}");
    assert_eq!(error.rule(), "S4");
    assert_eq!(decode::<Sloppy>(&[5]).expect("canonical").0, 5);
}

/// The parts of a block, to be put together otherwise.
fn parts() -> (SealedHeader, Reward, Bounded<Transaction, 9>) {
    let block = Draft::with_payments(&network(), 1).block();
    (block.sealed, block.reward, Bounded::first(block.payments.into_vec()))
}

/// A block's only way to be without transactions is to be without its reward.
#[test]
fn behaviour_13_a_block_without_a_reward_does_not_decode() {
    let (sealed, reward, payments) = parts();
    let none = Bounded::<Transaction, 9>::default();
    assert_eq!(rule_of::<Block>(&encode(&(sealed, &none))), "S2");
    assert_eq!(rule_of::<Block>(&encode(&sealed)), "S2");
    decode::<Block>(&encode(&(sealed, reward, none))).expect("a reward is a transaction");
    decode::<Block>(&encode(&(sealed, reward, payments))).expect("and a payment may follow");
}

#[test]
fn behaviour_13_a_block_whose_reward_is_not_first_does_not_decode() {
    let (sealed, reward, payments) = parts();
    assert_eq!(rule_of::<Block>(&encode(&(sealed, &payments, reward))), "S2");
    let first = &payments[0];
    assert_eq!(rule_of::<Block>(&encode(&(sealed, first, reward))), "S2");
}

#[test]
fn behaviour_14_a_second_reward_does_not_decode() {
    let (sealed, reward, payments) = parts();
    let before = encode(&(sealed, reward, reward, &payments));
    assert!(["S2", "S3"].contains(&rule_of::<Block>(&before)));
    assert_eq!(rule_of::<Block>(&encode(&(sealed, reward, &payments, reward))), "S3");
    // As one of the payments it is too short, and what follows is not the rest of it.
    let as_payment = encode(&(sealed, reward, 1_u64, reward));
    assert_eq!(rule_of::<Block>(&as_payment), "S2");
}

/// The same block, written with more bytes: none of these is a block, so the true one, under the
/// same hash, is as good as before.
#[test]
fn behaviour_22_a_bloated_encoding_does_not_block_the_true_one() {
    let network = network();
    let block = Draft::with_payments(&network, 1).block();
    let good = encode(&block);
    let (until_list, list) = good.split_at(136 + 48);
    let long_count = [until_list, &1_u128.to_le_bytes(), &list[8..]].concat();
    let padded_header = [&good[..136], &[0; 4], &good[136..]].concat();
    let padded_memo = {
        let mut bytes = good.clone();
        let memo = bytes.len() - 64 - 8;
        bytes[memo] = 3;
        bytes.splice(memo + 8..memo + 8, [0; 3]);
        bytes
    };
    for bloated in [[good.as_slice(), &[0]].concat(), long_count, padded_header] {
        let error = decode::<Block>(&bloated).expect_err("no block");
        assert!(["S2", "S3"].contains(&error.rule()), "{error}");
    }
    let other = decode::<Block>(&padded_memo).expect("a longer memo, which nobody signed");
    let error = other.verify(&network).expect_err("the header does not commit to it");
    assert_eq!((error.rule(), error.condemns_header()), ("B1", false));
    let verified = decode::<Block>(&good).expect("a block").verify(&network).expect("valid");
    assert_eq!(encode(&verified.to_block()), good);
}

#[test]
fn behaviour_28_a_block_cut_anywhere_or_followed_by_a_byte_does_not_decode() {
    let mut bytes = encode(&Draft::with_payments(&network(), 2).block());
    for end in 0..bytes.len() {
        let cut = decode::<Block>(&bytes[..end]);
        assert!(matches!(cut, Err(CodecError::Malformed(_))), "{end}: {cut:?}");
    }
    decode::<Block>(&bytes).expect("whole");
    for byte in [0, 1, 0xff] {
        bytes.push(byte);
        let longer = decode::<Block>(&bytes);
        assert!(matches!(longer, Err(CodecError::Trailing(1))), "{longer:?}");
        bytes.pop();
    }
}
