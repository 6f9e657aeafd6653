//! What the peers' clocks say of ours. Nothing is corrected by them: they are not trusted. But a
//! miner whose clock is wrong makes blocks that others refuse, so it rests and says why.
//!
//! Our own tip is a witness, too: we took it when it was at most [`MAX_FUTURE`] ahead, so if it is
//! further ahead now, our clock was set back, and we would refuse the blocks that we make on it.
//!
//! With fewer than [`FEWEST_CLOCKS`] to compare with, a heavier chain in our future is the sign
//! that our clock is behind. With more of them, they decide: a miner who is ahead of everybody
//! stops nobody by that.

use std::time::Duration;

use cairn_protocol::limits::MAX_FUTURE;

use crate::event::Event;
use crate::node::Node;
use crate::time::Moment;

/// How far our clock may stand off the others'.
const MOST_OFF: Duration = Duration::from_secs(60);
/// How many clocks it takes to judge ours.
const FEWEST_CLOCKS: usize = 3;

/// How often the clocks are compared.
const PACE: Duration = Duration::from_secs(1);

/// What came of the last look at the clocks.
#[derive(Debug, Default)]
pub(crate) struct ClockWatch {
    compared: Option<Moment>,
    /// What the peers' clocks say, if they are enough to say anything.
    by_peers: Option<Verdict>,
    /// By how many seconds our clock is ahead, if that is too far; negative: behind.
    off: Option<i64>,
}

/// What enough clocks of others say of ours.
#[derive(Clone, Copy, Debug)]
struct Verdict {
    /// How many clocks.
    clocks: usize,
    /// By how many milliseconds ours is ahead, if that is too far.
    ahead: Option<i64>,
}

impl ClockWatch {
    /// By how many seconds our clock is ahead, if that is too far; negative: behind.
    pub(crate) fn off(&self) -> Option<i64> {
        self.off
    }

    fn is_due(&self, now: Moment) -> bool {
        self.compared.is_none_or(|last| now.since(last) >= PACE)
    }
}

/// Why the clock seems to be off.
enum Sign {
    /// By how many seconds it is ahead of the peers' clocks, and how many those are.
    Peers { seconds: i64, clocks: usize },
    /// A heavier chain lies so many seconds in its future.
    Deferred { seconds: i64 },
    /// Our own chain does.
    Tip { seconds: i64 },
}

impl Sign {
    /// How far our clock is ahead.
    fn seconds(&self) -> i64 {
        match self {
            Self::Peers { seconds, .. } => *seconds,
            Self::Deferred { seconds } | Self::Tip { seconds } => -seconds,
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
            Self::Tip { seconds } => format!(
                "our own chain is {seconds} s ahead of this computer's clock, which was set back; \
                 set it right, nothing is mined until then"
            ),
        }
    }
}

impl Node {
    /// Looks at the clocks, and warns once when ours goes wrong.
    pub(crate) fn watch_clock(&mut self) {
        let now = self.clock.own();
        if self.clock_watch.is_due(now) {
            self.clock_watch.compared = Some(now);
            self.clock_watch.by_peers = Verdict::of(self.peers.clocks(FEWEST_CLOCKS));
        }
        let sign = self.clock_sign();
        let was_off = self.clock_watch.off.is_some();
        self.clock_watch.off = sign.as_ref().map(Sign::seconds);
        if let Some(sign) = sign.filter(|_| !was_off) {
            self.tell(Event::Warning { code: "clock_off", message: sign.message() });
        }
    }

    fn clock_sign(&self) -> Option<Sign> {
        let verdict = self.clock_watch.by_peers;
        if let Some(Verdict { clocks, ahead: Some(ahead) }) = verdict {
            return Some(Sign::Peers { seconds: to_seconds(ahead), clocks });
        }
        let (tip, wall) = (self.ledger.tip(), self.clock.wall());
        if tip.time > wall.after(MAX_FUTURE) {
            return Some(Sign::Tip { seconds: to_seconds(tip.time.millis_since(wall)) });
        }
        if verdict.is_some() {
            return None;
        }
        let deferred = self.deferred.heavier_than(tip.work)?;
        Some(Sign::Deferred { seconds: to_seconds(deferred.millis_since(wall)) })
    }
}

/// The nearest number of seconds.
fn to_seconds(millis: i64) -> i64 {
    millis.saturating_add(500).div_euclid(1_000)
}

impl Verdict {
    /// What these clocks say, each by how many milliseconds it is ahead of ours; `None` if they
    /// are too few.
    fn of(mut clocks: Vec<i64>) -> Option<Self> {
        if clocks.len() < FEWEST_CLOCKS {
            return None;
        }
        clocks.sort_unstable();
        // Of the two in the middle of an even number, the one that speaks for us.
        let middle = [clocks[(clocks.len() - 1) / 2], clocks[clocks.len() / 2]];
        let median = middle.into_iter().min_by_key(|ahead| ahead.unsigned_abs())?;
        let is_off = u128::from(median.unsigned_abs()) > MOST_OFF.as_millis();
        Some(Self { clocks: clocks.len(), ahead: is_off.then_some(-median) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_median_of_enough_clocks_counts() {
        let ahead = |clocks| Verdict::of(clocks).map(|verdict| verdict.ahead);
        assert_eq!(ahead(vec![90_000, 90_000]), None);
        assert_eq!(ahead(vec![90_000, 70_000, 61_000]), Some(Some(-70_000)));
        assert_eq!(ahead(vec![60_000, 60_000, 60_000]), Some(None));
        assert_eq!(ahead(vec![-7_200_000, -7_200_001, 0]), Some(Some(7_200_000)));
        assert_eq!(ahead(vec![i64::MAX, i64::MAX, 0, 0]), Some(None));
        assert_eq!(ahead(vec![99_000, 0, 0, 99_000, 99_000]), Some(Some(-99_000)));
    }
}
