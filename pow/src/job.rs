//! [`Job`]: all of a search that does not depend on the nonce.
//!
//! A candidate is one block of SHA-256: eight words of header digest, four of salt, the nonce, and
//! the padding of 52 bytes. So rounds 0 to 11 are the same for all nonces, of round 12 only one
//! summand differs, and of the message schedule's next words some do not depend on the nonce at
//! all, and most of the others in part.

use cairn_protocol::Target;

use crate::sha256::{INITIAL, K, round, small_sigma0, small_sigma1, sum};

/// The word of the block that is the nonce, and so the first round that depends on it.
pub(crate) const NONCE: usize = 12;

/// Whether each word of the message schedule depends on the nonce.
pub(crate) const VARIES: [bool; 64] = {
    let mut varies = [false; 64];
    varies[NONCE] = true;
    let mut t = 16;
    while t < 64 {
        varies[t] = varies[t - 2] || varies[t - 7] || varies[t - 15] || varies[t - 16];
        t += 1;
    }
    varies
};

/// Whether all four summands of each word of the message schedule depend on the nonce.
pub(crate) const VARIES_WHOLLY: [bool; 64] = {
    let mut wholly = [false; 64];
    let mut t = 16;
    while t < 64 {
        wholly[t] = VARIES[t - 2] && VARIES[t - 7] && VARIES[t - 15] && VARIES[t - 16];
        t += 1;
    }
    wholly
};

/// What a scan needs to know.
///
/// "The nonce's word" below is the nonce as SHA-256 reads it, most significant byte first, from the
/// four little-endian bytes that it is in a candidate.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// The state before round 12.
    pub(crate) before: [u32; 8],
    /// `a` after round 12, less the nonce's word.
    pub(crate) a: u32,
    /// `e` after round 12, less the nonce's word.
    pub(crate) e: u32,
    /// Of each word of the message schedule, the sum of those of its summands that do not depend on
    /// the nonce. Of word 12 nothing.
    pub(crate) words: [u32; 64],
    /// What a round adds beside what depends on the nonce: its constant, and its word if that does
    /// not. In the last round, also the first word of the initial state: so the `a` that comes out
    /// is the first word of the hash.
    pub(crate) constants: [u32; 64],
    /// In rounds 13 to 15 `d` and `h` do not depend on the nonce either: `h` and the constant, as
    /// they go into `a`.
    pub(crate) early_a: [u32; 3],
    /// The same with `d`, as they go into `e`.
    pub(crate) early_e: [u32; 3],
    /// The bits that are zero in the first word of every hash that meets the target.
    pub(crate) mask: u32,
}

impl Job {
    /// The search for a nonce under this header digest and salt.
    pub(crate) fn new(header_digest: &[u8; 32], salt: &[u8; 16], target: Target) -> Self {
        let mut block = [0; 16];
        for (word, bytes) in block.iter_mut().zip(header_digest.chunks(4).chain(salt.chunks(4))) {
            *word = u32::from_be_bytes(bytes.try_into().expect("four bytes"));
        }
        // The padding: a one bit, zeros, and the length in bits.
        block[13] = 1 << 31;
        block[15] = 52 * 8;
        Self::of_block(&INITIAL, &block, mask(target))
    }

    /// The search for a word 12 of this block for which the first word of the state that follows
    /// upon `state` is zero in all bits of the mask.
    pub(crate) fn of_block(state: &[u32; 8], block: &[u32; 16], mask: u32) -> Self {
        let words = words(block);
        let mut constants = K;
        for t in (0..64).filter(|&t| !VARIES[t]) {
            constants[t] = constants[t].wrapping_add(words[t]);
        }
        constants[63] = constants[63].wrapping_add(state[0]);
        let before = (0..NONCE).fold(*state, |state, t| round(&state, constants[t]));
        let [a, _, _, _, e, ..] = round(&before, constants[NONCE]);
        let early_a = std::array::from_fn(|i| sum([before[6 - i], constants[NONCE + 1 + i]]));
        let early_e = std::array::from_fn(|i| sum([before[2 - i], early_a[i]]));
        Self { before, a, e, words, constants, early_a, early_e, mask }
    }
}

/// The parts of the message schedule that do not depend on the nonce.
fn words(block: &[u32; 16]) -> [u32; 64] {
    let mut words = [0; 64];
    words[..16].copy_from_slice(block);
    words[NONCE] = 0;
    for t in 16..64 {
        let known = |t: usize| if VARIES[t] { None } else { Some(words[t]) };
        let summands = [
            known(t - 2).map(small_sigma1),
            known(t - 7),
            known(t - 15).map(small_sigma0),
            known(t - 16),
        ];
        words[t] = sum(summands.map(Option::unwrap_or_default));
    }
    words
}

/// The bits that are zero in the first four bytes of every hash that meets the target.
fn mask(target: Target) -> u32 {
    let [a, b, c, d, ..] = target.to_be_bytes();
    let zeros = u32::from_be_bytes([a, b, c, d]).leading_zeros();
    !u32::MAX.checked_shr(zeros).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_has_the_zero_bits_of_the_target() {
        for (bits, expected) in [
            (0, 0),
            (1, 0x8000_0000),
            (24, 0xffff_ff00),
            (31, 0xffff_fffe),
            (32, 0xffff_ffff),
            (33, 0xffff_ffff),
            (255, 0xffff_ffff),
        ] {
            assert_eq!(mask(Target::with_leading_zeros(bits)), expected, "{bits} bits");
        }
        let mut bytes = [0; 32];
        bytes[1] = 0x2f;
        let between = Target::from_be_bytes(&bytes).expect("not zero");
        assert_eq!(mask(between), 0xffc0_0000, "the second byte starts with two zero bits");
    }

    #[test]
    fn six_words_of_the_schedule_stay_the_same() {
        let same = (16..64).filter(|&t| !VARIES[t]).collect::<Vec<_>>();
        assert_eq!(same, [16, 17, 18, 20, 22, 24]);
    }
}
