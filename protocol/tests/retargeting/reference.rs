//! docs/PROTOCOL.md section 10, written out once more: with rationals in place of shifts, and with
//! numbers in place of the product's types.

use cairn_protocol::hash::{BlockHash, ContentRoot};
use cairn_protocol::retarget::{aserti3, required_target};
use cairn_protocol::{Header, Height, Rules, Target, Timestamp};
use primitive_types::U512;
use proptest::prelude::*;

/// What a block is to be retargeted by.
#[derive(Clone, Debug)]
struct Case {
    difficulty: u8,
    interval: u32,
    half_life: u32,
    height: u32,
    parent_target: Target,
    /// Of the grandparent, the parent and the block.
    times: [u64; 3],
}

impl Case {
    fn floor(&self) -> U512 {
        (U512::one() << (256 - usize::from(self.difficulty))) - 1
    }

    fn expected(&self) -> U512 {
        let [interval, half_life] = [self.interval, self.half_life].map(|s| i128::from(s) * 1000);
        if interval == 0 || self.height <= 2 {
            return self.floor();
        }
        let [grandparent, parent, time] = self.times.map(i128::from);
        let late = |wait: i128| (wait - 30 * interval).max(0) / half_life;
        let solve = parent - grandparent;
        let offset = solve - late(solve) * half_life - interval;
        let target = moved(number(self.parent_target), offset, half_life, self.floor());
        doubled(target, late(time - parent), self.floor())
    }

    fn given(&self) -> U512 {
        let rules = Rules {
            difficulty: self.difficulty,
            block_interval_seconds: self.interval,
            half_life_seconds: self.half_life,
            ..Rules::default()
        };
        let [grandparent, parent, time] =
            self.times.map(|time| Timestamp::from_millis(time).expect("below 2^63"));
        let header = |height: u32, time| Header {
            version: 1,
            height: Height::from(height),
            parent: BlockHash::default(),
            content: ContentRoot::default(),
            time,
            target: self.parent_target,
        };
        let parent = header(self.height - 1, parent);
        let grandparent = self.height.checked_sub(2).map(|height| header(height, grandparent));
        number(required_target(&rules, &parent, grandparent.as_ref(), time))
    }
}

/// reference * 2^(offset / `half_life`), between 1 and the floor.
fn moved(reference: U512, offset: i128, half_life: i128, floor: U512) -> U512 {
    let exponent = offset * 65_536 / half_life;
    let (doublings, fraction) = (exponent.div_euclid(65_536), exponent.rem_euclid(65_536));
    let cubic = 195_766_423_245_049 * fraction
        + 971_821_376 * fraction * fraction
        + 5_127 * fraction * fraction * fraction
        + 140_737_488_355_328;
    let factor = 65_536 + cubic / 281_474_976_710_656;
    let product = reference * U512::from(factor.unsigned_abs());
    // The divisor 2^16 last, so that nothing is lost before it.
    if doublings >= 0 {
        return (doubled(product, doublings, floor << 16) >> 16).max(U512::one()).min(floor);
    }
    let halved = (doublings..0).take(512).fold(product, |product, _| product / 2);
    (halved >> 16).max(U512::one()).min(floor)
}

/// Doubled so many times, but never above the floor.
fn doubled(mut target: U512, times: i128, floor: U512) -> U512 {
    let mut left = times;
    while left > 0 && target < floor {
        target *= 2;
        left -= 1;
    }
    target.min(floor)
}

fn number(target: Target) -> U512 {
    U512::from_big_endian(&target.to_be_bytes())
}

fn target(bytes: [u8; 32], leading_zeros: u8) -> Target {
    let value = U512::from_big_endian(&bytes) >> usize::from(leading_zeros);
    let bytes = value.max(U512::one()).to_big_endian();
    let (_, low) = bytes.split_last_chunk::<32>().expect("64 bytes");
    Target::from_be_bytes(low).expect("not zero")
}

/// Times of both kinds: near each other, as on a chain, and anything that can be encoded.
fn times() -> impl Strategy<Value = [u64; 3]> {
    let near = (-2_000_000_i64..2_000_000, -200_000_i64..20_000_000).prop_map(|(solve, wait)| {
        let start = 1_760_000_000_000_i64;
        [start, start + solve, start + solve + wait].map(i64::unsigned_abs)
    });
    prop_oneof![4 => near, 1 => prop::array::uniform3(0..1_u64 << 63)]
}

fn case() -> impl Strategy<Value = Case> {
    let interval = prop_oneof![4 => 1..700_u32, 1 => Just(0), 1 => any::<u32>()];
    let half_life = prop_oneof![4 => 1..20_000_u32, 1 => 1..=u32::MAX];
    let height = prop_oneof![1 => 1..4_u32, 4 => 3..1_000_000_u32];
    let target = (any::<[u8; 32]>(), any::<u8>()).prop_map(|(bytes, zeros)| target(bytes, zeros));
    (0..=128_u8, interval, half_life, height, target, times()).prop_map(
        |(difficulty, interval, half_life, height, parent_target, times)| Case {
            difficulty,
            interval,
            half_life,
            height,
            parent_target,
            times,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_required_target_is_that_of_the_protocol(case in case()) {
        prop_assert_eq!(case.given(), case.expected());
    }

    /// Where the reference is the floor's and more than 256 bits would be needed.
    #[test]
    fn aserti3_is_that_of_the_protocol(
        (bytes, zeros) in (any::<[u8; 32]>(), any::<u8>()),
        offset in prop_oneof![-100_000_000_i64..100_000_000, any::<i64>()],
        half_life in prop_oneof![1..1_000_000_i64, 1..=i64::MAX],
        difficulty in 0..=255_u8,
    ) {
        let reference = target(bytes, zeros);
        let easiest = Target::with_leading_zeros(difficulty);
        let given = aserti3(reference, offset, half_life, easiest);
        let expected = moved(number(reference), offset.into(), half_life.into(), number(easiest));
        prop_assert_eq!(number(given), expected);
    }
}
