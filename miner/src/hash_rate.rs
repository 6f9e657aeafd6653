//! Hashes a second: measured, and in words.

use std::time::{Duration, Instant};

/// How often the rate is told.
pub(crate) const INTERVAL: Duration = Duration::from_secs(10);

/// Turns a count of hashes into a rate since the last look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter {
    hashes: u64,
    at: Instant,
}

impl Meter {
    /// Starts at no hash.
    pub(crate) fn new(now: Instant) -> Self {
        Self { hashes: 0, at: now }
    }

    /// The hashes a second since the last call, given how many there were in all.
    pub(crate) fn per_second(&mut self, hashes: u64, now: Instant) -> u64 {
        let millis = now.duration_since(self.at).as_millis().max(1);
        let new = u128::from(hashes.saturating_sub(self.hashes));
        *self = Self { hashes, at: now };
        u64::try_from(new * 1000 / millis).unwrap_or(u64::MAX)
    }
}

/// A rate as people write it, such as "23.5 MH/s".
pub(crate) fn in_words(per_second: u64) -> String {
    const UNITS: [&str; 5] = ["H/s", "kH/s", "MH/s", "GH/s", "TH/s"];
    let (mut unit, mut tenths) = (0, u128::from(per_second) * 10);
    // From 999.95 on, the next unit is shorter.
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths = (tenths + 500) / 1000;
        unit += 1;
    }
    match unit {
        0 => format!("{per_second} H/s"),
        _ => format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_since_the_last_look() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        assert_eq!(meter.per_second(1_000, start + Duration::from_secs(10)), 100);
        assert_eq!(meter.per_second(1_500, start + Duration::from_millis(10_500)), 1_000);
        assert_eq!(meter.per_second(1_500, start + Duration::from_secs(20)), 0);
        assert_eq!(meter.per_second(1_500, start + Duration::from_secs(20)), 0, "no time passed");
    }

    #[test]
    fn rates_have_the_unit_that_suits_them() {
        for (rate, words) in [
            (0, "0 H/s"),
            (999, "999 H/s"),
            (1_000, "1.0 kH/s"),
            (23_456_789, "23.5 MH/s"),
            (999_960_000, "1.0 GH/s"),
            (174_000_000, "174.0 MH/s"),
            (u64::MAX, "18446744.1 TH/s"),
        ] {
            assert_eq!(in_words(rate), words);
        }
    }
}
