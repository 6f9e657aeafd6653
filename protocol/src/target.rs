//! [`Target`] and [`Work`]: how hard a block is to find, and how hard it was.

use std::fmt;
use std::iter::Sum;

use bincode::{
    Decode, Encode,
    de::Decoder,
    enc::Encoder,
    error::{DecodeError, EncodeError},
};
use primitive_types::{U256, U512};

use crate::hash::BlockHash;

/// The largest hash that proves a block, as a 256-bit number, at least 1. Smaller is harder.
///
/// On the wire: 32 bytes, most significant first, as a hash is compared with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target(U256);

impl Target {
    /// The hardest target.
    pub const HARDEST: Self = Self(U256::one());

    /// The target that a hash meets if it starts with so many zero bits: 2^(256 - bits) - 1.
    pub fn with_leading_zeros(bits: u8) -> Self {
        Self(U256::MAX >> usize::from(bits))
    }

    /// A target from its 32 bytes, most significant first; `None` for zero, which nothing meets.
    pub fn from_be_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let value = U256::from_big_endian(bytes);
        (!value.is_zero()).then_some(Self(value))
    }

    /// The 32 bytes, most significant first.
    pub fn to_be_bytes(self) -> [u8; 32] {
        self.0.to_big_endian()
    }

    /// Whether a block with this hash is proven.
    pub fn is_met_by(self, hash: &BlockHash) -> bool {
        U256::from_big_endian(hash.as_bytes()) <= self.0
    }

    /// The expected number of hashes that meeting this target takes: 2^256 / (target + 1).
    pub fn work(self) -> Work {
        // 2^256 does not fit; floor(2^256 / (t + 1)) = floor((2^256 - 1 - t) / (t + 1)) + 1.
        match self.0.checked_add(U256::one()) {
            Some(above) => Work(!self.0 / above + U256::one()),
            None => Work(U256::one()),
        }
    }

    /// This target times `numerator` / 2^`shift` (rounded down), between the hardest target and
    /// `easiest`.
    #[must_use]
    pub(crate) fn scaled(self, numerator: u32, shift: i64, easiest: Self) -> Self {
        let product = U512::from(self.0) * U512::from(numerator);
        // Beyond 512 bits either way, only the limits are left.
        let bits = usize::try_from(shift.unsigned_abs().min(512)).expect("at most 512");
        let value = if shift >= 0 {
            product >> bits
        } else if bits > product.leading_zeros() as usize {
            U512::MAX
        } else {
            product << bits
        };
        let value = U256::try_from(value).unwrap_or(U256::MAX);
        Self(value.max(U256::one())).min(easiest)
    }
}

impl fmt::Display for Target {
    /// 64 lower-case hexadecimal digits, to be compared with a block hash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&const_hex::encode(self.to_be_bytes()))
    }
}

impl Encode for Target {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.to_be_bytes().encode(encoder)
    }
}

impl<Context> Decode<Context> for Target {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::from_be_bytes(&Decode::decode(decoder)?).ok_or(DecodeError::Other("target of zero"))
    }
}
bincode::impl_borrow_decode!(Target);

/// An expected number of hashes, of one block or of all blocks of a branch together.
///
/// On the wire: 32 bytes, most significant first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Work(U256);

impl Work {
    /// No work, as of genesis.
    pub const ZERO: Self = Self(U256::zero());

    /// The work of both. It stops at 2^256 - 1, which no hardware reaches.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// This less `other`, or none.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Work from its 32 bytes, most significant first.
    pub fn from_be_bytes(bytes: &[u8; 32]) -> Self {
        Self(U256::from_big_endian(bytes))
    }

    /// The 32 bytes, most significant first.
    pub fn to_be_bytes(self) -> [u8; 32] {
        self.0.to_big_endian()
    }
}

impl Sum for Work {
    fn sum<I: Iterator<Item = Self>>(works: I) -> Self {
        works.fold(Self::ZERO, Self::plus)
    }
}

impl fmt::Display for Work {
    /// A decimal number of hashes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Encode for Work {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.to_be_bytes().encode(encoder)
    }
}

impl<Context> Decode<Context> for Work {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Ok(Self::from_be_bytes(&Decode::decode(decoder)?))
    }
}
bincode::impl_borrow_decode!(Work);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_are_what_a_target_asks_for() {
        let hash_with = |first: u8| {
            let mut hash = BlockHash([0xff; 32]);
            hash.0[0] = first;
            hash
        };
        assert!(Target::with_leading_zeros(4).is_met_by(&hash_with(0x0f)));
        assert!(!Target::with_leading_zeros(4).is_met_by(&hash_with(0x10)));
        assert!(Target::with_leading_zeros(0).is_met_by(&hash_with(0xff)));
        assert_eq!(Target::with_leading_zeros(255), Target::HARDEST);
    }

    #[test]
    fn work_is_the_expected_number_of_hashes() {
        for bits in 0..=255 {
            let expected = Work(U256::one() << usize::from(bits));
            assert_eq!(Target::with_leading_zeros(bits).work(), expected, "{bits} bits");
        }
        // 2^256 / 4 for target 3, and 2^256 / 2 for the hardest.
        assert_eq!(Target(U256::from(3)).work(), Work(U256::one() << 254));
        assert_eq!(Target::HARDEST.work(), Work(U256::one() << 255));
    }

    #[test]
    fn work_adds_up_and_comes_off_again_between_its_ends() {
        let [two, three, five] = [2, 3, 5].map(|number| Work(U256::from(number)));
        assert_eq!(two.plus(three), five);
        assert_eq!(five.minus(three), two);
        assert_eq!(two.minus(three), Work::ZERO);
        assert_eq!(Work(U256::MAX).plus(two), Work(U256::MAX));
    }

    #[test]
    fn scaling_stays_between_the_hardest_and_the_easiest() {
        let easiest = Target::with_leading_zeros(8);
        assert_eq!(easiest.scaled(u32::MAX, -480, easiest), easiest);
        assert_eq!(easiest.scaled(1, i64::MIN, easiest), easiest);
        assert_eq!(easiest.scaled(1, i64::MAX, easiest), Target::HARDEST);
        assert_eq!(easiest.scaled(1 << 16, 16, easiest), easiest);
        assert_eq!(easiest.scaled(1 << 16, 17, easiest).0, easiest.0 >> 1);
    }

    #[test]
    fn bytes_are_most_significant_first() {
        assert_eq!(Target::from_be_bytes(&[0; 32]), None);
        assert_eq!(Target::HARDEST.to_be_bytes()[31], 1);
        assert_eq!(Work(U256::from(258)).to_be_bytes()[30..], [1, 2]);
    }
}
