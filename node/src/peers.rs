//! [`Peers`]: what each peer said, whether a link to it stands, and how well it answers.

use std::collections::BTreeMap;
use std::time::Duration;

use cairn_protocol::messages::{InstanceId, Status};
use cairn_protocol::{BlockHash, BlockRef, Height, Timestamp, Work};

use crate::input::PeerId;
use crate::time::Moment;

/// The most peers remembered. Beyond it, the one without a link that was silent for longest is
/// forgotten.
pub(crate) const MAX_PEERS: usize = 1_024;
/// A peer without a link that was silent for so many status intervals is forgotten.
pub(crate) const SILENT_INTERVALS: u32 = 10;

/// After so many failures in a row a peer is not asked for a while.
const MANY_FAILURES: u32 = 3;
/// The first such while; each further failure doubles it.
const FIRST_REST: Duration = Duration::from_secs(10);
/// The longest such while.
const LONGEST_REST: Duration = Duration::from_secs(5 * 60);
/// A peer that had nothing of what we asked for is not asked for blocks again for so long, unless
/// it announces another tip.
const EMPTY_HANDED: Duration = Duration::from_secs(10);

/// What is known of a peer.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) status: Status,
    pub(crate) linked: bool,
    /// How far the peer's clock was ahead of ours when it last said so, in milliseconds.
    pub(crate) clock_ahead: i64,
    /// How far the download of its headers has come.
    pub(crate) progress: Progress,
    heard: Moment,
    /// The announced tip after which we asked to the end. It is not asked after again, whether
    /// the headers came or the claim was a lie.
    answered: Option<BlockHash>,
    /// Failed questions since the last that was of use.
    failures: u32,
    rest_until: Moment,
    empty_handed_until: Moment,
}

/// How far the download of a peer's headers has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing yet: ask after the last block in common.
    #[default]
    Start,
    /// A branch that so far shows no more work than our tip; nothing of it is stored.
    Measured {
        /// Its last header so far.
        last: BlockRef,
        /// All work up to there.
        work: Work,
    },
    /// Its branch has more work than our tip: what comes is stored.
    Storing {
        /// The last header stored.
        last: Option<BlockRef>,
        /// Up to this height it was measured, and is stored although it may show less work than
        /// our tip so far.
        measured: Height,
    },
}

impl Peer {
    fn new(status: Status) -> Self {
        Self {
            status,
            linked: false,
            clock_ahead: 0,
            progress: Progress::Start,
            heard: Moment::START,
            answered: None,
            failures: 0,
            rest_until: Moment::START,
            empty_handed_until: Moment::START,
        }
    }

    /// Whether it claims more than this work, and has not been asked after that claim.
    pub(crate) fn claims_more(&self, work: Work) -> bool {
        self.status.work > work && self.answered != Some(self.status.tip)
    }

    /// Whether it can be reached and answers, as far as we know.
    pub(crate) fn is_askable(&self, now: Moment) -> bool {
        let has_door = self.linked || self.status.blocks_port > 0;
        has_door && self.rest_until <= now
    }

    /// Whether it is worth asking for blocks.
    pub(crate) fn is_askable_for_blocks(&self, now: Moment) -> bool {
        self.is_askable(now) && self.empty_handed_until <= now
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// It was asked to the end about this announced tip.
    pub(crate) fn answered(&mut self, tip: BlockHash) {
        self.answered = Some(tip);
        self.progress = Progress::Start;
    }

    /// It gave something that we needed.
    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// It did not answer, or its answer was of no use.
    pub(crate) fn failed(&mut self, now: Moment) {
        self.failures = self.failures.saturating_add(1);
        if let Some(doublings) = self.failures.checked_sub(MANY_FAILURES) {
            let rest = FIRST_REST * (1 << doublings.min(8));
            self.rest_until = now.after(rest.min(LONGEST_REST));
        }
    }

    /// It did what no honest peer does.
    pub(crate) fn misbehaved(&mut self, now: Moment) {
        self.failures = self.failures.max(MANY_FAILURES - 1);
        self.progress = Progress::Start;
        self.failed(now);
    }

    /// It had none of the blocks that we asked for.
    pub(crate) fn was_empty_handed(&mut self, now: Moment) {
        self.empty_handed_until = now.after(EMPTY_HANDED);
    }
}

/// The peers that we heard, at most [`MAX_PEERS`].
#[derive(Debug, Default)]
pub(crate) struct Peers {
    by_id: BTreeMap<PeerId, Peer>,
    /// Nobody will have been silent for too long before this, so nobody is looked through.
    next_sweep: Moment,
}

impl Peers {
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(crate) fn links(&self) -> usize {
        self.by_id.values().filter(|peer| peer.linked).count()
    }

