//! TCP links: after a [`Hello`] of each side, either may announce, ask and answer.

use bincode::{Decode, Encode};

use super::{InstanceId, MAGIC, Status, VERSION};
use crate::bounded::{Bounded, BoundedBytes};
use crate::codec::{self, CodecError};
use crate::hash::TransactionId;
use crate::header::{BlockRef, SealedHeader};
use crate::limits::{
    MAX_BLOCK_BYTES, MAX_BLOCKS, MAX_HEADERS, MAX_IDS, MAX_LOCATOR, MAX_MESSAGE_BYTES,
    MAX_TRANSACTIONS,
};
use crate::rules::{RuleDifference, Rules};
use crate::transaction::Transaction;

/// The bytes of the length that stands before each frame: u32, little-endian.
pub const FRAME_PREFIX_BYTES: usize = 4;

/// How the encoding of [`Message::Hello`] starts: with its variant number.
const HELLO_VARIANT: [u8; 4] = [0; 4];

/// Where a chain runs, densest near its tip, for a peer to find the last block in common. The
/// first entry is the tip; genesis need not be in it.
pub type Locator = Bounded<BlockRef, MAX_LOCATOR>;
/// A block's encoding, passed on without being decoded.
pub type EncodedBlock = BoundedBytes<MAX_BLOCK_BYTES>;

/// Tells the answers on a link apart. Each side counts its own questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct RequestId(pub u32);

/// What each side says first.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Hello {
    magic: [u8; 4],
    version: u16,
    /// The rules of its network: nodes whose rules differ do not talk further.
    pub rules: Rules,
    /// Its state.
    pub status: Status,
}

impl Hello {
    /// What a node with these rules and this status says.
    pub fn new(rules: Rules, status: Status) -> Self {
        Self { magic: MAGIC, version: VERSION, rules, status }
    }

    /// Checks that a peer who says this can be talked to. [`Message::decode`] has seen to it that
    /// it speaks our version.
    ///
    /// # Errors
    /// [`HelloError`]: other rules, or ourselves.
    pub fn check(&self, rules: &Rules, instance: InstanceId) -> Result<(), HelloError> {
        if let Some(difference) = rules.difference(&self.rules) {
            return Err(HelloError::Rules(difference));
        }
        if self.status.instance == instance {
            return Err(HelloError::Ourselves);
        }
        Ok(())
    }
}

/// Why a peer cannot be talked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HelloError {
    /// Some other program's.
    #[error("not a Cairn node")]
    Magic,
    /// A newer or older program's.
    #[error("it speaks message version {0}, and this program {VERSION}")]
    Version(u16),
    /// A node of another network.
    #[error("it belongs to another network: {0}")]
    Rules(RuleDifference),
    /// The other end of the link is this very node.
    #[error("it is this node itself")]
    Ourselves,
}

/// What is said on a link.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Message {
    /// First, once, by each side.
    Hello(Hello),
    /// The sender's state, on every new tip and every interval.
    Status(Status),
    /// A transaction that was new to the sender.
    Transaction(Transaction),
    /// A question.
    Request(RequestId, Request),
    /// The answer to the other side's question of that number.
    Answer(RequestId, Answer),
}

/// A question. Each has one answer, of the variant of the same name.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Request {
    /// The headers after the last block in common.
    Headers(Locator),
    /// These blocks.
    Blocks(Bounded<BlockRef, MAX_BLOCKS>),
    /// The ids of the transactions that wait for a block, in ascending order, from the first that
    /// is above this one, if any.
    MempoolIds(Option<TransactionId>),
    /// These transactions.
    Transactions(Bounded<TransactionId, MAX_TRANSACTIONS>),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
    /// Headers of the answerer's chain, in ascending order, from the one after the last block in
    /// common. Fewer than [`MAX_HEADERS`]: there are no more.
    Headers(Bounded<SealedHeader, MAX_HEADERS>),
    /// Of the blocks asked for, in the order of the question, those that the answerer has and
    /// that fit into one message; at least the first that it has.
    Blocks(Bounded<EncodedBlock, MAX_BLOCKS>),
    /// Ids in ascending order. Fewer than [`MAX_IDS`]: there are no more.
    MempoolIds(Bounded<TransactionId, MAX_IDS>),
    /// Of the transactions asked for, those that still wait.
    Transactions(Bounded<Transaction, MAX_TRANSACTIONS>),
}

