//! The seam for kernels: [`Search`], and the plain one.

use std::ops::RangeInclusive;

use cairn_protocol::{BlockHash, Target};
use sha2::{Digest, Sha256};

/// Searches nonces on one core. Implementations differ in speed only.
pub trait Search: Send {
    /// A nonce in `nonces` for which `SHA-256(header_digest || salt || nonce)`, the nonce
    /// little-endian, meets the target; `None` if there is none. Of several any may be returned.
    fn search(
        &mut self,
        header_digest: &[u8; 32],
        salt: &[u8; 16],
        nonces: RangeInclusive<u32>,
        target: &Target,
    ) -> Option<u32>;
}

/// One digest after the other, by the `sha2` crate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sha2Search;

impl Search for Sha2Search {
    fn search(
        &mut self,
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_protocol::Proof;

    /// The first nonce that the protocol itself accepts.
    fn oracle(digest: &[u8; 32], salt: [u8; 16], most: u32, target: Target) -> Option<u32> {
        (0..=most).find(|&nonce| target.is_met_by(&Proof { salt, nonce }.hash(digest)))
    }

    #[test]
    fn finds_what_the_protocol_accepts_and_nothing_else() {
        for bits in 0..12 {
            let (digest, salt) = (rand::random(), rand::random());
            // A target that is no power of two, so that bits below the leading ones count.
            let mut bytes = Target::with_leading_zeros(bits).to_be_bytes();
            bytes[2..].copy_from_slice(&rand::random::<[u8; 30]>());
            let target = Target::from_be_bytes(&bytes).expect("not zero");
            let found = Sha2Search.search(&digest, &salt, 0..=9_999, &target);
            assert_eq!(found, oracle(&digest, salt, 9_999, target), "{digest:?} {salt:?} {target}");
        }
    }

    #[test]
    fn searches_its_range_and_no_more() {
        let (digest, salt, target) = ([1; 32], [2; 16], Target::with_leading_zeros(8));
        let all: Vec<u32> = (0..4_000)
            .filter(|&nonce| Sha2Search.search(&digest, &salt, nonce..=nonce, &target).is_some())
            .collect();
        let [first, second, ..] = all[..] else { panic!("about 16 of 4,000") };
        let search = |nonces| Sha2Search.search(&digest, &salt, nonces, &target);
        assert_eq!(search(0..=3_999), Some(first));
        assert_eq!(search(first + 1..=second - 1), None);
        assert_eq!(search(first + 1..=second), Some(second));
        assert_eq!(search(u32::MAX..=u32::MAX), None, "the last nonce does not wrap");
    }
}
