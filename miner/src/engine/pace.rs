//! How many nonces a thread searches between two looks at the job.

use std::ops::RangeInclusive;
use std::time::Duration;

/// How long one step should take: the longest that stale work goes on. A look costs less than a
/// microsecond, so that looking takes less than a thousandth of the time.
const STEP: Duration = Duration::from_millis(1);
/// A step is a multiple of so many nonces, so that kernels which search many at once have no rest
/// to search one by one. Fewer would spend the time on looking.
const GRAIN: u32 = 256;
/// A first guess, which takes no machine longer than a few steps.
const FIRST_STEP: u32 = 4_096;
/// A step may at most grow or shrink by this factor, so that one odd measurement does little.
const MOST_CHANGE: u32 = 4;

/// The length of a step, measured again at each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace(u32);

impl Pace {
    pub(super) fn new() -> Self {
        Self(FIRST_STEP)
    }

    /// The nonces of the step that starts with this one; shorter at the end of all nonces.
    pub(super) fn step_from(self, first: u32) -> RangeInclusive<u32> {
        first..=first.saturating_add(self.0 - 1)
    }

    /// Learns from a whole step of this many nonces that took so long.
    pub(super) fn learn(&mut self, nonces: u64, took: Duration) {
        let nanos = took.as_nanos().max(1);
        let fitting = u128::from(nonces) * STEP.as_nanos() / nanos;
        let (least, most) = (self.0 / MOST_CHANGE, self.0.saturating_mul(MOST_CHANGE));
        let nonces = u32::try_from(fitting).unwrap_or(u32::MAX).clamp(least, most);
        self.0 = (nonces - nonces % GRAIN).max(GRAIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The length of a step after many on a machine with this many nonces a second.
    fn settled(per_second: u64) -> u64 {
        let mut pace = Pace::new();
        for _ in 0..50 {
            let nonces = u64::from(pace.0);
            pace.learn(nonces, Duration::from_nanos(nonces * 1_000_000_000 / per_second));
        }
        u64::from(pace.0)
    }

    #[test]
    fn a_step_takes_a_thousandth_of_a_second_on_slow_and_fast_machines() {
        for per_second in [1_000_000, 20_000_000, 10_000_000_000] {
            let (nonces, fitting) = (settled(per_second), per_second / 1_000);
            let missing = fitting.checked_sub(nonces).expect("not longer");
            assert!(missing <= u64::from(GRAIN) + fitting / 100, "{nonces} at {per_second}");
        }
    }

    #[test]
    fn a_step_has_its_limits() {
        let grain = u64::from(GRAIN);
        assert_eq!(settled(1), grain);
        let mut pace = Pace::new();
        for _ in 0..50 {
            pace.learn(u64::from(pace.0), Duration::ZERO);
        }
        assert_eq!(pace.step_from(0), 0..=u32::MAX - GRAIN);
        assert_eq!(pace.step_from(u32::MAX), u32::MAX..=u32::MAX);
    }

    #[test]
    fn steps_are_whole_grains_to_the_last_nonce() {
        let mut pace = Pace::new();
        let mut next = Some(0);
        while let Some(first) = next {
            let nonces = pace.step_from(first);
            let length = nonces.end() - nonces.start() + 1;
            assert_eq!(length % GRAIN, 0, "{nonces:?}");
            next = nonces.end().checked_add(1);
            pace.learn(u64::from(length), Duration::from_nanos(u64::from(length) / 7));
        }
    }

    #[test]
    fn one_odd_measurement_changes_it_little() {
        let mut pace = Pace::new();
        pace.learn(FIRST_STEP.into(), Duration::from_secs(1));
        assert_eq!(pace.0, FIRST_STEP / MOST_CHANGE);
    }
}