/// The bytes that carry a message on a link: their length, then the message.
///
/// # Panics
/// If the message has more than [`MAX_MESSAGE_BYTES`], which the bounds of its lists exclude for
/// all but [`Answer::Blocks`]: whoever makes that one counts its bytes.
pub fn frame(message: &Message) -> Vec<u8> {
    let content = codec::encode(message);
    assert!(content.len() <= MAX_MESSAGE_BYTES, "a message of {} bytes", content.len());
    let length = u32::try_from(content.len()).expect("at most 1 MiB");
    [length.to_le_bytes().as_slice(), &content].concat()
}

/// The length of the frame that starts with this prefix, before anything is allocated for it.
///
/// # Errors
/// [`FrameError`] if no message has that length.
pub fn frame_length(prefix: [u8; FRAME_PREFIX_BYTES]) -> Result<usize, FrameError> {
    let length = u32::from_le_bytes(prefix);
    match usize::try_from(length) {
        Ok(length @ 1..=MAX_MESSAGE_BYTES) => Ok(length),
        _ => Err(FrameError::Length(length)),
    }
}

impl Message {
    /// The message in a frame's content.
    ///
    /// # Errors
    /// [`FrameError`] if it is malformed, or a hello of another program or version.
    pub fn decode(content: &[u8]) -> Result<Self, FrameError> {
        check_version(content)?;
        Ok(codec::decode(content)?)
    }
}

/// Reads the start of a hello, which is the same in all versions, so that a peer of another
/// version is named as such whatever its hello holds beyond that.
fn check_version(content: &[u8]) -> Result<(), HelloError> {
    let Some(hello) = content.strip_prefix(&HELLO_VARIANT) else { return Ok(()) };
    let rest = hello.strip_prefix(&MAGIC).ok_or(HelloError::Magic)?;
    match rest.first_chunk().map(|bytes| u16::from_le_bytes(*bytes)) {
        Some(VERSION) => Ok(()),
        Some(other) => Err(HelloError::Version(other)),
        None => Err(HelloError::Magic),
    }
}

