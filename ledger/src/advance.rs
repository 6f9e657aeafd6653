//! Fork choice: which complete branch the active chain follows, and the move there.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use cairn_protocol::{AccountId, BlockRef, Height, Reward, VerifiedBlock};

use crate::audit::check_accounts;
use crate::connect::{Body, connect, disconnect, matured_height};
use crate::context::{ContextError, Stop, fewest_transactions};
use crate::error::Fault;
use crate::overlay::Overlay;
use crate::tables::{ActiveBlock, HeaderRow};
use crate::types::{Account, TipChange};
use crate::update::Update;

/// Blocks of this call, which need not be read from the database again.
pub(crate) type Given<'g> = BTreeMap<BlockRef, &'g VerifiedBlock>;

/// The part of a branch that the active chain lacks.
struct Branch {
    /// The last block in common.
    fork: HeaderRow,
    /// The blocks after it, in ascending order.
    blocks: Vec<HeaderRow>,
}

/// Why the active chain does not move to a branch.
enum Failure {
    /// This block of the branch is invalid.
    Invalid(BlockRef, ContextError),
    Fault(Fault),
}

impl Failure {
    fn of(block: BlockRef, stop: Stop) -> Self {
        match stop {
            Stop::Refused(error) => Self::Invalid(block, error),
            Stop::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Update<'_> {
    /// Moves the tip to the best branch among those that became complete, if that is better than
    /// the tip's: on a tie what was complete first is. A branch with an invalid block in
    /// it is not followed; that block and its descendants are marked, and the next best branch is
    /// tried, which may be the valid part below it.
    pub(crate) fn advance(
        &mut self,
        given: &Given<'_>,
        refused: &mut Vec<(BlockRef, ContextError)>,
    ) -> Result<Option<TipChange>, Fault> {
        let mut candidates = std::mem::take(&mut self.completed);
        candidates.sort_by_key(|row| (Reverse(row.work), row.complete));
        for candidate in candidates {
            if !self.is_better(&candidate)? {
                break;
            }
            if self.tables.expect_header(candidate.block_ref())?.invalid {
                continue;
            }
            match self.switch_to(&candidate, given) {
                Ok(change) => return Ok(Some(change)),
                Err(Failure::Fault(fault)) => return Err(fault),
                Err(Failure::Invalid(block, error)) => {
                    self.audit()?;
                    refused.push((block, error));
                    let descendants = self.condemn(block)?;
                    let also = descendants.into_iter().filter(|block| given.contains_key(block));
                    refused.extend(also.map(|child| (child, ContextError::KnownInvalid(block))));
                }
            }
        }
        Ok(None)
    }

    /// Whether a complete branch has more work than the active one, or as much and was complete
    /// before it.
    fn is_better(&self, candidate: &HeaderRow) -> Result<bool, Fault> {
        let tip = self.state.tip;
        Ok(match candidate.work.cmp(&tip.work) {
            Ordering::Equal => candidate.complete < self.tables.expect_header(tip.block)?.complete,
            unequal => unequal.is_gt(),
        })
    }

    /// Makes sure that a block is invalid and not the accounts damaged. Once for each tip: whoever
    /// mines invalid blocks must not make us add up all coins for each.
    fn audit(&mut self) -> Result<(), Fault> {
        let tip = Some(self.state.tip.block);
        if self.memory.audited != tip {
            self.memory.accounts.write(self.tables)?;
            check_accounts(self.tables, self.network, &self.state)?;
            self.memory.audited = tip;
        }
        Ok(())
    }

    /// Disconnects the tip and everything down to an active block.
    pub(crate) fn retreat_to(&mut self, fork: &HeaderRow) -> Result<(), Fault> {
        let mut accounts = Overlay::new(&self.memory.accounts, self.tables);
        self.disconnect_above(fork, &mut accounts)?;
        let accounts = accounts.into_accounts();
        self.adopt(fork.block_ref().height, &[], fork, accounts)?;
        // The change goes on from here, and an audit compares the chain with the stored tip.
        self.tables.put_state(&self.state)
    }

    /// Makes a branch the active chain, after all of it was found to be valid: nothing is written
    /// before that.
    fn switch_to(&mut self, end: &HeaderRow, given: &Given<'_>) -> Result<TipChange, Failure> {
        let branch = self.branch_to(end)?;
        let mut accounts = Overlay::new(&self.memory.accounts, self.tables);
        let old = self.state.tip;
        let disconnected = self.disconnect_above(&branch.fork, &mut accounts)?;
        let added = self.connect_branch(&branch, given, &mut accounts)?;
        let above = branch.fork.block_ref().height;
        let accounts = accounts.into_accounts();
        let touched = accounts.keys().copied().collect();
        self.adopt(above, &added, end, accounts)?;
        let connected = branch.blocks.iter().map(HeaderRow::block_ref).collect();
        Ok(TipChange { old, new: end.tip(), disconnected, connected, touched })
    }

    /// Walks from the end of a branch down to the active chain.
    fn branch_to(&self, end: &HeaderRow) -> Result<Branch, Fault> {
        let (mut fork, mut blocks) = (*end, Vec::new());
        while !self.tables.is_active(fork.block_ref())? {
            blocks.push(fork);
            fork = self.tables.expect_header(fork.header().parent_ref())?;
        }
        blocks.reverse();
        Ok(Branch { fork, blocks })
    }

    /// Disconnects the active chain down to `fork`, which stays. Returns the blocks, from the tip
    /// downwards.
    fn disconnect_above(
        &self,
        fork: &HeaderRow,
        accounts: &mut Overlay<'_>,
    ) -> Result<Vec<BlockRef>, Fault> {
        let mut disconnected = Vec::new();
        let mut block = self.state.tip.block;
        while block.height > fork.block_ref().height {
            let row = self.tables.expect_header(block)?;
            let matured = matured_height(self.network.rules(), block.height);
            let matured = matured.map(|height| self.tables.expect_active(height)).transpose()?;
            let matured = matured.as_ref().map(|block| &block.reward);
            disconnect(accounts, &self.body(&row, &Given::new())?, matured)?;
            disconnected.push(block);
            block = row.header().parent_ref();
        }
        Ok(disconnected)
    }

    /// Connects the blocks of a branch to accounts that stand at its fork.
    fn connect_branch(
        &self,
        branch: &Branch,
        given: &Given<'_>,
        accounts: &mut Overlay<'_>,
    ) -> Result<Vec<ActiveBlock>, Failure> {
        let mut added = Vec::with_capacity(branch.blocks.len());
        let mut parent = &branch.fork;
        for row in &branch.blocks {
            let body = self.body(row, given)?;
            added.push(ActiveBlock { hash: row.block_ref().hash, reward: *body.reward() });
            let matured = self.matured_reward(row, &branch.fork, &added)?;
            let rules = self.network.rules();
            let fewest = fewest_transactions(rules, parent.header(), row.header().time);
            connect(accounts, &body, fewest, matured.as_ref())
                .map_err(|stop| Failure::of(row.block_ref(), stop))?;
            parent = row;
        }
        Ok(added)
    }

    /// Writes a move that was found to be valid.
    fn adopt(
        &mut self,
        above: Height,
        added: &[ActiveBlock],
        end: &HeaderRow,
        accounts: BTreeMap<AccountId, Account>,
    ) -> Result<(), Fault> {
        self.tables.replace_active(above, added)?;
        self.memory.accounts.put(accounts);
        self.state.tip = end.tip();
        Ok(())
    }

    fn body<'g>(&self, row: &HeaderRow, given: &Given<'g>) -> Result<Body<'g>, Fault> {
        if let Some(block) = given.get(&row.block_ref()) {
            return Ok(Body::Given(block));
        }
        let missing = || Fault::Damage(format!("the body of block {} is missing", row.block_ref()));
        Ok(Body::Stored(Box::new(self.tables.block(row)?.ok_or_else(missing)?)))
    }

    /// The reward that connecting a block of a branch credits: of a block among those added so
    /// far, or of one below the fork.
    fn matured_reward(
        &self,
        row: &HeaderRow,
        fork: &HeaderRow,
        added: &[ActiveBlock],
    ) -> Result<Option<Reward>, Fault> {
        let Some(height) = matured_height(self.network.rules(), row.block_ref().height) else {
            return Ok(None);
        };
        let above_fork = height.since(fork.block_ref().height);
        let Some(index) = above_fork.checked_sub(1) else {
            return Ok(Some(self.tables.expect_active(height)?.reward));
        };
        let index = usize::try_from(index).expect("at most the blocks of a branch in memory");
        Ok(Some(added[index].reward))
    }
}
