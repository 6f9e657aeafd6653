//! The target that a block must have, from its two ancestors and its own time.
//!
//! docs/decisions/retargeting.md gives the reasons and the numbers.

use crate::header::Header;
use crate::rules::Rules;
use crate::target::Target;
use crate::time::Timestamp;

/// Bits after the point in the exponent of [`aserti3`].
const RADIX_BITS: u32 = 16;
/// A block this many intervals after its parent may be easier than its parent says.
const PATIENCE_INTERVALS: i64 = 30;

/// `reference` times 2^(`offset` / `half_life`), by the integer arithmetic of aserti3-2d, between
/// the hardest target and `easiest`. Both times are in the same unit; `half_life` is positive.
///
/// Source: the ASERT specification of Bitcoin Cash (2020-11-15-asert), whose division truncates
/// towards zero.
pub fn aserti3(reference: Target, offset: i64, half_life: i64, easiest: Target) -> Target {
    // i128, because offset << 16 may leave 64 bits.
    let exponent = (i128::from(offset) << RADIX_BITS) / i128::from(half_life);
    let doublings = exponent >> RADIX_BITS;
    let fraction = u64::try_from(exponent - (doublings << RADIX_BITS)).expect("16 bits are left");
    // 2^16 * 2^(fraction / 2^16), by a cubic approximation. Each term is below 2^64 because
    // fraction is below 2^16, and the specification chose the constants so that the sum is too.
    let cubic = 195_766_423_245_049 * fraction
        + 971_821_376 * fraction.pow(2)
        + 5_127 * fraction.pow(3)
        + (1 << 47);
    let factor = u32::try_from(cubic >> 48).expect("at most 2^16") + (1 << RADIX_BITS);
    // Far beyond 512 doublings, saturating changes nothing: the limits have long been reached.
    let doublings = i64::try_from(doublings.clamp(-1024, 1024)).expect("clamped");
    reference.scaled(factor, i64::from(RADIX_BITS) - doublings, easiest)
}

/// The target that a block with this parent, grandparent and time must have.
///
/// `grandparent` is `None` exactly if the parent is genesis.
pub fn required_target(
    rules: &Rules,
    parent: &Header,
    grandparent: Option<&Header>,
    time: Timestamp,
) -> Target {
    let floor = rules.floor();
    // Genesis has no time, so the first solve time that can be known is that of block 2.
    let Some(grandparent) = grandparent.filter(|header| header.height.get() > 0) else {
        return floor;
    };
    let interval = i64::from(rules.block_interval_seconds) * 1000;
    if interval == 0 {
        return floor;
    }
    let half_life = i64::from(rules.half_life_seconds) * 1000;
    let solve_time = parent.time.millis_since(grandparent.time);
    // What the parent was eased by is in its target, so it must not count a second time.
    let counted = solve_time - doublings(solve_time, interval, half_life) * half_life;
    let target = aserti3(parent.target, counted.saturating_sub(interval), half_life, floor);

    let wait = time.millis_since(parent.time);
    target.scaled(1, -doublings(wait, interval, half_life), floor)
}