    pub(crate) fn get(&self, id: PeerId) -> Option<&Peer> {
        self.by_id.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: PeerId) -> Option<&mut Peer> {
        self.by_id.get_mut(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (PeerId, &Peer)> {
        self.by_id.iter().map(|(id, peer)| (*id, peer))
    }

    /// Notes what a peer says of itself.
    pub(crate) fn hear(&mut self, id: PeerId, status: Status, wall: Timestamp, now: Moment) {
        if !self.by_id.contains_key(&id) && self.by_id.len() >= MAX_PEERS {
            self.forget_most_silent();
        }
        let peer = self.by_id.entry(id).or_insert_with(|| Peer::new(status));
        if peer.status.tip != status.tip {
            peer.empty_handed_until = Moment::START;
        }
        peer.status = status;
        peer.clock_ahead = status.clock.millis_since(wall);
        peer.heard = now;
    }

    /// Notes whether a link to a peer stands; false if the peer is not known.
    pub(crate) fn set_linked(&mut self, id: PeerId, linked: bool) -> bool {
        let known = self.by_id.get_mut(&id);
        let is_known = known.is_some();
        if let Some(peer) = known {
            peer.linked = linked;
            // Without a link, it may have been silent for too long already.
            self.next_sweep = Moment::START;
        }
        is_known
    }

    /// Forgets the peers without a link that have been silent for too long.
    pub(crate) fn forget_silent(&mut self, now: Moment, status_interval: Duration) {
        if now < self.next_sweep {
            return;
        }
        let most = status_interval * SILENT_INTERVALS;
        self.by_id.retain(|_, peer| peer.linked || now.since(peer.heard) < most);
        let silent = self.by_id.values().filter(|peer| !peer.linked).map(|peer| peer.heard);
        self.next_sweep = silent.min().unwrap_or(now).after(most);
    }

    /// When peers may have been silent for too long.
    pub(crate) fn next_sweep(&self) -> Moment {
        self.next_sweep
    }

    /// When the next peer that rests may be asked again.
    pub(crate) fn next_askable(&self, now: Moment) -> Option<Moment> {
        let ends = self.by_id.values().flat_map(|peer| [peer.rest_until, peer.empty_handed_until]);
        ends.filter(|end| *end > now).min()
    }

    /// How far the clock of each node is ahead of ours, in milliseconds; of those with a link only,
    /// if that is wanted. A node that is heard as several peers counts once.
    pub(crate) fn clocks(&self, with_link: bool) -> Vec<i64> {
        let peers = self.by_id.values().filter(|peer| peer.linked || !with_link);
        let of_nodes: BTreeMap<InstanceId, i64> =
            peers.map(|peer| (peer.status.instance, peer.clock_ahead)).collect();
        of_nodes.into_values().collect()
    }

    fn forget_most_silent(&mut self) {
        let silent = self.by_id.iter().min_by_key(|(id, peer)| (peer.linked, peer.heard, **id));
        if let Some(id) = silent.map(|(id, _)| *id) {
            self.by_id.remove(&id);
        }
    }
}
