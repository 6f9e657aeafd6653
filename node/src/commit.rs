//! Blocks of a first download share a commit; at the tip each has its own.
//!
//! What is connected and not committed is on nobody's disk: it is not announced, no event tells of
//! it, and the mempool is not brought in line with it.

use std::time::Duration;

use cairn_ledger::LedgerError;
use cairn_protocol::{BlockRef, VerifiedBlock};

use crate::input::PeerId;
use crate::node::Node;
use crate::time::Moment;

/// The longest that a connected block waits for its commit: what a kill makes us download again, and
/// how far behind readers are.
const PATIENCE: Duration = Duration::from_secs(1);

/// Blocks that were connected and are not committed.
#[derive(Debug)]
pub(crate) struct Uncommitted {
    since: Moment,
    /// The last of them that became the tip.
    tip: Option<Adopted>,
}

/// A block of somebody else that is the tip.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adopted {
    pub(crate) block: BlockRef,
    /// How many transactions it has, its reward included.
    pub(crate) transactions: usize,
    pub(crate) from: PeerId,
}

impl Node {
    /// Notes that these blocks were connected.
    pub(crate) fn note_uncommitted(&mut self, blocks: &[VerifiedBlock], givers: &[PeerId]) {
        let tip = self.ledger.tip().block;
        let at_tip = blocks.iter().zip(givers).find(|(block, _)| block.block_ref() == tip);
        let adopted = at_tip.map(|(block, from)| Adopted {
            block: tip,
            transactions: block.transaction_count(),
            from: *from,
        });
        let earlier = self.uncommitted.take();
        let since = earlier.as_ref().map_or(self.clock.own(), |earlier| earlier.since);
        let tip = adopted.or(earlier.and_then(|earlier| earlier.tip));
        self.uncommitted = Some(Uncommitted { since, tip });
    }

    /// Commits what waits for it, unless more is about to come.
    pub(crate) fn commit_if_due(&mut self) -> Result<(), LedgerError> {
        let Some(uncommitted) = &self.uncommitted else {
            return Ok(());
        };
        let waited = self.clock.own().since(uncommitted.since) >= PATIENCE;
        if !waited && !self.ledger.is_commit_due() && self.window.len() > 0 {
            return Ok(());
        }
        let tip = uncommitted.tip;
        self.uncommitted = None;
        match self.ledger.commit()? {
            Some(change) => self.adopted(&change, tip),
            None => Ok(()),
        }
    }

    /// When what waits for its commit has waited enough.
    pub(crate) fn commit_deadline(&self) -> Option<Moment> {
        self.uncommitted.as_ref().map(|uncommitted| uncommitted.since.after(PATIENCE))
    }
}
