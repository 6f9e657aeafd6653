//! What the peers' clocks say of ours. Nothing is corrected by them: they are not trusted. But a
//! miner whose clock is wrong makes blocks that others refuse, so it rests and says why.

use crate::event::Event;
use crate::node::Node;

/// How far our clock may stand off the others'.
pub(crate) const MOST_OFF_MILLIS: i64 = 60_000;
/// How many clocks it takes to judge ours.
pub(crate) const FEWEST_CLOCKS: usize = 3;

/// Whether the user has been told that the clock is off.
#[derive(Debug, Default)]
pub(crate) struct ClockWatch {
    warned: bool,
}

/// Why the clock seems to be off.
enum Sign {
    /// By how many seconds it is ahead of the peers' clocks, and how many those are.
    Peers { seconds: i64, clocks: usize },
    /// A heavier chain lies so many seconds in its future.
    Deferred { seconds: i64 },
}

impl Sign {
    /// How far our clock is ahead.
    fn seconds(&self) -> i64 {
        match self {
            Self::Peers { seconds, .. } => *seconds,
            Self::Deferred { seconds } => -seconds,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Peers { seconds, clocks } => {
                let side = if *seconds > 0 { "ahead of" } else { "behind" };
                let seconds = seconds.abs();
                format!(
                    "this computer's clock is {seconds} s {side} those of {clocks} peers; set it \
                     right, nothing is mined until then"
                )
            }
            Self::Deferred { seconds } => format!(
                "a chain with more work than ours is {seconds} s ahead of this computer's clock; \
                 if the clock is behind, set it right; nothing is mined until then"
            ),
        }
    }
}

impl Node {
    /// By how many seconds our clock is ahead, if that is too far; negative: behind.
    pub(crate) fn clock_off(&self) -> Option<i64> {
        self.clock_sign().map(|sign| sign.seconds())
    }

    /// Warns once when the clock goes wrong.
    pub(crate) fn watch_clock(&mut self) {
        let sign = self.clock_sign();
        let warned = std::mem::replace(&mut self.clock_watch.warned, sign.is_some());
        if let Some(sign) = sign.filter(|_| !warned) {
            self.tell(Event::Warning { code: "clock_off", message: sign.message() });
        }
    }

    fn clock_sign(&self) -> Option<Sign> {
        let clocks = self.peers.clocks();
        let count = clocks.len();
        if let Some(ahead) = ahead_of(clocks) {
            return Some(Sign::Peers { seconds: ahead / 1_000, clocks: count });
        }
        let deferred = self.deferred.heavier_than(self.ledger.tip().work)?;
        Some(Sign::Deferred { seconds: deferred.millis_since(self.clock.wall()) / 1_000 })
    }
}

/// By how many milliseconds our clock is ahead of the median of the others, if that is too far.
/// `clocks` says how far each is ahead of ours.
fn ahead_of(mut clocks: Vec<i64>) -> Option<i64> {
    if clocks.len() < FEWEST_CLOCKS {
        return None;
    }
    clocks.sort_unstable();
    // Of the two in the middle of an even number, the one that speaks for us.
    let middle = [clocks[(clocks.len() - 1) / 2], clocks[clocks.len() / 2]];
    let median = middle.into_iter().min_by_key(|ahead| ahead.unsigned_abs())?;
    (median.unsigned_abs() > MOST_OFF_MILLIS.unsigned_abs()).then_some(-median)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_median_of_enough_clocks_counts() {
        assert_eq!(ahead_of(vec![90_000, 90_000]), None);
        assert_eq!(ahead_of(vec![90_000, 70_000, 61_000]), Some(-70_000));
        assert_eq!(ahead_of(vec![60_000, 60_000, 60_000]), None);
        assert_eq!(ahead_of(vec![-7_200_000, -7_200_001, 0]), Some(7_200_000));
        assert_eq!(ahead_of(vec![i64::MAX, i64::MAX, 0, 0]), None);
        assert_eq!(ahead_of(vec![99_000, 0, 0, 99_000, 99_000]), Some(-99_000));
    }
}
