//! SHA-256 and the hash types. A type for each thing that is hashed, so that none is mistaken
//! for another.

use std::fmt;
use std::str::FromStr;

use bincode::{Decode, Encode};
use sha2::{Digest, Sha256};

/// The 32 bytes of a SHA-256 digest.
pub type Digest256 = [u8; 32];

/// SHA-256 of the concatenated parts.
pub fn sha256(parts: &[&[u8]]) -> Digest256 {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// SHA-256 of bytes that come one after the other.
#[derive(Clone, Debug, Default)]
pub struct RunningHash(Sha256);

impl RunningHash {
    /// Adds bytes to those so far.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of the bytes so far.
    pub fn digest(&self) -> Digest256 {
        self.0.clone().finalize().into()
    }
}

/// What a hash or a signature is about. Each tag ends with the only zero byte in it, so no tag is
/// the start of another and no input under one tag can be read as an input under another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// A payment as it is signed; its hash is the transaction id.
    Payment,
    /// The Merkle leaf of a block's reward.
    RewardLeaf,
    /// The Merkle leaf of a signed payment.
    PaymentLeaf,
    /// An inner Merkle node.
    MerkleNode,
    /// A block's content root.
    Content,
    /// A network's rules, committed to by its genesis block.
    Rules,
}

impl Tag {
    /// The bytes that stand before the tagged input.
    pub const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Payment => b"cairn/payment\0",
            Self::RewardLeaf => b"cairn/leaf/reward\0",
            Self::PaymentLeaf => b"cairn/leaf/payment\0",
            Self::MerkleNode => b"cairn/node\0",
            Self::Content => b"cairn/content\0",
            Self::Rules => b"cairn/rules\0",
        }
    }

    /// SHA-256 of the tag followed by the parts.
    pub fn hash(self, parts: &[&[u8]]) -> Digest256 {
        let mut hasher = Sha256::new_with_prefix(self.bytes());
        for part in parts {
            hasher.update(part);
        }
        hasher.finalize().into()
    }
}

/// A text is not 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a hash: it takes 64 hexadecimal digits")]
pub struct ParseHashError(String);

macro_rules! hash_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        pub struct $name(pub Digest256);

        impl $name {
            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &Digest256 {
                &self.0
            }
        }

        impl fmt::Display for $name {
            /// 64 lower-case hexadecimal digits, first byte first.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&const_hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = ParseHashError;

            fn from_str(text: &str) -> Result<Self, ParseHashError> {
                let bytes = if text.starts_with("0x") { None } else { const_hex::decode_to_array(text).ok() };
                bytes.map(Self).ok_or_else(|| ParseHashError(text.to_owned()))
            }
        }
    };
}

hash_type! {
    /// A block's id: the hash that its proof of work is about. As a big-endian number it is at
    /// most the target, so its leading zero bits stand at the start of the text.
    BlockHash
}

hash_type! {
    /// A transaction's id: the hash of what its sender signs. It leaves the signature out.
    TransactionId
}

hash_type! {
    /// The commitment of a header to all that its block contains.
    ContentRoot
}

hash_type! {
    /// A network's id: the hash of its genesis block, which commits to all its rules.
    NetworkId
}

impl NetworkId {
    /// The first eight hexadecimal digits, as they stand in the name of the network's folder.
    pub fn short(&self) -> String {
        const_hex::encode(&self.0[..4])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST CAVP, from `cryptography_vectors` 50.0.2 (tests/vectors/SOURCE.md).
    #[test]
    fn nist_short_messages() {
        let text = include_str!("../tests/vectors/sha256/SHA256ShortMsg.rsp");
        let mut checked = 0;
        let (mut length, mut message) = (0, Vec::new());
        for line in text.lines().filter_map(|line| line.split_once(" = ")) {
            match line {
                ("Len", bits) => length = bits.parse::<usize>().expect("a length") / 8,
                ("Msg", hex) => message = const_hex::decode(hex).expect("hex"),
                ("MD", hex) => {
                    let digest = sha256(&[&message[..length]]);
                    assert_eq!(const_hex::encode(digest), hex);
                    checked += 1;
                }
                _ => {}
            }
        }
        assert_eq!(checked, 65);
    }

    #[test]
    fn bytes_that_come_later_are_hashed_with_those_before() {
        let mut running = RunningHash::default();
        assert_eq!(running.digest(), sha256(&[]));
        running.add(b"cai");
        assert_eq!(running.digest(), sha256(&[b"cai"]));
        running.add(b"rn");
        assert_eq!(running.digest(), sha256(&[b"cairn"]));
    }

    /// The Monte Carlo chain of NIST's SHAVS section 6.4: 100 rounds of 1,000 digests.
    #[test]
    fn nist_monte_carlo() {
        let text = include_str!("../tests/vectors/sha256/SHA256Monte.rsp");
        let value = |name: &str| {
            let prefix = format!("{name} = ");
            text.lines().filter_map(move |line| line.strip_prefix(&prefix).map(str::to_owned))
        };
        let mut seed: Digest256 =
            const_hex::decode_to_array(value("Seed").next().expect("a seed")).expect("hex");
        let mut rounds = 0;
        for expected in value("MD") {
            let mut last = [seed; 3];
            for _ in 0..1000 {
                let next = sha256(&[&last[0], &last[1], &last[2]]);
                last = [last[1], last[2], next];
            }
            seed = last[2];
            assert_eq!(const_hex::encode(seed), expected);
            rounds += 1;
        }
        assert_eq!(rounds, 100);
    }

    #[test]
    fn no_tag_starts_another() {
        let tags = [
            Tag::Payment,
            Tag::RewardLeaf,
            Tag::PaymentLeaf,
            Tag::MerkleNode,
            Tag::Content,
            Tag::Rules,
        ];
        for tag in tags {
            assert_eq!(tag.bytes().iter().position(|&byte| byte == 0), Some(tag.bytes().len() - 1));
            assert!(
                tags.iter().all(|other| *other == tag || !other.bytes().starts_with(tag.bytes()))
            );
        }
    }

    #[test]
    fn text_round_trips_and_is_strict() {
        let hash = BlockHash(std::array::from_fn(|i| u8::try_from(i).expect("below 32")));
        assert_eq!(hash.to_string().parse(), Ok(hash));
        for text in ["", "00", &hash.to_string()[1..], &format!("0x{hash}")] {
            assert!(text.parse::<BlockHash>().is_err(), "{text}");
        }
    }
}
