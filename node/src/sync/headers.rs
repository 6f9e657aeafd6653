//! Headers first: who is asked for them, and what becomes of the answers.
//!
//! A status proves nothing. A peer that claims more work than we know is asked for the headers
//! after the last block in common, page by page; a peer that does not come up to its claim is not
//! asked again until it announces another tip.
//!
//! A branch is only stored once it shows more work than our tip. Until then its pages are measured
//! and let go, so that a flood of cheap headers costs us no memory and no disk; a branch that
//! turns out to be heavier is then asked for again, to be kept.

use std::collections::BTreeMap;
use std::time::Duration;

use cairn_ledger::{ContextError, LedgerError};
use cairn_protocol::limits::MAX_HEADERS;
use cairn_protocol::messages::Request;
use cairn_protocol::{BlockHash, BlockRef, Bounded, Height, ProvenHeader, Work};

use crate::event::Event;
use crate::input::PeerId;
use crate::node::Node;
use crate::peers::Progress;
use crate::questions::Topic;
use crate::time::Moment;

/// One peer at a time is asked for headers; another besides when it has kept us waiting for this
/// long.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most peers that are asked for headers at a time.
const MAX_ASKED: usize = 8;

impl Node {
    /// Asks the best peer that claims more work than we know for headers, unless another one is about to answer.
    pub(crate) fn ask_for_headers(&mut self) -> Result<(), LedgerError> {
        let asked: BTreeMap<PeerId, Moment> = self.questions.headers().collect();
        let now = self.clock.own();
        let waits = asked.values().any(|asked| now.since(*asked) < PATIENCE);
        if waits || asked.len() >= MAX_ASKED || !self.questions.has_room() {
            return Ok(());
        }
        let Some((peer, tip, progress)) = self.best_claim(&asked) else {
            return Ok(());
        };
        let head = match progress {
            Progress::Start => None,
            Progress::Measured { last, .. } => Some(last),
            Progress::Storing { last, .. } => last,
        };
        let locator = head.into_iter().chain(self.ledger.locator()?.into_vec());
        self.ask(peer, Topic::Headers(tip), Request::Headers(Bounded::first(locator)));
        Ok(())
    }

    /// When the next peer is asked because another one keeps us waiting.
    pub(crate) fn headers_deadline(&self) -> Option<Moment> {
        let asked: BTreeMap<PeerId, Moment> = self.questions.headers().collect();
        let last = asked.values().max().map(|asked| asked.after(PATIENCE))?;
        self.best_claim(&asked).map(|_| last)
    }

    /// Whether a headers question is in flight that may soon be answered.
    pub(crate) fn awaits_headers(&self) -> bool {
        let now = self.clock.own();
        self.questions.headers().any(|(_, asked)| now.since(asked) < PATIENCE)
    }

    /// Of the peers that answer and were not asked yet, and that claim more work than we know of,
    /// the first to ask: one with a link, since a datagram is easily forged; the most reliable; the
    /// one known for longest. How much they claim does not count: liars would claim the most, and
    /// with ever new names they would always be asked first.
    fn best_claim(
        &self,
        asked: &BTreeMap<PeerId, Moment>,
    ) -> Option<(PeerId, BlockHash, Progress)> {
        let now = self.clock.own();
        let work = self.work_in_reach();
        let claims = self.peers.iter().filter(|(id, peer)| {
            !asked.contains_key(id) && peer.is_askable(now) && peer.claims_more(work)
        });
        claims
            .min_by_key(|(id, peer)| (!peer.linked, peer.failures(), *id))
            .map(|(id, peer)| (id, peer.status.tip, peer.progress))
    }

    /// Takes a page of headers from a peer that was asked when it had announced `tip`.
    pub(crate) fn on_headers(
        &mut self,
        peer: PeerId,
        tip: BlockHash,
        headers: &[ProvenHeader],
    ) -> Result<(), LedgerError> {
        let Some(page) = Page::of(headers) else {
            self.end_claim(peer, tip);
            return Ok(());
        };
        if !headers.is_sorted_by(|parent, child| child.header().parent_ref() == parent.block_ref())
        {
            self.drop_peer(peer, "its headers are not each other's children");
            return Ok(());
        }
        let progress = self.peers.get(peer).map(|peer| peer.progress).unwrap_or_default();
        let Some(before) = self.work_up_to(page.parent, progress)? else {
            self.drop_peer(peer, "its headers start from a block that we did not name");
            return Ok(());
        };
        if progress.reached().is_some_and(|reached| page.last.height <= reached) {
            // An honest peer goes on from where it stopped.
            self.end_claim(peer, tip);
            return Ok(());
        }
        let work = before.plus(page.work);
        match self.worth_of(&page, work, progress) {
            Worth::Stored => self.store_headers(peer, tip, headers, work)?,
            Worth::Measured(progress) => self.set_progress(peer, progress),
            Worth::Nothing => self.end_claim(peer, tip),
        }
        Ok(())
    }

