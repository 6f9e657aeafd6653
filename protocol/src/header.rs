//! Block headers, their proof of work, and the verified form.

use std::fmt;

use bincode::{Decode, Encode};

use crate::codec::encode;
use crate::counters::Height;
use crate::hash::{BlockHash, ContentRoot, sha256};
use crate::network::Network;
use crate::target::{Target, Work};
use crate::time::Timestamp;

/// The header version of the rules in docs/PROTOCOL.md.
pub const HEADER_VERSION: u32 = 1;

/// Where a block stands: its height and its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct BlockRef {
    /// The height.
    pub height: Height,
    /// The hash.
    pub hash: BlockHash,
}

impl fmt::Display for BlockRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at height {}", self.hash, self.height)
    }
}

/// What a block's proof of work is about: 116 bytes when encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Header {
    /// Which rules the rest is read by: [`HEADER_VERSION`].
    pub version: u32,
    /// The parent's height plus one.
    pub height: Height,
    /// The parent's hash.
    pub parent: BlockHash,
    /// The commitment to reward and payments.
    pub content: ContentRoot,
    /// When the miner says that it made the block.
    pub time: Timestamp,
    /// What the hash must meet.
    pub target: Target,
}

impl Header {
    /// SHA-256 of the encoded header: the first 32 bytes of what the proof of work hashes.
    pub fn digest(&self) -> [u8; 32] {
        sha256(&[&encode(self)])
    }

    /// Where the parent stands. A header at height 0 has none; it is taken to be at 0 too.
    pub fn parent_ref(&self) -> BlockRef {
        let height = self.height.checked_sub(1).unwrap_or_default();
        BlockRef { height, hash: self.parent }
    }
}

/// The two numbers that a miner searches: 20 bytes when encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Proof {
    /// Chosen freely; tells searches with the same header apart.
    pub salt: [u8; 16],
    /// Counted through, little-endian when hashed.
    pub nonce: u32,
}

impl Proof {
    /// `SHA-256(header digest || salt || nonce)`: 52 bytes, so one compression for each nonce.
    /// The digest comes first and the initial state is fixed, so candidates share no work.
    pub fn hash(&self, header_digest: &[u8; 32]) -> BlockHash {
        BlockHash(sha256(&[header_digest, &self.salt, &self.nonce.to_le_bytes()]))
    }
}

/// A header with its proof, unverified: 136 bytes when encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SealedHeader {
    /// What is proven.
    pub header: Header,
    /// The proof.
    pub proof: Proof,
}

impl SealedHeader {
    /// The block's id, which is also what must meet the target.
    pub fn hash(&self) -> BlockHash {
        self.proof.hash(&self.header.digest())
    }

    /// Checks all that can be checked without a chain.
    ///
    /// # Errors
    /// [`HeaderError`], by the first rule it breaks.
    pub fn prove(self, network: &Network) -> Result<ProvenHeader, HeaderError> {
        let header = &self.header;
        if header.version != HEADER_VERSION {
            return Err(HeaderError::Version(header.version));
        }
        if header.height == Height::GENESIS {
            return Err(HeaderError::Genesis);
        }
        if header.target > network.rules().floor() {
            return Err(HeaderError::TargetAboveFloor);
        }
        let hash = self.hash();
        if !header.target.is_met_by(&hash) {
            return Err(HeaderError::ProofOfWork);
        }
        Ok(ProvenHeader { sealed: self, hash })
    }
}

/// A header whose proof of work holds. Only [`SealedHeader::prove`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenHeader {
    sealed: SealedHeader,
    hash: BlockHash,
}

impl ProvenHeader {
    /// The block's id.
    pub fn hash(&self) -> BlockHash {
        self.hash
    }

    /// What is proven.
    pub fn header(&self) -> &Header {
        &self.sealed.header
    }

    /// The header with its proof, as it is sent on.
    pub fn sealed(&self) -> &SealedHeader {
        &self.sealed
    }

    /// Where the block stands.
    pub fn block_ref(&self) -> BlockRef {
        BlockRef { height: self.sealed.header.height, hash: self.hash }
    }

    /// The work that the proof stands for.
    pub fn work(&self) -> Work {
        self.sealed.header.target.work()
    }
}

/// Why a header proves nothing on any chain of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Rule H1: the version is known.
    #[error("header version {0}, and this program knows {HEADER_VERSION}; is there a newer one?")]
    Version(u32),
    /// Rule H2: genesis follows from the rules and is never sent.
    #[error("a second genesis block")]
    Genesis,
    /// Rule H3: the target is not easier than the network's floor.
    #[error("its target is easier than the network's difficulty allows")]
    TargetAboveFloor,
    /// Rule H4: the hash meets the target.
    #[error("its hash does not meet its target")]
    ProofOfWork,
}

impl HeaderError {
    /// The number of the broken rule in docs/PROTOCOL.md.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Version(_) => "H1",
            Self::Genesis => "H2",
            Self::TargetAboveFloor => "H3",
            Self::ProofOfWork => "H4",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rules;
    use crate::codec::encoded_len;

    fn network() -> Network {
        Network::new(Rules { difficulty: 8, ..Rules::default() }).expect("possible")
    }

    fn header(network: &Network) -> Header {
        let genesis = network.genesis().header;
        Header { height: Height::from(1), parent: network.genesis().hash(), ..genesis }
    }

    /// The first proof that does, or does not, meet the header's target.
    fn seal(header: Header, meets: bool) -> SealedHeader {
        let sealed = |nonce| SealedHeader { header, proof: Proof { salt: [3; 16], nonce } };
        (0..10_000).map(sealed).find(|s| header.target.is_met_by(&s.hash()) == meets).expect("soon")
    }

    #[test]
    fn a_place_is_printed_with_hash_and_height() {
        let place = BlockRef { height: Height::from(7), hash: BlockHash([0xab; 32]) };
        assert_eq!(place.to_string(), format!("{} at height 7", "ab".repeat(32)));
    }

    #[test]
    fn sizes_are_what_the_proof_of_work_relies_on() {
        let sealed = network().genesis().to_owned();
        assert_eq!(encoded_len(&sealed.header), 116);
        assert_eq!(encoded_len(&sealed.proof), 20);
        assert_eq!(encoded_len(&sealed), 136);
    }

    #[test]
    fn a_proven_header_knows_its_hash_and_work() {
        let network = network();
        let sealed = seal(header(&network), true);
        let proven = sealed.prove(&network).expect("valid");
        assert_eq!(proven.hash(), sealed.hash());
        assert_eq!(proven.hash().0[0], 0);
        assert_eq!(proven.work().to_string(), "256");
    }

    #[test]
    fn the_hash_commits_to_every_field() {
        let network = network();
        let good = SealedHeader { header: header(&network), proof: Proof::default() };
        let changes: [&dyn Fn(&mut SealedHeader); 8] = [
            &|s| s.header.version += 1,
            &|s| s.header.height = Height::from(2),
            &|s| s.header.parent.0[31] ^= 1,
            &|s| s.header.content.0[0] ^= 1,
            &|s| s.header.time = Timestamp::from_millis(1).expect("small"),
            &|s| s.header.target = Target::HARDEST,
            &|s| s.proof.salt[0] ^= 1,
            &|s| s.proof.nonce += 1,
        ];
        let hashes = changes.map(|change| {
            let mut changed = good;
            change(&mut changed);
            changed.hash()
        });
        let distinct: std::collections::BTreeSet<_> =
            hashes.into_iter().chain([good.hash()]).collect();
        assert_eq!(distinct.len(), 9);
    }
}
