//! [`Height`] and [`Sequence`]: the two things that Cairn counts.

use std::fmt;

use bincode::{Decode, Encode, de::Decoder, error::DecodeError};

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident, $first:ident, $first_doc:literal, $too_large:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode)]
        pub struct $name(u64);

        impl $name {
            #[doc = $first_doc]
            pub const $first: Self = Self(0);
            /// The largest: 2^63 - 1, which a signed 64-bit database column holds.
            pub const MAX: Self = Self(i64::MAX as u64);

            /// The counter at this value; `None` above [`Self::MAX`].
            pub const fn new(value: u64) -> Option<Self> {
                if value <= Self::MAX.0 { Some(Self(value)) } else { None }
            }

            /// The value.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The next one. Counting to 2^63 is out of reach; it would stay there.
            #[must_use]
            pub const fn next(self) -> Self {
                if self.0 < Self::MAX.0 { Self(self.0 + 1) } else { self }
            }

            /// The one so many before; `None` before the first.
            pub const fn checked_sub(self, steps: u64) -> Option<Self> {
                match self.0.checked_sub(steps) {
                    Some(value) => Some(Self(value)),
                    None => None,
                }
            }

            /// How many steps lie between `earlier` and this; 0 if it is not earlier.
            pub const fn since(self, earlier: Self) -> u64 {
                self.0.saturating_sub(earlier.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<u32> for $name {
            fn from(value: u32) -> Self {
                Self(value.into())
            }
        }

        impl<Context> Decode<Context> for $name {
            fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
                Self::new(u64::decode(decoder)?).ok_or(DecodeError::Other($too_large))
            }
        }
        bincode::impl_borrow_decode!($name);
    };
}

counter! {
    /// A block's distance from genesis, whose height is 0.
    Height, GENESIS, "The height of the genesis block.", "height above 2^63 - 1"
}

counter! {
    /// How many payments an account has made: its next payment carries this number.
    Sequence, FIRST, "The sequence of an account's first payment.", "sequence above 2^63 - 1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_stays_between_the_first_and_the_largest() {
        let at = |value| Height::new(value).expect("in range");
        assert_eq!(Height::new(i64::MAX as u64), Some(Height::MAX));
        assert_eq!(Height::new(i64::MAX as u64 + 1), None);
        assert_eq!(at(7).next(), at(8));
        assert_eq!(at(Height::MAX.get() - 1).next(), Height::MAX);
        assert_eq!(Height::MAX.next(), Height::MAX);
        assert_eq!(at(7).checked_sub(5), Some(at(2)));
        assert_eq!(at(7).checked_sub(7), Some(Height::GENESIS));
        assert_eq!(at(7).checked_sub(8), None);
        assert_eq!((at(7).since(at(5)), at(5).since(at(7))), (2, 0));
        assert_eq!(at(7).to_string(), "7");
    }
}
