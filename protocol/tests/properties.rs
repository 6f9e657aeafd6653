//! What holds for every message: it decodes to itself, and nothing else does.

mod arbitrary;

use std::fmt::Debug;

use bincode::{Decode, Encode};
use cairn_protocol::codec::{CodecError, decode, encode, encoded_len};
use cairn_protocol::limits::{MAX_BLOCK_BYTES, MAX_DATAGRAM_BYTES, MAX_MESSAGE_BYTES};
use cairn_protocol::messages::{
    Answer, Datagram, EncodedBlock, FRAME_PREFIX_BYTES, Message, RequestId, frame, frame_length,
};
use cairn_protocol::{Block, BlockView, Bounded, Memo, Rules, SealedHeader, Transaction};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

const CASES: u32 = 64;

/// The value decodes from its bytes, and from no other number of them.
fn only_its_bytes<T: Encode + Decode<()> + PartialEq + Debug>(value: &T) -> TestCaseResult {
    let mut bytes = encode(value);
    prop_assert_eq!(encoded_len(value), bytes.len());
    prop_assert_eq!(&decode::<T>(&bytes).expect("decodes"), value);
    for end in 0..bytes.len() {
        let cut = decode::<T>(&bytes[..end]);
        prop_assert!(matches!(cut, Err(CodecError::Malformed(_))), "{end}: {cut:?}");
    }
    for trailing in 1..=2 {
        bytes.push(0);
        let longer = decode::<T>(&bytes);
        prop_assert!(matches!(longer, Err(CodecError::Trailing(n)) if n == trailing), "{longer:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rules(rules in arbitrary::rules()) {
        only_its_bytes::<Rules>(&rules)?;
    }

    #[test]
    fn transactions(transaction in arbitrary::transaction()) {
        only_its_bytes::<Transaction>(&transaction)?;
    }

    #[test]
    fn headers(sealed in arbitrary::sealed()) {
        only_its_bytes::<SealedHeader>(&sealed)?;
    }

    #[test]
    fn blocks(block in arbitrary::block()) {
        only_its_bytes::<Block>(&block)?;
    }

    /// A view reads what the decoder reads.
    #[test]
    fn views_of_blocks(block in arbitrary::block()) {
        let bytes = encode(&block);
        let view = BlockView::new(&bytes).expect("a block");
        prop_assert_eq!(view.payment_count(), block.payments.len());
        prop_assert_eq!(seen(&view), block);
        for end in 0..bytes.len() {
            prop_assert!(BlockView::new(&bytes[..end]).is_err(), "{end}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        prop_assert!(matches!(BlockView::new(&longer), Err(CodecError::Trailing(1))));
    }

    /// Whatever number stands where, and whichever byte is another: a view sees no block that the
    /// decoder would not, unless what it cannot read itself is wrong.
    #[test]
    fn views_of_changed_blocks(
        block in arbitrary::block(),
        position in any::<prop::sample::Index>(),
        number in prop_oneof![Just(u64::MAX), Just(1 << 63), Just(1 << 32), 0..1_000_u64],
        byte in any::<u8>(),
    ) {
        let good = encode(&block);
        let start = position.index(good.len() - 8);
        let (mut hostile, mut other) = (good.clone(), good);
        hostile[start..start + 8].copy_from_slice(&number.to_le_bytes());
        other[start] = byte;
        for bytes in [hostile, other] {
            match (decode::<Block>(&bytes), BlockView::new(&bytes)) {
                (Ok(decoded), Ok(view)) => prop_assert_eq!(seen(&view), decoded),
                (Ok(_), Err(error)) => prop_assert!(false, "{error}"),
                (Err(_), Ok(view)) => prop_assert!(try_seen(&view).is_err()),
                (Err(_), Err(_)) => {}
            }
        }
    }

    #[test]
    fn datagrams(datagram in arbitrary::datagram()) {
        only_its_bytes::<Datagram>(&datagram)?;
        let bytes = datagram.encode();
        prop_assert!(bytes.len() <= MAX_DATAGRAM_BYTES);
        prop_assert_eq!(Datagram::decode(&bytes).expect("decodes"), datagram);
        for end in 0..bytes.len() {
            prop_assert!(Datagram::decode(&bytes[..end]).is_err());
        }
    }

    #[test]
    fn messages(message in arbitrary::message()) {
        only_its_bytes::<Message>(&message)?;
        let framed = frame(&message);
        let (prefix, content) = framed.split_first_chunk::<FRAME_PREFIX_BYTES>().expect("a prefix");
        prop_assert_eq!(frame_length(*prefix).expect("a length"), content.len());
        prop_assert_eq!(Message::decode(content).expect("decodes"), message);
    }

    /// Wherever eight bytes are replaced by a large number, a length among them, and whichever
    /// byte is another, decoding ends with an error, or with a value that has just these bytes.
    #[test]
    fn changed_bytes(
        message in arbitrary::message(),
        position in any::<prop::sample::Index>(),
        number in prop_oneof![Just(u64::MAX), Just(1 << 63), Just(1 << 32), Just(1 << 20)],
        byte in any::<u8>(),
    ) {
        let good = encode(&message);
        let start = position.index(good.len() - 8);
        let (mut hostile, mut other) = (good.clone(), good);
        hostile[start..start + 8].copy_from_slice(&number.to_le_bytes());
        other[start] = byte;
        for bytes in [hostile, other] {
            if let Ok(decoded) = decode::<Message>(&bytes) {
                prop_assert_eq!(encode(&decoded), bytes);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Random bytes after each beginning that a decoder looks at.
    #[test]
    fn attack_11_random_bytes_never_panic(
        kind in 0_u32..6,
        inner in 0_u32..5,
        tail in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let start = [kind.to_le_bytes(), [0; 4], inner.to_le_bytes()].concat();
        for bytes in [tail.clone(), [start.as_slice(), &tail].concat()] {
            let _ = Message::decode(&bytes);
            let _ = Datagram::decode(&bytes);
            let _ = Datagram::decode(&[b"CRN\x01\x01\0".as_slice(), &bytes].concat());
            let _ = decode::<Block>(&bytes);
            let _ = BlockView::new(&bytes);
            let _ = decode::<Rules>(&bytes);
        }
    }
}

/// The block that a view shows.
fn seen(view: &BlockView<'_>) -> Block {
    try_seen(view).expect("it decodes")
}

fn try_seen(view: &BlockView<'_>) -> Result<Block, CodecError> {
    let payments = view.payments().map(|payment| {
        let whole = payment.decode()?;
        assert_eq!(
            (payment.sender(), payment.recipient()),
            (whole.payment.sender, whole.payment.recipient)
        );
        Ok(whole)
    });
    let payments = payments.collect::<Result<Vec<_>, _>>()?;
    let reward = view.reward()?;
    assert_eq!(view.rewarded(), reward.recipient);
    Ok(Block { sealed: view.sealed()?, reward, payments: Bounded::first(payments) })
}

/// The bytes of a list's claimed length, then `rest`.
fn claim(before: &[u8], length: u64, rest: &[u8]) -> Vec<u8> {
    [before, &length.to_le_bytes(), rest].concat()
}

#[test]
fn attack_11_a_length_beyond_the_input_or_the_limit_is_refused_in_every_list() {
    let number = |kind: u32, inner: u32| {
        [kind.to_le_bytes(), 7_u32.to_le_bytes(), inner.to_le_bytes()].concat()
    };
    let lists = [number(3, 0), number(3, 1), number(3, 3)].into_iter();
    let lists = lists.chain([number(4, 0), number(4, 1), number(4, 2), number(4, 3)]);
    for list in lists {
        assert!(decode::<Message>(&claim(&list, 0, &[])).is_ok(), "{list:?} is a list's beginning");
        for length in [1, 81, 129, 1_025, 16_385, 1 << 20, 1 << 32, u64::MAX / 32, u64::MAX] {
            let refused = decode::<Message>(&claim(&list, length, &[]));
            assert!(matches!(refused, Err(CodecError::Malformed(_))), "{list:?} {length}");
        }
        // A length that the list may have is refused whole, not at the first item that is missing.
        let refused = decode::<Message>(&claim(&list, 64, &[0; 63])).expect_err("one too few");
        assert!(refused.to_string().contains("additional: 64"), "{refused}");
    }
    let empty = encode(&Memo::default());
    assert!(decode::<Memo>(&empty).is_ok());
    assert!(decode::<Memo>(&claim(&[], 513, &[0; 513])).is_err());
}

#[test]
fn rule_s1_a_message_of_exactly_the_largest_size_decodes_and_one_byte_more_is_refused() {
    let of_size = |bytes: usize| {
        // Message, number, answer and list take 20 bytes, each block 8 more.
        let second = bytes - 20 - 8 - MAX_BLOCK_BYTES - 8;
        let blocks = [MAX_BLOCK_BYTES, second].map(|length| vec![7; length]);
        let blocks = blocks.map(|block| EncodedBlock::new(block).expect("fits"));
        Message::Answer(RequestId(1), Answer::Blocks(Bounded::first(blocks)))
    };
    let largest = of_size(MAX_MESSAGE_BYTES);
    assert_eq!(decode::<Message>(&encode(&largest)).expect("decodes"), largest);
    assert_eq!(frame(&largest).len(), FRAME_PREFIX_BYTES + MAX_MESSAGE_BYTES);
    let larger = encode(&of_size(MAX_MESSAGE_BYTES + 1));
    assert!(matches!(decode::<Message>(&larger), Err(CodecError::TooLong(_))));
}
