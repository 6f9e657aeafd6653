//! [`Standstill`]: whether anything was shown of the better chain that others claim to have.
//!
//! A status proves nothing, and names cost nothing: whoever forges ever new ones claims more work
//! for ever. A node then goes on asking, which costs it little. A program that is to end when it is
//! level has to make up its mind.

use std::time::{Duration, Instant};

use cairn_protocol::Work;

/// How long claims are believed while nothing new comes of them: as long as a node waits for a block
/// before its branch counts as out of reach (docs/decisions/sync.md).
pub(crate) const BELIEVED: Duration = Duration::from_secs(60);

/// Since when a node that is behind has been shown nothing new.
#[derive(Debug)]
pub(crate) struct Standstill {
    most: Duration,
    since: Instant,
    /// The work of the tip, and of the best header, while others claim more.
    shown: Option<[Work; 2]>,
}

impl Standstill {
    /// A standstill lasts too long after this span.
    pub(crate) fn new(most: Duration, now: Instant) -> Self {
        Self { most, since: now, shown: None }
    }

    /// Whether it lasts too long, now that a node's tip and best header have this work. `None`
    /// where nobody claims more: then nothing stands still.
    pub(crate) fn is_too_long(&mut self, now: Instant, shown: Option<[Work; 2]>) -> bool {
        if shown.is_none() || shown != self.shown {
            (self.shown, self.since) = (shown, now);
        }
        now.saturating_duration_since(self.since) >= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::network;

    #[test]
    fn a_standstill_ends_with_each_header_and_each_block() {
        let start = Instant::now();
        let one = network().rules().floor().work();
        let two = one.plus(one);
        let mut standstill = Standstill::new(BELIEVED, start);
        let mut too_long = |seconds, tip, header| {
            standstill.is_too_long(start + Duration::from_secs(seconds), Some([tip, header]))
        };
        assert!(!too_long(0, Work::ZERO, Work::ZERO));
        assert!(!too_long(59, Work::ZERO, Work::ZERO));
        assert!(too_long(60, Work::ZERO, Work::ZERO));
        assert!(!too_long(61, Work::ZERO, two), "headers");
        assert!(!too_long(120, Work::ZERO, two));
        assert!(!too_long(121, one, two), "a block");
        assert!(!too_long(180, one, two));
        assert!(too_long(181, one, two));
    }

    #[test]
    fn claims_are_believed_from_when_they_are_made() {
        let start = Instant::now();
        let mut standstill = Standstill::new(BELIEVED, start);
        let shown = Some([Work::ZERO; 2]);
        let mut too_long =
            |seconds, shown| standstill.is_too_long(start + Duration::from_secs(seconds), shown);
        assert!(!too_long(100, None), "nobody was heard for long");
        assert!(!too_long(101, shown));
        assert!(!too_long(160, shown));
        assert!(too_long(161, shown));
        assert!(!too_long(162, None));
        assert!(!too_long(200, shown), "another claim");
    }
}
