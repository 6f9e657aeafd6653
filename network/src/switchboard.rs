//! Between the node and its peers: who is who, which links stand, what is asked of whom.
//!
//! It lives on the driver's thread and never waits: links take their orders from bounded queues,
//! connections are opened by tasks that report back. [`incoming`] turns what happens into the
//! node's inputs, [`outgoing`] does what the node wants.

mod incoming;
mod outgoing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cairn_node::{Event, Failure, Input, PeerId, QuestionId};
use cairn_protocol::Timestamp;
use cairn_protocol::messages::InstanceId;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::asks::{OurQuestions, TheirQuestions};
use crate::broadcast::Broadcast;
use crate::clock;
use crate::connect::{Place, dial};
use crate::dials::Dials;
use crate::foreign::Foreign;
use crate::inbox::{Command, Goal, LinkId};
use crate::interfaces::Interfaces;
use crate::limits::{MAX_OUTBOUND_LINKS, QUESTION_STALL, QUESTION_TIMEOUT};
use crate::links::Links;
use crate::peers::Peers;
use crate::settings::Settings;
use crate::statics::Statics;
use crate::surroundings::Surroundings;

/// How often static peers and interfaces are looked after.
const ROUTINE_EVERY: Duration = Duration::from_millis(500);

/// All that a driver knows of the world outside.
pub(crate) struct Switchboard {
    instance: InstanceId,
    status_interval: Duration,
    around: Arc<Surroundings>,
    tasks: Handle,
    broadcast: Broadcast,
    interfaces: Interfaces,
    peers: Peers,
    links: Links,
    /// Peers found by broadcast to which a connection is being opened.
    dialling: BTreeSet<PeerId>,
    dials: Dials,
    statics: Statics,
    foreign: Foreign,
    ours: OurQuestions,
    theirs: TheirQuestions,
    /// When static peers and interfaces are looked after next.
    routine_at: Instant,
    /// What the clock showed when they were last.
    clock: Timestamp,
    /// The user knows that the chain cannot be read.
    is_known_unreadable: bool,
    /// What the node is to hear next.
    inputs: VecDeque<Input>,
    /// What the user is to hear next.
    warnings: Vec<Event>,
}

impl Switchboard {
    /// A switchboard without links, whose tasks run on this runtime.
    pub(crate) fn new(
        instance: InstanceId,
        settings: &Settings,
        around: Arc<Surroundings>,
        broadcast: Broadcast,
        tasks: Handle,
    ) -> Self {
        let now = Instant::now();
        Self {
            instance,
            status_interval: settings.status_interval,
            around,
            tasks,
            broadcast,
            interfaces: Interfaces::read(now),
            peers: Peers::default(),
            links: Links::default(),
            dialling: BTreeSet::new(),
            dials: Dials::new(settings.status_interval),
            statics: Statics::new(&settings.peers, now),
            foreign: Foreign::default(),
            ours: OurQuestions::default(),
            theirs: TheirQuestions::default(),
            routine_at: now,
            clock: clock::now(),
            is_known_unreadable: false,
            inputs: VecDeque::new(),
            warnings: Vec::new(),
        }
    }

    /// What the node is to hear next, if there is something.
    pub(crate) fn next_input(&mut self) -> Option<Input> {
        self.inputs.pop_front()
    }

