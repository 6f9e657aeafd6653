//! When we say what we are, and when we ask others to.

use std::time::Duration;

use crate::node::Node;
use crate::output::Output;
use crate::time::Moment;

/// Solicited statuses go out at most this often. Who solicits has its answer within that time.
pub(crate) const SOLICITED_PACE: Duration = Duration::from_secs(1);

/// When the status went out, and whether somebody waits for it.
#[derive(Debug, Default)]
pub(crate) struct Announcer {
    announced: Option<Moment>,
    asked_others: Option<Moment>,
    is_solicited: bool,
}

impl Announcer {
    /// Somebody asks all for their status.
    pub(crate) fn solicited(&mut self) {
        self.is_solicited = true;
    }

    /// When the next status is due.
    fn announcement_due(&self, interval: Duration) -> Moment {
        let pace = if self.is_solicited { interval.min(SOLICITED_PACE) } else { interval };
        self.announced.map_or(Moment::START, |last| last.after(pace))
    }

    /// When others are asked next, if nobody is heard until then.
    fn question_due(&self, interval: Duration) -> Moment {
        self.asked_others.map_or(Moment::START, |last| last.after(interval))
    }
}

impl Node {
    /// Broadcasts the status if it is time to, and asks for others' while nobody is heard.
    pub(crate) fn announce_if_due(&mut self) {
        let (now, interval) = (self.clock.own(), self.settings.status_interval);
        if self.peers.is_empty() && self.announcer.question_due(interval) <= now {
            self.announcer.asked_others = Some(now);
            self.out.push(Output::Solicit);
        }
        if self.announcer.announcement_due(interval) <= now {
            self.announce();
        }
    }

    /// Broadcasts the status.
    pub(crate) fn announce(&mut self) {
        self.announcer.announced = Some(self.clock.own());
        self.announcer.is_solicited = false;
        let status = self.status(self.clock.wall());
        self.out.push(Output::BroadcastStatus(status));
    }

    /// When [`Self::announce_if_due`] has something to do.
    pub(crate) fn announcer_deadline(&self) -> Moment {
        let interval = self.settings.status_interval;
        let announcement = self.announcer.announcement_due(interval);
        if self.peers.is_empty() {
            announcement.min(self.announcer.question_due(interval))
        } else {
            announcement
        }
    }
}
