//! Static peers: named by the user, connected with for as long as the node runs.

use std::time::Duration;

use cairn_node::PeerId;
use cairn_protocol::messages::HelloError;
use tokio::time::Instant;

use crate::inbox::DialFailure;
use crate::limits::{FIRST_RETRY, FOREIGN_EVERY, LAST_RETRY};

/// A peer that the user named.
#[derive(Debug)]
struct StaticPeer {
    /// HOST:PORT
    name: String,
    /// Who it turned out to be.
    peer: Option<PeerId>,
    state: State,
    /// How long to wait after the next failure.
    wait: Duration,
    has_warned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To be tried at this time.
    Waiting(Instant),
    Connecting,
    /// Since this time.
    Linked(Instant),
    /// It is this node itself.
    Ourselves,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Statics(Vec<StaticPeer>);

impl Statics {
    /// These peers, to be tried at once.
    pub(crate) fn new(names: &[String], now: Instant) -> Self {
        let peer = |name: &String| StaticPeer {
            name: name.clone(),
            peer: None,
            state: State::Waiting(now),
            wait: FIRST_RETRY,
            has_warned: false,
        };
        Self(names.iter().map(peer).collect())
    }

    /// Whether the user named this peer.
    pub(crate) fn contain(&self, peer: PeerId) -> bool {
        self.0.iter().any(|one| one.peer == Some(peer))
    }

    /// The peers to try now, by place and name; they are taken to be tried.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<(usize, String)> {
        let due = |one: &StaticPeer| matches!(one.state, State::Waiting(at) if at <= now);
        let due = self.0.iter_mut().enumerate().filter(|(_, one)| due(one));
        due.map(|(place, one)| {
            one.state = State::Connecting;
            (place, one.name.clone())
        })
        .collect()
    }

    /// How many are being tried, or will be now.
    pub(crate) fn connecting(&self, now: Instant) -> usize {
        let connecting = |one: &&StaticPeer| match one.state {
            State::Connecting => true,
            State::Waiting(at) => at <= now,
            State::Linked(_) | State::Ourselves => false,
        };
        self.0.iter().filter(connecting).count()
    }

    /// A link to the peer at this place stands, or another one to the same node.
    pub(crate) fn linked(&mut self, place: usize, peer: PeerId, now: Instant) {
        if let Some(one) = self.0.get_mut(place) {
            one.peer = Some(peer);
            one.state = State::Linked(now);
        }
    }

    /// There is no link to this peer any more.
    pub(crate) fn lost(&mut self, peer: PeerId, now: Instant) {
        for one in self.0.iter_mut().filter(|one| one.peer == Some(peer)) {
            if let State::Linked(since) = one.state {
                // One that cuts each link at once is not asked every second.
                if now.duration_since(since) >= LAST_RETRY {
                    one.wait = FIRST_RETRY;
                }
                one.retry(now);
            }
        }
    }

    /// The peer at this place was not reached. Returns what to tell the user, once for each peer.
    pub(crate) fn not_reached(
        &mut self,
        place: usize,
        failure: &DialFailure,
        now: Instant,
    ) -> Option<String> {
        let one = self.0.get_mut(place)?;
        match failure {
            DialFailure::Refused(HelloError::Ourselves) => one.state = State::Ourselves,
            DialFailure::Refused(_) => one.state = State::Waiting(now + FOREIGN_EVERY),
            DialFailure::Unreachable(_) => one.retry(now),
        }
        tracing::info!("static peer {}: {failure}", one.name);
        let first = !std::mem::replace(&mut one.has_warned, true);
        first.then(|| {
            let hint = match failure {
                DialFailure::Refused(HelloError::Ourselves) => "take it out of network.peers",
                DialFailure::Refused(_) => "it is asked again in an hour",
                DialFailure::Unreachable(_) => "is a miner running there? It is tried again",
            };
            format!("peer {} is not reached: {failure}; {hint}", one.name)
        })
    }
}

impl StaticPeer {
    fn retry(&mut self, now: Instant) {
        self.state = State::Waiting(now + self.wait);
        self.wait = (self.wait * 2).min(LAST_RETRY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: PeerId = PeerId(4);

    fn statics(now: Instant) -> Statics {
        Statics::new(&["one:2607".to_owned()], now)
    }

    fn unreachable() -> DialFailure {
        DialFailure::Unreachable("connection refused".to_owned())
    }

    #[test]
    fn a_peer_that_is_away_is_tried_again_ever_more_rarely_and_named_once() {
        let start = Instant::now();
        let mut statics = statics(start);
        let mut now = start;
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(statics.connecting(now), 1, "it will be tried");
            assert_eq!(statics.due(now), [(0, "one:2607".to_owned())]);
            assert!(statics.due(now).is_empty(), "it is being tried");
            assert_eq!(statics.connecting(now), 1, "it is being tried");
            let warning = statics.not_reached(0, &unreachable(), now);
            assert_eq!(statics.connecting(now), 0, "it is given some time");
            assert_eq!(warning.is_some(), now == start);
            assert!(statics.due(now + Duration::from_millis(seconds * 1_000 - 1)).is_empty());
            now += Duration::from_secs(seconds);
        }
    }

    #[test]
    fn a_lost_link_is_opened_again() {
        let start = Instant::now();
        let mut statics = statics(start);
        statics.due(start);
        statics.linked(0, PEER, start);
        assert!(statics.contain(PEER));
        assert_eq!(statics.connecting(start + LAST_RETRY), 0);
        assert!(statics.due(start + LAST_RETRY * 2).is_empty());
        let mut now = start;
        for seconds in [1, 2, 4] {
            statics.lost(PEER, now);
            now += Duration::from_secs(seconds);
            assert_eq!(statics.due(now).len(), 1, "after {seconds} s");
            statics.linked(0, PEER, now);
        }
        now += LAST_RETRY;
        statics.lost(PEER, now);
        assert_eq!(statics.due(now + FIRST_RETRY).len(), 1, "a link that lasted is forgiven");
    }

    #[test]
    fn other_rules_are_asked_once_an_hour_and_ourselves_never_again() {
        let start = Instant::now();
        let mut statics = statics(start);
        statics.due(start);
        statics.not_reached(0, &DialFailure::Refused(HelloError::Version(9)), start);
        assert!(statics.due(start + Duration::from_secs(3_599)).is_empty());
        let later = start + FOREIGN_EVERY;
        assert_eq!(statics.due(later).len(), 1);
        statics.not_reached(0, &DialFailure::Refused(HelloError::Ourselves), later);
        assert!(statics.due(later + FOREIGN_EVERY * 100).is_empty());
    }
}
