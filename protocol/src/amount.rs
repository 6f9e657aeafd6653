//! [`Amount`]: a number of micro-coins, never negative, never a float.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use bincode::{Decode, Encode, de::Decoder, error::DecodeError};

/// Micro-coins in one coin.
const MICROS_PER_COIN: u64 = 1_000_000;
/// Decimal places of a coin.
const PLACES: usize = 6;

/// A quantity of micro-coins between 0 and 2^63 - 1, which a signed 64-bit database column holds.
///
/// Printed as coins with six places ("2.500000"); parsed from plain decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode)]
pub struct Amount(u64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The most that can exist: 2^63 - 1 micro-coins.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// The amount of so many micro-coins; `None` above [`Amount::MAX`].
    pub const fn from_micros(micros: u64) -> Option<Self> {
        if micros <= Self::MAX.0 { Some(Self(micros)) } else { None }
    }

    /// The number of micro-coins.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// The sum; `None` above [`Amount::MAX`].
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        // Two amounts below 2^63 cannot wrap 64 bits.
        Self::from_micros(self.0 + other.0)
    }

    /// The difference; `None` if it would be negative.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(micros) => Some(Self(micros)),
            None => None,
        }
    }

    /// Whether this is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Sum<Amount> for Option<Amount> {
    /// The total; `None` above [`Amount::MAX`].
    fn sum<I: Iterator<Item = Amount>>(mut amounts: I) -> Self {
        amounts.try_fold(Amount::ZERO, Amount::checked_add)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / MICROS_PER_COIN, self.0 % MICROS_PER_COIN);
        f.pad(&text)
    }
}

/// Why a text is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseAmountError {
    /// Something else than digits with at most one point between them.
    #[error("{0:?} is not an amount: write digits with at most one point, such as 10 or 2.5")]
    NotDecimal(String),
    /// More places than a micro-coin has.
    #[error("{0:?} has more than six decimal places; the smallest amount is 0.000001")]
    TooManyPlaces(String),
    /// Above [`Amount::MAX`].
    #[error("{0:?} is more than can exist; the largest amount is {max}", max = Amount::MAX)]
    TooLarge(String),
}

impl FromStr for Amount {
    type Err = ParseAmountError;

    fn from_str(text: &str) -> Result<Self, ParseAmountError> {
        let not_decimal = || ParseAmountError::NotDecimal(text.to_owned());
        let (whole, places) = match text.split_once('.') {
            Some((_, "")) => return Err(not_decimal()),
            Some(parts) => parts,
            None => (text, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let padded = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || padded || !digits(whole) || !digits(places) {
            return Err(not_decimal());
        }
        if places.len() > PLACES {
            return Err(ParseAmountError::TooManyPlaces(text.to_owned()));
        }
        // Only digits are left, so the one way to fail is to be too large.
        format!("{whole}{places:0<PLACES$}")
            .parse()
            .ok()
            .and_then(Self::from_micros)
            .ok_or_else(|| ParseAmountError::TooLarge(text.to_owned()))
    }
}

impl<Context> Decode<Context> for Amount {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let micros = u64::decode(decoder)?;
        Self::from_micros(micros).ok_or(DecodeError::Other("amount above 2^63 - 1"))
    }
}
bincode::impl_borrow_decode!(Amount);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn attack_12_plain_decimals_parse_exactly() {
        for (text, micros) in [
            ("0", 0),
            ("10", 10_000_000),
            ("2.5", 2_500_000),
            ("0.000001", 1),
            ("9223372036854.775807", Amount::MAX.micros()),
        ] {
            assert_eq!(text.parse(), Ok(Amount(micros)), "{text}");
        }
    }

    #[test]
    fn attack_12_everything_else_is_refused() {
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1e3", "1_000", "1,5", "NaN", "inf", "0x10", " 1",
            "1 ", "1.2.3", "01", "00", "00.1", "١", "1e308", "1E3", "1e-3", "0.1+0.2", "-0",
            "-0.5", "nan", "infinity", "0.1 ", "1..2", "2^63",
        ] {
            let expected = ParseAmountError::NotDecimal(text.to_owned());
            assert_eq!(text.parse::<Amount>(), Err(expected), "{text}");
        }
        assert!(matches!("0.0000001".parse::<Amount>(), Err(ParseAmountError::TooManyPlaces(_))));
        for text in ["9223372036854.775808", "18446744073709551616", "1000000000000000000000"] {
            assert!(matches!(text.parse::<Amount>(), Err(ParseAmountError::TooLarge(_))));
        }
    }

    #[test]
    fn sums_stop_at_the_maximum() {
        assert_eq!(Amount::MAX.checked_add(Amount(1)), None);
        assert_eq!(Amount::MAX.checked_add(Amount::MAX), None);
        assert_eq!(Amount::ZERO.checked_sub(Amount(1)), None);
        assert_eq!(Amount(3).checked_sub(Amount(3)), Some(Amount::ZERO));
        assert_eq!(Amount(3).checked_sub(Amount(1)), Some(Amount(2)));
        let total: Option<Amount> = [Amount::MAX, Amount(1)].into_iter().sum();
        assert_eq!(total, None);
    }

    proptest! {
        #[test]
        fn attack_12_printing_and_parsing_are_inverse(micros in 0..=Amount::MAX.0) {
            let amount = Amount(micros);
            prop_assert_eq!(amount.to_string().parse(), Ok(amount));
        }
    }
}
