//! The rules that a header or block meets only in its place on a chain: [`ContextError`], and the
//! header's ancestors that the rules look at.

use std::collections::VecDeque;

use cairn_protocol::limits::{MAX_FUTURE, MEDIAN_BLOCKS};
use cairn_protocol::retarget::required_target;
use cairn_protocol::time::median_time;
use cairn_protocol::{Amount, BlockRef, Header, Height, Rules, Sequence, Target, Timestamp};

use crate::error::Fault;
use crate::tables::{HeaderRow, Tables};

/// Why a header or block does not fit where it wants to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// Rule C1: the parent is known. Says nothing about the block: it may come again.
    #[error("its parent is unknown")]
    UnknownParent,
    /// Rule C2: neither the block itself nor an ancestor was found to be invalid. This one of them
    /// was.
    #[error("block {0} was found to be invalid")]
    KnownInvalid(BlockRef),
    /// Rule C3: the target is what the retargeting rule asks for.
    #[error("its target is {given} where {required} is required")]
    Target {
        /// The header's.
        given: Target,
        /// What its ancestors and its time ask for.
        required: Target,
    },
    /// Rule C4: the time is greater than the median time past.
    #[error("its time {time} is not after the median {median} of its ancestors")]
    TimeNotAfterMedian {
        /// The header's.
        time: Timestamp,
        /// The median of its last ancestors.
        median: Timestamp,
    },
    /// Rule C5: the time is at most [`MAX_FUTURE`] ahead of the clock. Says nothing about the
    /// block: it may come again.
    #[error("its time {0} lies in the future")]
    TimeInFuture(Timestamp),
    /// Rule C6: the block has `min_block_transactions`, unless it is block 1 or late enough.
    #[error("it has {given} transactions where {fewest} are the fewest")]
    TooFewTransactions {
        /// The block's, its reward included.
        given: usize,
        /// The rule's.
        fewest: u32,
    },
    /// Rule C7: a payment carries its sender's sequence.
    #[error("payment {index} has sequence {given} where {expected} is next")]
    Sequence {
        /// Which payment, from 0.
        index: usize,
        /// The payment's.
        given: Sequence,
        /// The sender's.
        expected: Sequence,
    },
    /// Rule C8: a payment's sender has its amount and fee.
    #[error("payment {index} costs {cost} and its sender has {balance}")]
    InsufficientFunds {
        /// Which payment, from 0.
        index: usize,
        /// Amount and fee.
        cost: Amount,
        /// What the sender has at that moment.
        balance: Amount,
    },
    /// Rule C9: no balance leaves [`Amount`].
    #[error("a balance would be more than can exist")]
    BalanceTooLarge,
}

impl ContextError {
    /// The number of the broken rule in docs/PROTOCOL.md.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::UnknownParent => "C1",
            Self::KnownInvalid(_) => "C2",
            Self::Target { .. } => "C3",
            Self::TimeNotAfterMedian { .. } => "C4",
            Self::TimeInFuture(_) => "C5",
            Self::TooFewTransactions { .. } => "C6",
            Self::Sequence { .. } => "C7",
            Self::InsufficientFunds { .. } => "C8",
            Self::BalanceTooLarge => "C9",
        }
    }

    /// Whether the block can never be valid. The others may be tried again later.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Self::UnknownParent | Self::TimeInFuture(_))
    }
}

/// Why something is not added: a rule forbids it, or the disk failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    #[error(transparent)]
    Refused(#[from] ContextError),
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Fault(error.into())
    }
}

/// The last ancestors that a header's rules look at, oldest first: at least its parent, at most
/// [`MEDIAN_BLOCKS`].
#[derive(Clone, Debug)]
pub(crate) struct Lineage {
    headers: VecDeque<Header>,
    last: BlockRef,
}

impl Lineage {
    /// The ancestors of a header whose parent is `parent`.
    pub(crate) fn ending_with(tables: Tables<'_>, parent: &HeaderRow) -> Result<Self, Fault> {
        let mut headers = VecDeque::from([*parent.header()]);
        while headers.len() < MEDIAN_BLOCKS && headers[0].height > Height::GENESIS {
            headers.push_front(*tables.expect_header(headers[0].parent_ref())?.header());
        }
        Ok(Self { headers, last: parent.block_ref() })
    }

    /// The parent of the header that is looked at.
    pub(crate) fn last(&self) -> BlockRef {
        self.last
    }

    /// Its header.
    pub(crate) fn parent(&self) -> &Header {
        self.headers.back().expect("a lineage has at least the parent")
    }

    /// Goes on to the child of what was the header that is looked at.
    pub(crate) fn push(&mut self, child: &HeaderRow) {
        if self.headers.len() == MEDIAN_BLOCKS {
            self.headers.pop_front();
        }
        self.headers.push_back(*child.header());
        self.last = child.block_ref();
    }

    /// The median time past.
    pub(crate) fn median_time(&self) -> Timestamp {
        let times: Vec<_> = self.headers.iter().map(|header| header.time).collect();
        median_time(&times)
    }

    /// The target that a child of this time must have.
    pub(crate) fn required_target(&self, rules: &Rules, time: Timestamp) -> Target {
        required_target(rules, self.parent(), self.headers.iter().rev().nth(1), time)
    }

    /// Checks rules C3 to C5 on a child. The last one comes last, because it alone may be
    /// forgiven later.
    pub(crate) fn check(
        &self,
        header: &Header,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<(), ContextError> {
        self.check_ancestry(header, rules)?;
        let time = header.time;
        if time > now.after(MAX_FUTURE) {
            return Err(ContextError::TimeInFuture(time));
        }
        Ok(())
    }

    /// Checks rules C3 and C4 on a child, which hold at any time.
    pub(crate) fn check_ancestry(
        &self,
        header: &Header,
        rules: &Rules,
    ) -> Result<(), ContextError> {
        let (given, required) = (header.target, self.required_target(rules, header.time));
        if given != required {
            return Err(ContextError::Target { given, required });
        }
        let (time, median) = (header.time, self.median_time());
        if time <= median {
            return Err(ContextError::TimeNotAfterMedian { time, median });
        }
        Ok(())
    }
}

/// The fewest transactions that a block of this time on this parent must have (rule C6).
pub(crate) fn fewest_transactions(rules: &Rules, parent: &Header, time: Timestamp) -> u32 {
    let is_first = parent.height == Height::GENESIS;
    let waited = time.since(parent.time) >= rules.min_block_wait();
    if is_first || waited { 1 } else { rules.min_block_transactions }
}
