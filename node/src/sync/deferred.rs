//! [`Deferred`]: heavier branches that continue ahead of our clock. They are not invalid: their
//! time comes, or our clock is wrong.

use std::time::Duration;

use cairn_ledger::{ContextError, LedgerError};
use cairn_protocol::limits::MAX_FUTURE;
use cairn_protocol::{BlockHash, ProvenHeader, Timestamp, Work};

use crate::node::Node;
use crate::time::Moment;

/// The most headers that wait for our clock, of all branches together. The branch that waits for
/// longest gives way.
pub(crate) const MAX_DEFERRED: usize = 64;
/// How long a header waits at most.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// The headers of a branch from the first that is ahead of our clock.
#[derive(Clone, Debug)]
struct Branch {
    /// At least one.
    headers: Vec<ProvenHeader>,
    /// All work that the branch showed, those headers included that found no room here.
    work: Work,
    since: Moment,
}

impl Branch {
    fn root(&self) -> BlockHash {
        self.headers[0].hash()
    }

    fn time(&self) -> Timestamp {
        self.headers[0].header().time
    }

    /// When the rules let its first header in.
    fn due(&self) -> Timestamp {
        let ahead = u64::try_from(MAX_FUTURE.as_millis()).expect("two minutes");
        Timestamp::from_millis(self.time().millis().saturating_sub(ahead)).unwrap_or_default()
    }
}

/// The headers that wait for our clock, at most [`MAX_DEFERRED`].
#[derive(Debug, Default)]
pub(crate) struct Deferred {
    /// In the order in which they came.
    branches: Vec<Branch>,
}

impl Deferred {
    /// How many headers wait.
    pub(crate) fn len(&self) -> usize {
        self.branches.iter().map(|branch| branch.headers.len()).sum()
    }

    /// Keeps the end of a branch, from its first header ahead of our clock on. `work` is all that
    /// the branch shows up to its last header.
    fn keep(&mut self, headers: &[ProvenHeader], work: Work, now: Moment) {
        let headers = headers[..headers.len().min(MAX_DEFERRED)].to_vec();
        let Some(root) = headers.first().map(ProvenHeader::hash) else {
            return;
        };
        let known = self.branches.iter().position(|branch| branch.root() == root);
        let known = known.map(|index| self.branches.remove(index));
        let since = known.as_ref().map_or(now, |branch| branch.since);
        let longer = known.filter(|branch| branch.work > work);
        let branch = longer.unwrap_or(Branch { headers, work, since });
        while self.len() + branch.headers.len() > MAX_DEFERRED {
            self.branches.remove(0);
        }
        self.branches.push(branch);
    }

    /// Forgets what has waited for too long.
    fn forget_old(&mut self, now: Moment) {
        self.branches.retain(|branch| now.since(branch.since) < LONGEST_WAIT);
    }

    /// A branch whose time has come.
    fn take_due(&mut self, wall: Timestamp) -> Option<Branch> {
        let due = self.branches.iter().position(|branch| branch.due() <= wall)?;
        Some(self.branches.remove(due))
    }

    /// The time of the first waiting header of the branch with the most work, if that is more
    /// than this.
    pub(crate) fn heavier_than(&self, work: Work) -> Option<Timestamp> {
        let heaviest = self.branches.iter().max_by_key(|branch| branch.work)?;
        (heaviest.work > work).then(|| heaviest.time())
    }

    /// When the next branch may be tried again, by the wall clock.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.branches.iter().map(Branch::due).min()
    }

    /// When the next branch has waited for too long.
    pub(crate) fn deadline(&self) -> Option<Moment> {
        self.branches.iter().map(|branch| branch.since.after(LONGEST_WAIT)).min()
    }
}

impl Node {
    /// Keeps headers that are ahead of our clock, if their branch has more work than ours: a
    /// lighter one would be announced again when it is worth something.
    pub(crate) fn defer(&mut self, headers: &[ProvenHeader], work: Work) {
        if work > self.ledger.tip().work {
            self.deferred.keep(headers, work, self.clock.own());
        }
    }

    /// Tries the headers again whose time has come.
    pub(crate) fn retry_deferred(&mut self) -> Result<(), LedgerError> {
        self.deferred.forget_old(self.clock.own());
        let wall = self.clock.wall();
        while let Some(mut branch) = self.deferred.take_due(wall) {
            let added = self.ledger.add_headers(&branch.headers, wall)?;
            self.reach.look_again();
            if let Some((index, ContextError::TimeInFuture(_))) = added.refused {
                // Goes on waiting, for as long as it would have.
                branch.headers.drain(..index);
                self.deferred.branches.push(branch);
            }
        }
        Ok(())
    }
}
