//! What happens outside, turned into the node's inputs.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use cairn_node::{Event, Failure, Input, PeerId, QuestionId, Verified};
use cairn_protocol::NetworkId;
use cairn_protocol::messages::{HelloError, InstanceId, Request, RequestId, Status};
use tokio::time::Instant;

use super::Switchboard;
use crate::connect::probe;
use crate::inbox::{DialFailure, Goal, Incoming, LinkId, NewLink, Opened};
use crate::limits::MIN_PEER_PORT;
use crate::link::LinkEnd;
use crate::links::{Admission, Entry};
use crate::server::ServeError;

impl Switchboard {
    /// Takes note of what happened.
    pub(crate) fn receive(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Heard { address, status } => self.hear(address, status),
            Incoming::Solicited => self.inputs.push_back(Input::Solicited),
            Incoming::Foreign { address, network } => self.hear_foreign(address, network),
            Incoming::Transaction { origin, transaction } => {
                self.inputs.push_back(Input::Transaction { origin, transaction });
            }
            Incoming::BadTransaction { peer, error } => {
                self.cut(peer, &format!("a transaction of it is not valid: {error}"));
            }
            Incoming::LinkUp(link) => self.link_up(link),
            Incoming::LinkStatus { link, status } => {
                if let Some(peer) = self.links.peer(link) {
                    self.inputs.push_back(Input::Status { peer, status });
                }
            }
            Incoming::Asked { link, request, question } => self.asked(link, request, question),
            Incoming::Answered { link, question, answer } => self.answered(link, question, answer),
            Incoming::Failed { link, question, failure } => {
                if self.ours.close_on(question, link) {
                    self.inputs.push_back(Input::Failed { question, failure });
                }
            }
            Incoming::LinkDown { link, end } => self.link_down(link, &end),
            Incoming::Refused { address, network, error } => {
                self.refused(address, network, &error);
            }
            Incoming::NotReached { goal, failure } => self.not_reached(goal, &failure),
        }
    }

    /// A status by broadcast. While a link to the peer stands it is not listened to: the link says
    /// the same, and nobody can forge it.
    fn hear(&mut self, address: SocketAddr, status: Status) {
        let now = Instant::now();
        let peer = self.peer_at(address, now);
        // Perhaps a link once came from this port, of a node without a server.
        self.peers.note(peer, |peer| (peer.by_broadcast, peer.has_server) = (true, true));
        let Some(known) = self.peers.get(peer) else { return };
        // Both sides hear of each other at about the same time. The smaller instance connects at
        // once, the other one only if that does not come about.
        let patience = self.status_interval / 2;
        let is_our_turn = self.instance < status.instance || known.known_for(now) >= patience;
        if known.is_shunned(now) || self.links.reaches(peer) {
            return;
        }
        self.inputs.push_back(Input::Status { peer, status });
        if is_our_turn && self.has_place() {
            self.dial(peer, now);
        }
    }

    fn hear_foreign(&mut self, address: SocketAddr, network: NetworkId) {
        let now = Instant::now();
        let ip = self.interfaces.canonical(address.ip());
        let address = SocketAddr::new(ip, address.port());
        if self.foreign.may_ask(ip, network, now) && self.dials.allow(address, now) {
            self.foreign.note_asked(ip, network, now);
            self.tasks.spawn(probe(address, Arc::clone(&self.around)));
        }
    }

    fn refused(&mut self, address: IpAddr, network: NetworkId, error: &HelloError) {
        let address = self.interfaces.canonical(address);
        let warning = self.foreign.warning(address, network, error, Instant::now());
        self.warnings.extend(warning);
    }

    fn link_up(&mut self, link: NewLink) {
        let now = Instant::now();
        let NewLink { opened, remote, status, commands, welcome } = link;
        let mut peer = self.peer_of(opened, remote, &status, now);
        if let Opened::ByUs(goal) = opened {
            peer = self.take_place(peer, status.instance, now);
            if let Goal::Static(place) = goal {
                self.statics.linked(place, peer, now);
            }
        }
        let is_first = !self.links.reaches(peer);
        let entry = Entry { peer, opened, instance: status.instance, commands, useful_at: now };
        let Admission::Stands { id, rival } = self.links.admit(entry, self.instance) else {
            self.ask_waiting(peer);
            return;
        };
        tracing::info!("link to {remote} (instance {})", status.instance);
        self.peers.note(peer, |peer| peer.is_reached = matches!(opened, Opened::ByUs(_)));
        // The task is gone only if the node is stopping.
        let _ = welcome.send((id, peer));
        if let Some(rival) = rival {
            self.lose(rival, false);
        }
        self.inputs.push_back(if is_first {
            Input::LinkUp { peer, status }
        } else {
            Input::Status { peer, status }
        });
        self.ask_waiting(peer);
    }

    /// Who is at the other end of a new link. A peer that opened it is known by where it says that
    /// its block server is: there, it would be heard and asked. If a link to another node at that
    /// place stands, it is known by its end of the connection instead.
    fn peer_of(
        &mut self,
        opened: Opened,
        remote: SocketAddr,
        status: &Status,
        now: Instant,
    ) -> PeerId {
        match opened {
            Opened::ByUs(Goal::Found(peer)) => {
                self.dialling.remove(&peer);
                peer
            }
            Opened::ByUs(Goal::Static(_)) => self.peer_at(remote, now),
            Opened::ByThem => {
                let has_server = status.blocks_port >= MIN_PEER_PORT;
                let port = if has_server { status.blocks_port } else { remote.port() };
                let claimed = self.peer_at(SocketAddr::new(remote.ip(), port), now);
                let is_taken = self.others_at(claimed, status.instance).next().is_some();
                let has_server = has_server && !is_taken;
                let peer = if is_taken { self.peer_at(remote, now) } else { claimed };
                self.peers.note(peer, |peer| peer.has_server = has_server);
                peer
            }
        }
    }

    /// The links to a peer by which another node than this one speaks.
    fn others_at(&self, peer: PeerId, instance: InstanceId) -> impl Iterator<Item = LinkId> {
        let others = self.links.of_peer(peer).filter(move |(_, link)| link.instance != instance);
        others.map(|(id, _)| id)
    }

    /// We have reached this node at the peer's address: whoever named that address as its own on a
    /// link that it opened is not there. Returns the peer that is; what an impostor did before is
    /// not held against it.
    fn take_place(&mut self, peer: PeerId, instance: InstanceId, now: Instant) -> PeerId {
        let impostors: Vec<_> = self.others_at(peer, instance).collect();
        let Some(address) = self.address(peer).filter(|_| !impostors.is_empty()) else {
            return peer;
        };
        for link in impostors {
            self.lose(link, false);
        }
        self.peers.forget(peer);
        self.peer_at(address, now)
    }

    /// Asks what waited for a connection to this peer.
    fn ask_waiting(&mut self, peer: PeerId) {
        for question in self.ours.waiting_for(peer) {
            if !self.ask_again(question) {
                self.fail(question, Failure::Unreachable);
            }
        }
    }

    fn asked(&mut self, link: LinkId, request: RequestId, question: Request) {
        if let Some(peer) = self.links.peer(link) {
            let request = self.theirs.open(link, request);
            self.inputs.push_back(Input::Asked { peer, request, question });
        }
    }

    fn answered(&mut self, link: LinkId, question: QuestionId, answer: Verified) {
        if self.ours.close_on(question, link) {
            self.links.was_useful(link, Instant::now());
            self.inputs.push_back(Input::Answered { question, answer });
        }
    }

    fn link_down(&mut self, link: LinkId, end: &LinkEnd) {
        if let Some(address) = self.links.peer(link).and_then(|peer| self.address(peer)) {
            tracing::info!("link to {address} ends: {end}");
        }
        if let LinkEnd::Serve(ServeError::Ledger(error)) = end
            && !std::mem::replace(&mut self.is_known_unreadable, true)
        {
            let message = format!("others' questions about the chain are not answered: {error}");
            self.warnings.push(Event::Warning { code: "chain_unreadable", message });
        }
        self.lose(link, end.is_misbehaviour());
    }

    fn not_reached(&mut self, goal: Goal, failure: &DialFailure) {
        match goal {
            Goal::Found(peer) => {
                tracing::debug!("peer {peer:?} is not reached: {failure}");
                self.dialling.remove(&peer);
                for question in self.ours.waiting_for(peer) {
                    self.fail(question, Failure::Unreachable);
                }
            }
            Goal::Static(place) => {
                let warning = self.statics.not_reached(place, failure, Instant::now());
                let warning =
                    warning.map(|message| Event::Warning { code: "peer_unreachable", message });
                self.warnings.extend(warning);
            }
        }
    }
}
