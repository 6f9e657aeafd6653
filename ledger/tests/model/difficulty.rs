//! Sections 8 to 10 of docs/PROTOCOL.md about targets and times, with big integers and loops:
//! work, required target, median time past.

use cairn_protocol::{Header, Rules, Target, Timestamp};
use primitive_types::{U256, U512};

/// The work of a block: floor(2^256 / (target + 1)).
pub(crate) fn work_of(target: Target) -> U512 {
    (U512::one() << 256) / (number(target) + U512::one())
}

/// The median time past of the times of all ancestors, from genesis on: of the last eleven, in
/// ascending order, the one at index floor(k / 2).
pub(crate) fn median_time_past(times: &[Timestamp]) -> Timestamp {
    let mut last: Vec<Timestamp> = times.iter().rev().take(11).copied().collect();
    last.sort();
    last[last.len() / 2]
}

/// `required_target` of section 10 for the block of this time behind these ancestors, the last of
/// which is its parent.
pub(crate) fn required_target(rules: &Rules, ancestors: &[Header], time: Timestamp) -> Target {
    let floor = floor_of(rules);
    let interval = i128::from(rules.block_interval_seconds) * 1000;
    let height = ancestors.len();
    if interval == 0 || height <= 2 {
        return target_of(floor);
    }
    let half_life = i128::from(rules.half_life_seconds) * 1000;
    let (parent, grandparent) = (&ancestors[height - 1], &ancestors[height - 2]);
    // How often a target doubles for a wait.
    let doublings = |wait: i128| (wait - 30 * interval).max(0) / half_life;
    let solve = millis(parent.time) - millis(grandparent.time);
    let counted = solve - doublings(solve) * half_life;
    let target = aserti3(number(parent.target), counted - interval, half_life, floor);
    let wait = millis(time) - millis(parent.time);
    target_of(times_power_of_two(target, doublings(wait), floor).min(floor))
}

fn aserti3(reference: U512, offset: i128, half_life: i128, floor: U512) -> U512 {
    let exponent = (offset * 65536) / half_life;
    let doublings = exponent.div_euclid(65536);
    let fraction = exponent.rem_euclid(65536);
    let cubic = 195_766_423_245_049 * fraction
        + 971_821_376 * fraction * fraction
        + 5_127 * fraction * fraction * fraction
        + (1 << 47);
    let factor = 65536 + cubic / (1 << 48);
    let product = reference * U512::from(factor.unsigned_abs());
    times_power_of_two(product, doublings - 16, floor).max(U512::one()).min(floor)
}

/// floor(value * 2^exponent), or anything above the floor if that is.
fn times_power_of_two(mut value: U512, exponent: i128, floor: U512) -> U512 {
    for _ in 0..exponent {
        if value > floor {
            return value;
        }
        value = value + value;
    }
    for _ in exponent..0 {
        value /= 2;
    }
    value
}

fn floor_of(rules: &Rules) -> U512 {
    (U512::one() << (256 - usize::from(rules.difficulty))) - U512::one()
}

fn millis(time: Timestamp) -> i128 {
    i128::from(time.millis())
}

pub(crate) fn number(target: Target) -> U512 {
    U512::from_big_endian(&target.to_be_bytes())
}

pub(crate) fn target_of(number: U512) -> Target {
    let number = U256::try_from(number).expect("at most the floor");
    Target::from_be_bytes(&number.to_big_endian()).expect("at least 1")
}
