//! What a driver lets the world inside know: its state, its events, and what to work on.

use std::net::SocketAddr;
use std::sync::Arc;

use cairn_ledger::Tip;
use cairn_node::{Counters, Event, RestReason, Template};
use cairn_protocol::messages::Status;
use tokio::sync::{mpsc, watch};

/// What the engine is to do.
#[derive(Clone, Debug)]
pub enum Work {
    /// Search a proof for this.
    Mine(Arc<Template>),
    /// Nothing, and why.
    Rest(RestReason),
}

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
    pub(crate) work: watch::Sender<Work>,
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

    /// Says what to work on.
    pub(crate) fn direct(&self, work: Work) {
        self.work.send_replace(work);
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
