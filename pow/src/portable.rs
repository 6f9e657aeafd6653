//! One digest after the other, by the `sha2` crate: the plain loop that others are compared with.

use std::ops::RangeInclusive;

use cairn_protocol::{BlockHash, Target};
use sha2::{Digest, Sha256};

pub(crate) fn search(
    header_digest: &[u8; 32],
    salt: &[u8; 16],
    mut nonces: RangeInclusive<u32>,
    target: &Target,
) -> Option<u32> {
    let mut candidate = [0; 52];
    candidate[..32].copy_from_slice(header_digest);
    candidate[32..48].copy_from_slice(salt);
    nonces.find(|nonce| {
        candidate[48..].copy_from_slice(&nonce.to_le_bytes());
        target.is_met_by(&BlockHash(Sha256::digest(candidate).into()))
    })
}