    /// What becomes of a page up to which its branch has so much work.
    fn worth_of(&self, page: &Page, work: Work, progress: Progress) -> Worth {
        let is_heavy = work > self.ledger.tip().work;
        let measured = page.last.height;
        match progress {
            Progress::Measured { .. } if is_heavy => {
                Worth::Measured(Progress::Storing { last: None, measured })
            }
            Progress::Storing { measured, .. } if page.last.height <= measured => Worth::Stored,
            _ if is_heavy => Worth::Stored,
            _ if page.is_full => Worth::Measured(Progress::Measured { last: page.last, work }),
            _ => Worth::Nothing,
        }
    }

    /// All work up to a block that a page starts from; `None` if we do not know it.
    fn work_up_to(
        &self,
        parent: BlockRef,
        progress: Progress,
    ) -> Result<Option<Work>, LedgerError> {
        match progress {
            Progress::Measured { last, work } if last == parent => Ok(Some(work)),
            _ => self.ledger.header_work(parent),
        }
    }

    fn store_headers(
        &mut self,
        peer: PeerId,
        tip: BlockHash,
        headers: &[ProvenHeader],
        work: Work,
    ) -> Result<(), LedgerError> {
        let added = self.ledger.add_headers(headers, self.clock.wall())?;
        self.reach.look_again();
        self.look_for_missing()?;
        let reached = self.work_in_reach();
        let Some(known) = self.peers.get_mut(peer) else {
            return Ok(());
        };
        if added.new > 0 {
            known.succeeded();
        }
        match added.refused {
            None if headers.len() >= MAX_HEADERS && known.status.work > reached => {
                let last = headers.last().map(ProvenHeader::block_ref);
                let measured = known.progress.measured();
                known.progress = Progress::Storing { last, measured };
            }
            None => self.end_claim(peer, tip),
            Some((index, ContextError::TimeInFuture(_))) => {
                known.answered(tip);
                self.defer(&headers[index..], work);
            }
            Some((index, error)) => self.refuse_branch(peer, headers[index].block_ref(), error),
        }
        Ok(())
    }

    /// The peer follows a chain that breaks a rule.
    fn refuse_branch(&mut self, peer: PeerId, block: BlockRef, error: ContextError) {
        let rule = error.rule();
        let message = format!("a peer follows an invalid chain: block {block}: {error} ({rule})");
        self.drop_peer(peer, &message);
        self.tell(Event::Warning { code: "invalid_chain", message });
    }

    /// The peer has given all headers that it has for a tip that it had announced.
    fn end_claim(&mut self, peer: PeerId, tip: BlockHash) {
        let (best, now) = (self.ledger.best_header().work, self.clock.own());
        let Some(peer) = self.peers.get_mut(peer) else {
            return;
        };
        if peer.status.tip == tip && peer.status.work > best {
            // It claimed more than it could show.
            peer.failed(now);
        }
        peer.answered(tip);
    }

    pub(crate) fn set_progress(&mut self, peer: PeerId, progress: Progress) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.progress = progress;
        }
    }
}

/// What a page of headers shows by itself.
struct Page {
    /// The block that it starts from.
    parent: BlockRef,
    last: BlockRef,
    /// The work of its headers.
    work: Work,
    /// Whether more may follow.
    is_full: bool,
}

/// What becomes of a page of headers.
enum Worth {
    /// It is part of a branch with more work than ours.
    Stored,
    /// Its branch may still come to that: only how far it has come is noted.
    Measured(Progress),
    /// Its branch ends with less.
    Nothing,
}

impl Page {
    fn of(headers: &[ProvenHeader]) -> Option<Self> {
        Some(Self {
            parent: headers.first()?.header().parent_ref(),
            last: headers.last()?.block_ref(),
            work: headers.iter().map(ProvenHeader::work).sum(),
            is_full: headers.len() >= MAX_HEADERS,
        })
    }
}

impl Progress {
    /// The height of the last header that came; `None` before the first page.
    fn reached(self) -> Option<Height> {
        match self {
            Self::Start => None,
            Self::Measured { last, .. } => Some(last.height),
            Self::Storing { last, .. } => last.map(|last| last.height),
        }
    }

    /// Up to where the branch was measured and found to be worth storing.
    fn measured(self) -> Height {
        match self {
            Self::Storing { measured, .. } => measured,
            Self::Start | Self::Measured { .. } => Height::GENESIS,
        }
    }
}