    /// What the user is to hear.
    pub(crate) fn take_warnings(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.warnings)
    }

    /// The number of links that stand.
    pub(crate) fn link_count(&self) -> usize {
        self.links.len()
    }

    /// The number of peers heard since the start.
    pub(crate) fn heard(&self) -> usize {
        self.peers.heard()
    }

    /// The number of static peers that a connection is being opened to, or will be now.
    pub(crate) fn connecting(&self) -> usize {
        self.statics.connecting(Instant::now())
    }

    /// Where a peer is, if it is still known.
    pub(crate) fn address(&self, peer: PeerId) -> Option<SocketAddr> {
        self.peers.get(peer).map(|peer| peer.address)
    }

    /// When [`Self::keep_time`] has something to do.
    pub(crate) fn deadline(&self) -> Instant {
        let question = self.ours.oldest_waiting().map(|asked| asked + QUESTION_STALL);
        question.map_or(self.routine_at, |question| question.min(self.routine_at))
    }

    /// Does what has come up by itself.
    pub(crate) fn keep_time(&mut self) {
        let now = Instant::now();
        let stalled = now.checked_sub(QUESTION_STALL);
        for question in stalled.map_or(Vec::new(), |time| self.ours.waiting_since(time)) {
            self.fail(question, Failure::Unreachable);
        }
        if now < self.routine_at {
            return;
        }
        self.routine_at = now + ROUTINE_EVERY;
        // The node's deadlines are times of the old clock: it must hear the new one, or it would
        // sleep until the clock has come up again.
        let before = std::mem::replace(&mut self.clock, clock::now());
        if self.clock < before {
            self.inputs.push_back(Input::Tick);
        }
        self.interfaces.refresh(now);
        for (place, name) in self.statics.due(now) {
            let around = Arc::clone(&self.around);
            self.tasks.spawn(dial(Place::Name(name), Goal::Static(place), around));
        }
    }

    /// The number of a peer, by its address as seen from here.
    fn peer_at(&mut self, address: SocketAddr, now: Instant) -> PeerId {
        let address = SocketAddr::new(self.interfaces.canonical(address.ip()), address.port());
        let (links, ours, dialling) = (&self.links, &self.ours, &self.dialling);
        let keep = |peer| links.reaches(peer) || ours.concern(peer) || dialling.contains(&peer);
        self.peers.at(address, now, keep)
    }

    /// Opens a connection to a peer found by broadcast, if the limits allow it. Returns whether
    /// one is on its way.
    fn dial(&mut self, peer: PeerId, now: Instant) -> bool {
        if self.dialling.contains(&peer) {
            return true;
        }
        let Some(known) = self.peers.get(peer) else { return false };
        let address = known.address;
        if !known.has_server || known.is_shunned(now) || !self.dials.allow(address, now) {
            return false;
        }
        self.dialling.insert(peer);
        let around = Arc::clone(&self.around);
        self.tasks.spawn(dial(Place::Address(address), Goal::Found(peer), around));
        true
    }

    /// Whether there is a place for one more link to a peer found by broadcast.
    fn has_place(&self) -> bool {
        self.links.found() + self.dialling.len() < MAX_OUTBOUND_LINKS
    }

    /// Takes out a link. Its questions go to another link of the same peer, if there is one, unless
    /// the other side is to blame.
    fn lose(&mut self, link: LinkId, to_blame: bool) {
        let now = Instant::now();
        let Some(entry) = self.links.remove(link) else { return };
        let peer = entry.peer;
        self.theirs.forget(link);
        for question in self.ours.on_link(link) {
            if to_blame || !self.ask_again(question) {
                self.fail(question, Failure::Unreachable);
            }
        }
        if !self.links.reaches(peer) {
            self.statics.lost(peer, now);
            self.inputs.push_back(Input::LinkDown { peer });
        }
        if to_blame {
            self.blame(peer, now);
        }
    }

    /// Leaves a peer alone for a while because of what it did. Who opened a link to us may have
    /// named any port of its address as its own: the peer that is there is not to suffer for it, so
    /// the next one there is another peer, of which nothing is held to be known.
    fn blame(&mut self, peer: PeerId, now: Instant) {
        if self.peers.get(peer).is_some_and(|peer| peer.is_reached) {
            self.peers.note(peer, |peer| peer.shun(now));
        } else if !self.links.reaches(peer) && !self.dialling.contains(&peer) {
            self.peers.forget(peer);
        }
    }

    fn ask_again(&mut self, question: QuestionId) -> bool {
        let Some(mut ask) = self.ours.close(question) else { return false };
        let link = self.links.best(ask.peer);
        ask.link = link;
        let (request, deadline) = (ask.request.clone(), ask.asked + QUESTION_TIMEOUT);
        self.ours.open(question, ask);
        let command = Command::Ask { question, request, deadline };
        link.is_some_and(|link| self.links.order(link, command))
    }

    /// Fails a question, unless it is closed already.
    fn fail(&mut self, question: QuestionId, failure: Failure) {
        if self.ours.close(question).is_some() {
            self.inputs.push_back(Input::Failed { question, failure });
        }
    }
}
