//! What the peers' clocks say of ours. Nothing is corrected by them: they are not trusted. But a
//! miner whose clock is wrong makes blocks that others refuse, so it rests and says why.
//!
//! Only the clocks of nodes with links make it rest: a datagram is easily forged, and three of them
//! would stop it. Where there are fewer than [`FEWEST_CLOCKS`] links, what all others say is worth a
//! warning.
//!
//! Our own tip is a witness, too: we took it when it was at most [`MAX_FUTURE`] ahead, so if it is
//! further ahead now, our clock was set back, and we would refuse the blocks that we make on it.
//!
//! A heavier chain in our future is the sign that our clock is behind, unless [`FEWEST_CLOCKS`]
//! clocks are with ours: a miner who is ahead of everybody stops nobody by that.

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
    /// By how many seconds our clock is ahead, if that is too far to mine; negative: behind.
    off: Option<i64>,
    /// What the user was told: that the clock seems to be off, and whether that stops the miner.
    told: Option<bool>,
}

/// What enough clocks of others say of ours.
#[derive(Clone, Copy, Debug)]
struct Verdict {
    /// How many clocks.
    clocks: usize,
    /// They are those of nodes with links.
    by_links: bool,
    /// By how many milliseconds ours is ahead, if that is too far.
    ahead: Option<i64>,
}

impl ClockWatch {
    /// By how many seconds our clock is ahead, if that is too far to mine; negative: behind.
    pub(crate) fn off(&self) -> Option<i64> {
        self.off
    }

    fn is_due(&self, now: Moment) -> bool {
        self.compared.is_none_or(|last| now.since(last) >= PACE)
    }
}

/// Why the clock seems to be off.
enum Sign {
    /// By how many seconds it is ahead of the clocks of nodes with links, and how many those are.
    Links { seconds: i64, clocks: usize },
    /// By how many seconds it is ahead of the clocks in statuses that anybody may have forged.
    Heard { seconds: i64, clocks: usize },
    /// A heavier chain lies so many seconds in its future.
    Deferred { seconds: i64 },
    /// Our own chain does.
    Tip { seconds: i64 },
}

impl Sign {
    /// How far our clock is ahead.
    fn seconds(&self) -> i64 {
        match self {
            Self::Links { seconds, .. } | Self::Heard { seconds, .. } => *seconds,
            Self::Deferred { seconds } | Self::Tip { seconds } => -seconds,
        }
    }

    /// Whether it is sure enough to mine nothing.
    fn stops_miner(&self) -> bool {
        !matches!(self, Self::Heard { .. })
    }

    fn message(&self) -> String {
        match self {
            Self::Links { seconds, clocks } => format!(
                "this computer's clock is {} those of {clocks} peers; set it right, nothing is \
                 mined until then",
                distance(*seconds)
            ),
            Self::Heard { seconds, clocks } => format!(
                "this computer's clock is {} those of {clocks} peers that are heard by broadcast; \
                 if it is wrong, set it right",
                distance(*seconds)
            ),
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
    /// Looks at the clocks, and warns once when ours goes wrong, and once more if that comes to stop
    /// the miner.
    pub(crate) fn watch_clock(&mut self) {
        let now = self.clock.own();
        if self.clock_watch.is_due(now) {
            self.clock_watch.compared = Some(now);
            self.clock_watch.by_peers = self.verdict_on_clock();
        }
        let sign = self.clock_sign();
        let stops_miner = sign.as_ref().map(Sign::stops_miner);
        self.clock_watch.off = sign.as_ref().filter(|one| one.stops_miner()).map(Sign::seconds);
        let told = std::mem::replace(&mut self.clock_watch.told, stops_miner);
        if let Some(sign) = sign.filter(|_| stops_miner > told) {
            self.tell(Event::Warning { code: "clock_off", message: sign.message() });
        }
    }

    /// If enough nodes have links, only they count.
    fn verdict_on_clock(&self) -> Option<Verdict> {
        let verdict = |by_links| Verdict::of(self.peers.clocks(by_links), by_links);
        verdict(true).or_else(|| verdict(false))
    }

    fn clock_sign(&self) -> Option<Sign> {
        let verdict = self.clock_watch.by_peers;
        let by_peers = verdict.and_then(Verdict::sign);
        if matches!(by_peers, Some(Sign::Links { .. })) {
            return by_peers;
        }
        let (tip, wall) = (self.ledger.tip(), self.clock.wall());
        if tip.time > wall.after(MAX_FUTURE) {
            return Some(Sign::Tip { seconds: to_seconds(tip.time.millis_since(wall)) });
        }
        if verdict.is_some() && by_peers.is_none() {
            return None;
        }
        let deferred = self.deferred.heavier_than(tip.work);
        let deferred = deferred.map(|time| to_seconds(time.millis_since(wall)));
        deferred.map(|seconds| Sign::Deferred { seconds }).or(by_peers)
    }
}

/// How far it is ahead of others, in words.
fn distance(seconds: i64) -> String {
    let side = if seconds > 0 { "ahead of" } else { "behind" };
    format!("{} s {side}", seconds.abs())
}

/// The nearest number of seconds.
fn to_seconds(millis: i64) -> i64 {
    millis.saturating_add(500).div_euclid(1_000)
}

impl Verdict {
    /// What these clocks say, each by how many milliseconds it is ahead of ours; `None` if they
    /// are too few.
    fn of(mut clocks: Vec<i64>, by_links: bool) -> Option<Self> {
        if clocks.len() < FEWEST_CLOCKS {
            return None;
        }
        clocks.sort_unstable();
        // Of the two in the middle of an even number, the one that speaks for us.
        let middle = [clocks[(clocks.len() - 1) / 2], clocks[clocks.len() / 2]];
        let median = middle.into_iter().min_by_key(|ahead| ahead.unsigned_abs())?;
        let is_off = u128::from(median.unsigned_abs()) > MOST_OFF.as_millis();
        Some(Self { clocks: clocks.len(), by_links, ahead: is_off.then_some(-median) })
    }

    fn sign(self) -> Option<Sign> {
        let (seconds, clocks) = (to_seconds(self.ahead?), self.clocks);
        Some(if self.by_links {
            Sign::Links { seconds, clocks }
        } else {
            Sign::Heard { seconds, clocks }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_median_of_enough_clocks_counts() {
        let ahead = |clocks| Verdict::of(clocks, true).map(|verdict| verdict.ahead);
        assert_eq!(ahead(vec![90_000, 90_000]), None);
        assert_eq!(ahead(vec![90_000, 70_000, 61_000]), Some(Some(-70_000)));
        assert_eq!(ahead(vec![60_000, 60_000, 60_000]), Some(None));
        assert_eq!(ahead(vec![-7_200_000, -7_200_001, 0]), Some(Some(7_200_000)));
        assert_eq!(ahead(vec![i64::MAX, i64::MAX, 0, 0]), Some(None));
        assert_eq!(ahead(vec![99_000, 0, 0, 99_000, 99_000]), Some(Some(-99_000)));
    }
}
