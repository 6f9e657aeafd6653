//! What the node wants, done.

use cairn_node::{Failure, Origin, PeerId, QuestionId};
use cairn_protocol::Transaction;
use cairn_protocol::messages::{Announcement, Answer, Message, Request, RequestId, Status, frame};
use tokio::time::Instant;

use super::Switchboard;
use crate::asks::Ask;
use crate::frames::Frame;
use crate::inbox::{Command, LinkId};
use crate::links::Entry;
use crate::running::Delivered;

impl Switchboard {
    /// Tells all how we stand, by broadcast and on every link.
    pub(crate) fn broadcast_status(&mut self, status: Status) {
        self.broadcast.say(Announcement::Status(status), &self.interfaces);
        self.send(&frame(&Message::Status(status)).into(), |_, _| true);
    }

    /// Asks all how they stand.
    pub(crate) fn solicit(&mut self) {
        self.broadcast.say(Announcement::solicit(self.instance), &self.interfaces);
    }

    /// Passes a transaction on, to all but the way by which it came. Whoever is heard by broadcast
    /// hears it there and not once more on a link, unless it is ours.
    pub(crate) fn relay(&mut self, origin: Origin, transaction: Transaction) -> Delivered {
        let mut broadcast = false;
        let frame: Frame = frame(&Message::Transaction(transaction.clone())).into();
        if origin != Origin::Broadcast {
            // Ours comes back by broadcast as anybody's does.
            self.around.intake.remember(&transaction);
            let announcement = Announcement::Transaction(transaction);
            broadcast = self.broadcast.say(announcement, &self.interfaces);
        }
        let links = self.send(&frame, |board, entry| match origin {
            Origin::Own => true,
            Origin::Broadcast => board.needs_links(entry.peer),
            Origin::Link(from) => entry.peer != from && board.needs_links(entry.peer),
        });
        Delivered { links, broadcast }
    }

    /// Whether a peer hears us by links only, as far as we know: it was never heard by broadcast,
    /// or the user named it, and then a forged status must not make us silent.
    fn needs_links(&self, peer: PeerId) -> bool {
        let by_broadcast = self.peers.get(peer).is_some_and(|peer| peer.by_broadcast);
        !by_broadcast || self.statics.contain(peer)
    }

    /// Asks a peer, by a link that is opened if none stands. Where the limits do not allow a new
    /// connection now, the question waits for a link as long as any question waits for progress:
    /// a failure at once would only be asked again at once.
    pub(crate) fn ask(&mut self, question: QuestionId, peer: PeerId, request: Request) {
        let now = Instant::now();
        self.ours.open(question, Ask { peer, request, asked: now, link: None });
        let may_be_reached = if self.links.reaches(peer) {
            self.ask_again(question)
        } else {
            self.reach(peer, now);
            self.peers.get(peer).is_some_and(|peer| peer.has_server && !peer.is_shunned(now))
        };
        if !may_be_reached {
            self.fail(question, Failure::Unreachable);
        }
    }

    /// Opens a connection for a question. If all places are taken, the least useful link goes:
    /// links that do nothing must not keep us from a peer with a better chain.
    fn reach(&mut self, peer: PeerId, now: Instant) {
        if self.dialling.contains(&peer) {
            return;
        }
        if self.has_place() {
            self.dial(peer, now);
        } else if let Some(spare) = self.spare_link()
            && self.dial(peer, now)
        {
            self.lose(spare, false);
        }
    }

    fn spare_link(&self) -> Option<LinkId> {
        self.links.least_useful(|link| !self.ours.on_link(link).is_empty())
    }

    /// Answers a question that the node was asked.
    pub(crate) fn answer(&mut self, request: RequestId, answer: Answer) {
        let Some((link, request)) = self.theirs.close(request) else { return };
        if !self.links.order(link, Command::Answer { request, answer }) {
            self.lose(link, false);
        }
    }

    /// Cuts a peer off because of what it did.
    pub(crate) fn cut(&mut self, peer: PeerId, reason: &str) {
        if let Some(address) = self.address(peer) {
            tracing::info!("cutting off {address}: {reason}");
        }
        let links: Vec<_> = self.links.of_peer(peer).map(|(id, _)| id).collect();
        for link in links {
            self.lose(link, true);
        }
        self.blame(peer, Instant::now());
    }

    /// Sends a frame by the links that `choose` names; those that cannot take it are lost. Returns
    /// how many took it.
    fn send(&mut self, frame: &Frame, choose: impl Fn(&Self, &Entry) -> bool) -> usize {
        let (taken, refused) = self.links.send(frame, |entry| choose(self, entry));
        for link in refused {
            tracing::debug!("{link:?} takes no more");
            self.lose(link, false);
        }
        taken.len()
    }
}
