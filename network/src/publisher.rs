//! What a driver lets the world inside know: its state, its events, and what to work on.

use std::net::SocketAddr;

use cairn_ledger::Tip;
use cairn_node::{Counters, Event};
use cairn_protocol::messages::Status;
use tokio::sync::{mpsc, watch};

use crate::work::WorkIn;

/// What a program is told: the node's events, and the driver's own warnings (`other_rules`,
/// `other_version`, `peer_unreachable`, `port_taken`, `receive_buffer`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What happened.
    pub event: Event,
    /// The address of the peer that the event names.
    pub from: Option<SocketAddr>,
}

/// How the node stood a moment ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The end of the active chain.
    pub tip: Tip,
    /// The verified header with the most work, at least the tip.
    pub best_header: Tip,
    /// What the node holds and has done.
    pub counters: Counters,
    /// The links that stand.
    pub links: usize,
    /// The static peers that a connection is being opened to.
    pub connecting: usize,
    /// The peers heard since the start, by link or status.
    pub heard: usize,
    /// Whether the node is level with the best chain heard (see [`cairn_node::Node::is_level`]).
    pub is_level: bool,
    /// Why the node died, if it did.
    pub failure: Option<String>,
}

/// Where a driver publishes.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub(crate) snapshot: watch::Sender<Snapshot>,
    pub(crate) status: watch::Sender<Status>,
    pub(crate) work: WorkIn,
    pub(crate) told: mpsc::Sender<Told>,
}

impl Publisher {
    /// Publishes how the node stands, if that changed.
    pub(crate) fn show(&self, snapshot: Snapshot, status: Status) {
        self.status.send_replace(status);
        self.snapshot.send_if_modified(|shown| {
            let changed = *shown != snapshot;
            *shown = snapshot;
            changed
        });
    }

    /// Tells the program, unless it is so far behind that its queue is full.
    pub(crate) fn tell(&self, event: Event, from: Option<SocketAddr>) {
        if let Err(error) = self.told.try_send(Told { event, from }) {
            tracing::debug!("not told: {error}");
        }
    }

    /// Says that the node is dead.
    pub(crate) fn fail(&self, why: String) {
        tracing::error!("{why}");
        self.snapshot.send_modify(|snapshot| snapshot.failure = Some(why));
    }
}

impl Drop for Publisher {
    /// A node that dies of a fault in the program must not look alive.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.fail("the node stopped by an internal error; please report it".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use cairn_ledger::Ledger;
    use cairn_node::Node;

    use super::*;
    use crate::driver::{Contacts, snapshot};
    use crate::limits::MAX_WAITING_EVENTS;
    use crate::testing::{network, status};

    fn publisher() -> (Publisher, watch::Receiver<Snapshot>, mpsc::Receiver<Told>) {
        let ledger = Ledger::in_memory(&network()).expect("memory");
        let settings = cairn_node::Settings {
            instance: status(1, 0).instance,
            reward_to: None,
            blocks_port: 0,
            status_interval: std::time::Duration::from_secs(5),
            mempool: cairn_node::MempoolLimits::default(),
        };
        let node = Node::new(ledger, settings, crate::clock::now());
        let (snapshot, shown) = watch::channel(snapshot(&node, Contacts::default()));
        let (told_in, told) = mpsc::channel(MAX_WAITING_EVENTS);
        let status = watch::channel(status(1, 0)).0;
        let (work, _) = crate::work::work();
        (Publisher { snapshot, status, work, told: told_in }, shown, told)
    }

    #[test]
    fn a_node_that_panics_does_not_look_alive() {
        let (publisher, shown, mut told) = publisher();
        let dying = std::thread::spawn(move || {
            let _kept = publisher;
            panic!("as a fault in the program would");
        });
        assert!(dying.join().is_err());
        let failure = shown.borrow().failure.clone();
        assert!(failure.expect("it failed").contains("internal error"));
        assert!(told.blocking_recv().is_none());
    }

    #[test]
    fn a_program_that_does_not_listen_holds_nobody_up() {
        let (publisher, _shown, mut told) = publisher();
        let event = Event::Warning { code: "test", message: String::new() };
        for _ in 0..2 * MAX_WAITING_EVENTS {
            publisher.tell(event.clone(), None);
        }
        drop(publisher);
        let heard = std::iter::from_fn(|| told.blocking_recv()).count();
        assert_eq!(heard, MAX_WAITING_EVENTS);
    }
}