/// How often the target of a block doubles that comes `wait` after its parent.
fn doublings(wait: i64, interval: i64, half_life: i64) -> i64 {
    wait.saturating_sub(PATIENCE_INTERVALS * interval).max(0) / half_life
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::Height;
    use crate::hash::{BlockHash, ContentRoot};
    use primitive_types::U256;

    /// Bitcoin's compact form of a target, only to compare with the vectors.
    fn from_compact(bits: u32) -> Target {
        let mantissa = U256::from(bits & 0x007f_ffff);
        let exponent = (bits >> 24) as usize;
        let value = if exponent <= 3 {
            mantissa >> (8 * (3 - exponent))
        } else {
            mantissa << (8 * (exponent - 3))
        };
        Target::from_be_bytes(&value.to_big_endian()).expect("not zero")
    }

    fn to_compact(target: Target) -> u32 {
        let value = U256::from_big_endian(&target.to_be_bytes());
        let mut size = value.bits().div_ceil(8);
        let mut mantissa = if size <= 3 {
            value.low_u32() << (8 * (3 - size))
        } else {
            (value >> (8 * (size - 3))).low_u32()
        };
        if mantissa & 0x0080_0000 != 0 {
            mantissa >>= 8;
            size += 1;
        }
        mantissa | u32::try_from(size).expect("at most 33") << 24
    }

    /// The vectors of bitcoin-verde / bitcoin-cash-node (tests/vectors/SOURCE.md).
    fn check_asert_run(text: &str) -> usize {
        let header = |key: &str| {
            text.lines().find_map(|line| line.split_once(key)).expect("a header line").1.trim()
        };
        let anchor_height: i64 = header("anchor height:").parse().expect("a height");
        let anchor_parent_time: i64 = header("anchor parent time:").parse().expect("a time");
        let compact = |hex: &str| u32::from_str_radix(&hex[2..], 16).expect("nBits");
        let anchor = from_compact(compact(header("anchor nBits:")));
        let limit = from_compact(0x1d00_ffff);
        let rows = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        rows.map(|row| {
            let fields: Vec<&str> = row.split_whitespace().collect();
            let height: i64 = fields[1].parse().expect("a height");
            let time: i64 = fields[2].parse().expect("a time");
            let scheduled = 600 * (height - anchor_height + 1);
            let offset = time - anchor_parent_time - scheduled;
            let target = aserti3(anchor, offset, 172_800, limit);
            assert_eq!(to_compact(target), compact(fields[3]), "{row}");
        })
        .count()
    }

    #[test]
    fn aserti3_meets_the_vectors_of_bitcoin_cash() {
        let runs = [
            include_str!("../tests/vectors/asert/run01"),
            include_str!("../tests/vectors/asert/run02"),
            include_str!("../tests/vectors/asert/run03"),
            include_str!("../tests/vectors/asert/run04"),
            include_str!("../tests/vectors/asert/run05"),
            include_str!("../tests/vectors/asert/run06"),
            include_str!("../tests/vectors/asert/run07"),
            include_str!("../tests/vectors/asert/run08"),
        ];
        let rows: usize = runs.map(check_asert_run).iter().sum();
        assert!(rows > 2_900, "{rows} rows");
    }

    /// The times of block h - 2, h - 1 and h in seconds: the target of h in units of its parent's,
    /// where the parent has 2^-16 of the floor's target.
    fn eased(grandparent: u64, parent: u64, time: u64) -> f64 {
        let rules = Rules::default();
        let at = |seconds: u64| Timestamp::from_millis(seconds * 1000).expect("small");
        let header = |height: u32, seconds: u64| Header {
            version: 1,
            height: Height::from(height),
            parent: BlockHash::default(),
            content: ContentRoot::default(),
            time: at(seconds),
            target: rules.floor().scaled(1, 16, rules.floor()),
        };
        let (older, newer) = (header(7, grandparent), header(8, parent));
        let target = required_target(&rules, &newer, Some(&older), at(time));
        let as_f64 = |target: Target| {
            let bytes = target.to_be_bytes();
            bytes.iter().fold(0.0, |sum, &byte| sum * 256.0 + f64::from(byte))
        };
        as_f64(target) / as_f64(newer.target)
    }

    #[test]
    fn a_block_on_schedule_keeps_the_target() {
        assert!((eased(1000, 1010, 1020) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_half_life_late_doubles_and_early_halves() {
        assert!((eased(1000, 1210, 1220) - 2.0).abs() < 1e-3);
        assert!((eased(1190, 1000, 1010) - 0.5).abs() < 1e-3, "negative solve times count in full");
        assert!((eased(1990, 1000, 1010) - 0.031_25).abs() < 1e-3);
    }

    #[test]
    fn what_doubled_the_parents_target_does_not_count_again() {
        let after = |solve_time: u64| eased(1000, 1000 + solve_time, 1010 + solve_time).log2();
        assert!((after(499) - 489.0 / 200.0).abs() < 1e-3);
        assert!((after(500) - 290.0 / 200.0).abs() < 1e-3, "it doubled once");
        assert!((after(7 * 86_400) - 390.0 / 200.0).abs() < 1e-3, "400 s beyond its last doubling");
    }

    #[test]
    fn a_long_wait_doubles_the_target_for_each_half_life_beyond_thirty_intervals() {
        assert!((eased(1000, 1010, 1010 + 300 + 199) - 1.0).abs() < 1e-9);
        assert!((eased(1000, 1010, 1010 + 300 + 200) - 2.0).abs() < 1e-9);
        assert!((eased(1000, 1010, 1010 + 300 + 2000) - 1024.0).abs() < 1e-6);
        assert!((eased(1000, 1010, 9_000_000) - 65_536.0).abs() < 1.0, "the floor is the end");
    }

    #[test]
    fn blocks_1_and_2_and_a_fixed_difficulty_have_the_floor() {
        let network = crate::Network::new(Rules::default()).expect("the defaults are valid");
        let rules = network.rules();
        let late = Timestamp::from_millis(1 << 41).expect("small");
        let genesis = network.genesis().header;
        assert_eq!(required_target(rules, &genesis, None, late), rules.floor());
        let mut first = genesis;
        first.height = Height::from(1);
        assert_eq!(required_target(rules, &first, Some(&genesis), late), rules.floor());
        let fixed = Rules { block_interval_seconds: 0, ..Rules::default() };
        let mut second = first;
        second.height = Height::from(2);
        assert_eq!(required_target(&fixed, &second, Some(&first), late), fixed.floor());
    }
}
