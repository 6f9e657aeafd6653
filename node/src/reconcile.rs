//! On a new link the mempools are reconciled: we ask for the ids that wait over there, page by
//! page, and then for the transactions that we lack. The other side does the same.
//!
//! It is done again each [`AGAIN_AFTER`]. A payment is passed on once only, and whoever could not
//! take it just then (he was a block behind, or did not answer in time) would wait for it in vain
//! where its owner is more than one link away.
//!
//! It starts once we have caught up, since before that we would refuse payments of accounts that
//! we do not know of yet. Ids are in no useful order, and of an account's payments only a few may
//! come before their turn: a round that had to refuse some of those, but admitted others, is
//! followed by another one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use cairn_ledger::LedgerError;
use cairn_protocol::limits::{MAX_IDS, MAX_TRANSACTIONS};
use cairn_protocol::messages::Request;
use cairn_protocol::{Bounded, TransactionId, VerifiedTransaction};

use crate::input::{Origin, PeerId};
use crate::mempool::MempoolError;
use crate::node::Node;
use crate::peers::MAX_PEERS;
use crate::questions::Topic;
use crate::time::Moment;

/// With how many peers we reconcile at a time. Each may make us hold a page of [`MAX_IDS`] ids.
pub(crate) const MAX_RECONCILING: usize = 4;
/// How often the mempool is reconciled with all linked peers.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// With whom the mempool is reconciled, and how far that has come.
#[derive(Debug, Default)]
pub(crate) struct Reconciliation {
    /// Peers whose turn comes later, at most [`MAX_PEERS`].
    waiting: BTreeSet<PeerId>,
    /// At most [`MAX_RECONCILING`].
    active: BTreeMap<PeerId, Progress>,
    /// When it is done again with all.
    again_at: Moment,
}

/// How far the reconciliation with a peer has come.
#[derive(Debug, Default)]
struct Progress {
    /// The last id that it named.
    cursor: Option<TransactionId>,
    /// How many it named.
    named: usize,
    /// It has named all.
    is_complete: bool,
    /// The ids of the last page that we lack and have not asked for.
    lacking: VecDeque<TransactionId>,
    /// A question is in flight.
    is_asked: bool,
    /// How many payments were admitted this round.
    admitted: usize,
    /// How many came too long before their turn this round.
    early: usize,
}

impl Reconciliation {
    /// A link to this peer stands.
    pub(crate) fn add(&mut self, peer: PeerId) {
        if self.waiting.len() < MAX_PEERS && !self.active.contains_key(&peer) {
            self.waiting.insert(peer);
        }
    }

    /// The link to this peer is gone, or it does not answer.
    pub(crate) fn remove(&mut self, peer: PeerId) {
        self.waiting.remove(&peer);
        self.active.remove(&peer);
    }

    /// When it is done again with all linked peers.
    pub(crate) fn again_at(&self) -> Moment {
        self.again_at
    }

    fn start_next(&mut self) {
        while self.active.len() < MAX_RECONCILING
            && let Some(peer) = self.waiting.pop_first()
        {
            self.active.insert(peer, Progress::default());
        }
    }

    /// Those whom we may ask on.
    fn idle(&self) -> Vec<PeerId> {
        let idle = self.active.iter().filter(|(_, progress)| !progress.is_asked);
        idle.map(|(peer, _)| *peer).collect()
    }
}

impl Node {
    /// Goes on with every reconciliation whose last question is answered.
    pub(crate) fn reconcile(&mut self) {
        if self.is_catching_up() || self.awaits_headers() {
            return;
        }
        let now = self.clock.own();
        if self.reconciliation.again_at <= now {
            self.reconciliation.again_at = now.after(AGAIN_AFTER);
            for (peer, _) in self.peers.iter().filter(|(_, peer)| peer.linked) {
                self.reconciliation.add(peer);
            }
        }
        self.reconciliation.start_next();
        for peer in self.reconciliation.idle() {
            self.reconcile_on(peer);
        }
    }

    fn reconcile_on(&mut self, peer: PeerId) {
        if !self.questions.has_room() {
            return;
        }
        let Some(progress) = self.reconciliation.active.get_mut(&peer) else {
            return;
        };
        let most = progress.lacking.len().min(MAX_TRANSACTIONS);
        let ids: BTreeSet<_> = progress.lacking.drain(..most).collect();
        let (topic, request) = if !ids.is_empty() {
            let request = Request::Transactions(Bounded::first(ids.iter().copied()));
            (Topic::Transactions(ids), request)
        } else if !progress.is_complete {
            (Topic::MempoolIds(progress.cursor), Request::MempoolIds(progress.cursor))
        } else if progress.admitted > 0 && progress.early > 0 {
            *progress = Progress::default();
            (Topic::MempoolIds(None), Request::MempoolIds(None))
        } else {
            self.reconciliation.active.remove(&peer);
            return;
        };
        progress.is_asked = true;
        self.ask(peer, topic, request);
    }

    /// Takes a page of the ids that wait at a peer, after this one.
    pub(crate) fn on_mempool_ids(
        &mut self,
        peer: PeerId,
        after: Option<TransactionId>,
        ids: &[TransactionId],
    ) {
        let is_ascending = ids.is_sorted_by(|a, b| a < b) && ids.first().copied() > after;
        if !is_ascending && !ids.is_empty() {
            self.drop_peer(peer, "the ids of its mempool are not in ascending order");
            return;
        }
        let Some(progress) = self.reconciliation.active.get_mut(&peer) else {
            return;
        };
        progress.is_asked = false;
        progress.cursor = ids.last().copied();
        progress.named += ids.len();
        // Nobody has more than fits here, or it is not worth having.
        let is_enough = progress.named >= self.settings.mempool.max_payments;
        progress.is_complete = ids.len() < MAX_IDS || is_enough;
        let lacking = ids.iter().filter(|id| !self.mempool.contains(id));
        progress.lacking = lacking.copied().collect();
    }

    /// Takes the transactions that a peer gave for a question.
    pub(crate) fn on_transactions(
        &mut self,
        peer: PeerId,
        asked: &BTreeSet<TransactionId>,
        transactions: Vec<VerifiedTransaction>,
    ) -> Result<(), LedgerError> {
        if transactions.iter().any(|transaction| !asked.contains(&transaction.id())) {
            self.drop_peer(peer, "it sent a transaction that it was not asked for");
            return Ok(());
        }
        let (mut admitted, mut early) = (0, 0);
        for transaction in in_order_of_sequences(transactions) {
            match self.on_transaction(Origin::Link(peer), transaction)? {
                Ok(()) => admitted += 1,
                Err(MempoolError::TooFarAhead { .. }) => early += 1,
                Err(_) => {}
            }
        }
        if let Some(progress) = self.reconciliation.active.get_mut(&peer) {
            progress.is_asked = false;
            progress.admitted += admitted;
            progress.early += early;
        }
        Ok(())
    }
}

/// So that of those that came together, as few as possible come before their turn.
fn in_order_of_sequences(mut transactions: Vec<VerifiedTransaction>) -> Vec<VerifiedTransaction> {
    transactions.sort_by_key(|transaction| transaction.payment().sequence);
    transactions
}
