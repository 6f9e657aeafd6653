//! The plain data that a ledger takes and gives.

use std::collections::BTreeSet;

use cairn_protocol::{AccountId, Amount, BlockRef, Sequence, Target, Timestamp, Work};

use crate::context::ContextError;

/// What an account holds after the last block of the active chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// What it can spend in the next block.
    pub balance: Amount,
    /// The sequence that its next payment must carry.
    pub sequence: Sequence,
}

/// An account together with its rewards that are not yet credited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountState {
    /// What it holds.
    pub account: Account,
    /// Rewards of blocks of the active chain that `reward_maturity` still holds back.
    pub immature: Amount,
}

/// The end of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Where it stands.
    pub block: BlockRef,
    /// All work up to it.
    pub work: Work,
    /// Its time.
    pub time: Timestamp,
}

/// What adding headers did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeadersAdded {
    /// How many of them were new.
    pub new: usize,
    /// The first that was refused, by its index, and why. Those before it are kept, those after
    /// it were not looked at.
    pub refused: Option<(usize, ContextError)>,
}

/// What adding blocks did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlocksAdded {
    /// How the tip moved, if it did: all blocks of the call together.
    pub change: Option<TipChange>,
    /// Blocks that turned out to be invalid or do not fit, and why. Among them may be blocks that
    /// came earlier and could only now be connected.
    pub refused: Vec<(BlockRef, ContextError)>,
}

/// A move of the tip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TipChange {
    /// Where it was.
    pub old: Tip,
    /// Where it is.
    pub new: Tip,
    /// The blocks that left the active chain, from the old tip downwards.
    pub disconnected: Vec<BlockRef>,
    /// The blocks that joined it, upwards to the new tip.
    pub connected: Vec<BlockRef>,
    /// All accounts that payments or credited rewards of either touched.
    pub touched: BTreeSet<AccountId>,
}

impl TipChange {
    /// This move and the next one as one.
    pub(crate) fn followed_by(mut self, next: Self) -> Self {
        for block in next.disconnected {
            // What joined and left again was never there.
            if self.connected.last() == Some(&block) {
                self.connected.pop();
            } else {
                self.disconnected.push(block);
            }
        }
        self.connected.extend(next.connected);
        self.touched.extend(next.touched);
        self.new = next.new;
        self
    }
}

/// What a block on top of the tip must respect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextBlock {
    /// The tip.
    pub parent: Tip,
    /// The median time past, which the block's time must exceed.
    pub median_time: Timestamp,
    /// The time asked about, raised to the first allowed one if it was not.
    pub time: Timestamp,
    /// The target that a block of that time must have.
    pub target: Target,
    /// The fewest transactions, its reward included, that a block of that time must have.
    pub min_transactions: u32,
}

/// What happened to the active chain since a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The blocks to undo, from the cursor downwards.
    pub disconnected: Vec<BlockRef>,
    /// The blocks to apply after that, upwards.
    pub connected: Vec<BlockRef>,
    /// Where the follower stands after that: the last applied block, else the last in common.
    pub cursor: BlockRef,
}

/// All coins of a chain. They are right if `credited` and `immature` together are `issued`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supply {
    /// The sum of all balances.
    pub credited: Amount,
    /// The rewards that are not yet credited, fees included.
    pub immature: Amount,
    /// The subsidies of all blocks up to the tip.
    pub issued: Amount,
}

impl Supply {
    /// Whether no coin was made or lost.
    pub fn is_right(&self) -> bool {
        self.credited.checked_add(self.immature) == Some(self.issued)
    }
}

/// How SQLite keeps a chain whole when the machine stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journal {
    /// By a write-ahead log: readers and the writer do not wait for each other.
    WriteAhead,
    /// By a rollback journal, because the folder is on a network file system, where a
    /// write-ahead log is unsafe: slower, and readers and the writer wait for each other.
    Rollback,
    /// Not at all: the chain is in memory.
    Memory,
}
