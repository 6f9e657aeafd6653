//! [`Timestamp`] and the median of past block times. Nothing here reads a clock.

use std::fmt;
use std::time::Duration;

use bincode::{Decode, Encode, de::Decoder, error::DecodeError};

use crate::limits::MEDIAN_BLOCKS;

/// Milliseconds since the Unix epoch, below 2^63.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The time that stands in genesis, which has none.
    pub const ZERO: Self = Self(0);
    const MAX: Self = Self(i64::MAX as u64);

    /// So many milliseconds after the epoch; `None` from 2^63 on.
    pub const fn from_millis(millis: u64) -> Option<Self> {
        if millis <= Self::MAX.0 { Some(Self(millis)) } else { None }
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// This much later, or the end of time.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis).min(Self::MAX.0))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Milliseconds from `earlier` to this, negative if this comes first.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        // Both are below 2^63, so both casts and the difference fit.
        self.0.cast_signed() - earlier.0.cast_signed()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

impl<Context> Decode<Context> for Timestamp {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::from_millis(u64::decode(decoder)?).ok_or(DecodeError::Other("time above 2^63 - 1"))
    }
}
bincode::impl_borrow_decode!(Timestamp);

/// The median time past: of the times of a block's last [`MEDIAN_BLOCKS`] ancestors (as many as
/// there are, genesis included) in ascending order, the element in the middle, at index k / 2.
/// Zero for no ancestor.
///
/// A block's time must be greater than this of its parent's line (Bitcoin's BIP 113).
pub fn median_time(last_times: &[Timestamp]) -> Timestamp {
    debug_assert!(last_times.len() <= MEDIAN_BLOCKS, "only the last blocks count");
    let mut sorted = last_times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn median(millis: &[u64]) -> u64 {
        let times: Vec<_> = millis.iter().map(|&ms| Timestamp(ms)).collect();
        median_time(&times).millis()
    }

    #[test]
    fn the_median_is_element_k_over_2_in_any_order() {
        assert_eq!(median(&[]), 0);
        assert_eq!(median(&[7]), 7);
        assert_eq!(median(&[9, 3]), 9);
        assert_eq!(median(&[5, 1, 3]), 3);
        assert_eq!(median(&[11, 1, 10, 2, 9, 3, 8, 4, 7, 5, 6]), 6);
    }

    #[test]
    fn a_time_is_printed_in_milliseconds() {
        assert_eq!(Timestamp(1_760_000_000_123).to_string(), "1760000000123 ms");
    }

    #[test]
    fn time_stops_at_its_ends() {
        let late = Timestamp::MAX;
        assert_eq!(late.after(Duration::MAX), late);
        assert_eq!(Timestamp::ZERO.since(late), Duration::ZERO);
        assert_eq!(Timestamp::ZERO.millis_since(late), -i64::MAX);
        assert_eq!(Timestamp::from_millis(1 << 63), None);
    }
}