/// Why a link cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// A length that no message has.
    #[error("a frame of {0} bytes, where it has 1 to {MAX_MESSAGE_BYTES}")]
    Length(u32),
    /// A hello that is not ours.
    #[error(transparent)]
    Hello(#[from] HelloError),
    /// A message that is not well-formed.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockHash, Header, Height, Proof, Timestamp, Work};

    fn status() -> Status {
        Status {
            instance: InstanceId([1; 16]),
            height: Height::from(7),
            tip: BlockHash([2; 32]),
            work: Work::ZERO,
            blocks_port: 2607,
            clock: Timestamp::ZERO,
        }
    }

    fn sealed() -> SealedHeader {
        let network = crate::Network::new(Rules::default()).expect("possible");
        let header = Header { height: Height::from(1), ..network.genesis().header };
        SealedHeader { header, proof: Proof { salt: [1; 16], nonce: 5 } }
    }

    #[test]
    fn the_largest_lists_fit_into_a_frame_and_round_trip() {
        let id = RequestId(1);
        let here = BlockRef { height: Height::MAX, hash: BlockHash([3; 32]) };
        let block = EncodedBlock::new(vec![7; MAX_BLOCK_BYTES]).expect("fits");
        let messages = [
            Message::Hello(Hello::new(Rules::default(), status())),
            Message::Status(status()),
            Message::Request(id, Request::Headers(Bounded::first([here; MAX_LOCATOR]))),
            Message::Request(id, Request::Blocks(Bounded::first([here; MAX_BLOCKS]))),
            Message::Request(id, Request::MempoolIds(Some(TransactionId([9; 32])))),
            Message::Answer(id, Answer::Headers(Bounded::first(vec![sealed(); MAX_HEADERS]))),
            Message::Answer(id, Answer::Blocks(Bounded::first([block]))),
            Message::Answer(
                id,
                Answer::MempoolIds(Bounded::first(vec![TransactionId([9; 32]); MAX_IDS])),
            ),
        ];
        for message in messages {
            let bytes = frame(&message);
            let (prefix, content) = bytes.split_first_chunk().expect("a prefix");
            assert_eq!(frame_length(*prefix).expect("a length"), content.len());
            assert_eq!(Message::decode(content).expect("decodes"), message);
        }
    }

    #[test]
    fn the_largest_transactions_fit_into_a_frame() {
        let bytes = MAX_TRANSACTIONS * crate::limits::MAX_TRANSACTION_BYTES;
        assert!(bytes + 64 < MAX_MESSAGE_BYTES);
    }

    #[test]
    fn attack_11_hostile_lengths_are_refused_before_allocation() {
        for length in [0, 1 + (1 << 20), u32::MAX] {
            assert!(matches!(frame_length(length.to_le_bytes()), Err(FrameError::Length(_))));
        }
        assert_eq!(frame_length((1_u32 << 20).to_le_bytes()).expect("the largest"), 1 << 20);
    }

    #[test]
    fn rule_l2_a_peer_that_cannot_be_talked_to_is_told_why() {
        let rules = Rules::default();
        let hello = Hello::new(rules.clone(), status());
        let us = InstanceId([2; 16]);
        assert_eq!(hello.check(&rules, us), Ok(()));
        assert_eq!(hello.check(&rules, InstanceId([1; 16])), Err(HelloError::Ourselves));
        let harder = Hello { rules: Rules { difficulty: 25, ..rules.clone() }, ..hello };
        let error = harder.check(&rules, us).expect_err("another network");
        assert!(error.to_string().ends_with("rules.difficulty is 24 here and 25 there"), "{error}");
    }

    #[test]
    fn rule_l2_the_first_rule_that_differs_is_named() {
        let rules = Rules::default();
        let block_reward = crate::Amount::from_micros(1).expect("small");
        let second = Rules { block_reward, ..rules.clone() };
        let both = Rules { half_life_seconds: 7, ..second.clone() };
        for (theirs, named) in [(second, "rules.block_reward"), (both, "rules.half_life_seconds")] {
            let hello = Hello::new(theirs, status());
            let error = hello.check(&rules, InstanceId([2; 16])).expect_err("another network");
            assert!(error.to_string().contains(named), "{error}");
        }
    }

    #[test]
    fn rule_l2_a_hello_of_another_version_is_told_apart_whatever_it_holds() {
        let good = codec::encode(&Message::Hello(Hello::new(Rules::default(), status())));
        let refused = |bytes: &[u8]| match Message::decode(bytes) {
            Err(FrameError::Hello(error)) => error,
            other => panic!("{other:?}"),
        };
        let newer = [&good[..8], &[2, 0], b"something else"].concat();
        assert_eq!(refused(&newer), HelloError::Version(2));
        let stranger = [&good[..4], b"HTTP", &good[8..]].concat();
        assert_eq!(refused(&stranger), HelloError::Magic);
        assert_eq!(refused(&good[..9]), HelloError::Magic);
        assert!(matches!(Message::decode(&good[..10]), Err(FrameError::Codec(_))));
    }

    /// A list says how many items it has before them: a lie must not cost its reader any memory.
    #[test]
    fn attack_11_counts_that_nothing_follows_are_refused() {
        let id = RequestId(1);
        let lists = [
            Message::Request(id, Request::Headers(Bounded::default())),
            Message::Request(id, Request::Blocks(Bounded::default())),
            Message::Request(id, Request::Transactions(Bounded::default())),
            Message::Answer(id, Answer::Headers(Bounded::default())),
            Message::Answer(id, Answer::Blocks(Bounded::default())),
            Message::Answer(id, Answer::MempoolIds(Bounded::default())),
            Message::Answer(id, Answer::Transactions(Bounded::default())),
        ];
        for list in lists {
            let empty = codec::encode(&list);
            let (start, count) = empty.split_at(empty.len() - 8);
            assert_eq!(count, [0; 8]);
            for count in [1, 80, 1 << 20, u64::from(u32::MAX), u64::MAX] {
                let bytes = [start, &count.to_le_bytes()].concat();
                assert!(matches!(Message::decode(&bytes), Err(FrameError::Codec(_))), "{list:?}");
            }
        }
        // One level further down: the bytes of a block.
        let blocks = codec::encode(&Message::Answer(id, Answer::Blocks(Bounded::default())));
        let start = &blocks[..blocks.len() - 8];
        for length in [1, u64::from(u32::MAX), u64::MAX] {
            let bytes = [start, &1_u64.to_le_bytes(), &length.to_le_bytes()].concat();
            assert!(matches!(Message::decode(&bytes), Err(FrameError::Codec(_))));
        }
    }

    proptest::proptest! {
        /// What decodes is what encodes to it, and nothing panics.
        #[test]
        fn attack_11_any_bytes_are_a_message_or_refused(
            start in proptest::sample::select(vec![1_u8, 2, 3, 4]),
            rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
            zeros in 0..40_usize,
        ) {
            // Zeros make small counts and numbers, so that some of it decodes.
            let bytes = [&[start, 0, 0, 0][..], &vec![0; zeros], &rest].concat();
            if let Ok(message) = Message::decode(&bytes) {
                proptest::prop_assert_eq!(codec::encode(&message), bytes);
            }
        }
    }
}
