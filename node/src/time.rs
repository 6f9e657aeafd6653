//! The node's two times: the wall clock, by which the rules go, and its own count, by which it
//! waits. The second never goes back when somebody sets the first.

use std::time::Duration;

use cairn_protocol::Timestamp;

/// A point on the node's own time line: milliseconds since its first input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    /// When the node had its first input, and all that was before.
    pub(crate) const START: Self = Self(0);

    /// This much later.
    #[must_use]
    pub(crate) fn after(self, span: Duration) -> Self {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Both times, as of the last input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    wall: Timestamp,
    own: Moment,
}

impl Clock {
    pub(crate) fn new(wall: Timestamp) -> Self {
        Self { wall, own: Moment::START }
    }

    /// What the wall clock shows now.
    pub(crate) fn set(&mut self, wall: Timestamp) {
        self.own = self.own.after(wall.since(self.wall));
        self.wall = wall;
    }

    pub(crate) fn wall(&self) -> Timestamp {
        self.wall
    }

    pub(crate) fn own(&self) -> Moment {
        self.own
    }

    /// What the wall clock will show at this moment if nobody sets it; now for the past.
    pub(crate) fn wall_at(&self, moment: Moment) -> Timestamp {
        self.wall.after(moment.since(self.own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000).expect("small")
    }

    #[test]
    fn our_own_time_goes_on_when_the_wall_clock_is_set_back() {
        let mut clock = Clock::new(at(10_000));
        clock.set(at(10_003));
        let due = clock.own().after(Duration::from_secs(5));
        clock.set(at(2_000));
        assert_eq!(clock.wall_at(due), at(2_005));
        clock.set(at(2_004));
        assert!(clock.own() < due);
        clock.set(at(2_005));
        assert_eq!(clock.own(), due);
        assert_eq!(clock.wall_at(Moment::START), at(2_005));
    }
}
