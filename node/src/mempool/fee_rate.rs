//! [`FeeRate`]: what a payment offers for its place in a block.

use cairn_protocol::Amount;

/// Micro-coins for 2^32 bytes, rounded down.
///
/// The scale makes the order exact: with at most 672 bytes, two rates that differ at all differ
/// by more than 2^-19 micro-coins a byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FeeRate(u128);

impl FeeRate {
    /// The rate of this fee for so many bytes, at least one.
    pub(crate) fn new(fee: Amount, bytes: usize) -> Self {
        // A fee has 63 bits, so 95 bits hold the shifted one, and usize has at most 64.
        Self((u128::from(fee.micros()) << 32) / bytes.max(1) as u128)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(micros: u64, bytes: usize) -> FeeRate {
        FeeRate::new(Amount::from_micros(micros).expect("an amount"), bytes)
    }

    #[test]
    fn rates_compare_exactly() {
        assert_eq!(rate(320, 160), rate(1_344, 672));
        // The two closest different rates of payments: 1/671 and 1/672.
        assert!(rate(1, 671) > rate(1, 672));
        assert!(rate(Amount::MAX.micros(), 160) > rate(Amount::MAX.micros() - 1, 160));
        assert_eq!(rate(0, 160), FeeRate::default());
    }
}
