//! [`Update`]: one change of the chain, from the first header or block that is added to the state
//! that is written with it.

use cairn_protocol::codec::encode;
use cairn_protocol::{BlockRef, Network, ProvenHeader, Timestamp, VerifiedBlock};

use crate::cache::AccountCache;
use crate::context::{ContextError, Lineage, Stop};
use crate::error::Fault;
use crate::tables::{HeaderRow, State, Tables};

/// A change under way, inside one transaction.
#[derive(Debug)]
pub(crate) struct Update<'c> {
    pub(crate) tables: Tables<'c>,
    pub(crate) network: &'c Network,
    /// What the writer remembers of the tables.
    pub(crate) memory: &'c mut Memory,
    /// What will be written in the end.
    pub(crate) state: State,
    /// The blocks that became complete: all bodies up to them are here, and were not before.
    pub(crate) completed: Vec<HeaderRow>,
    /// Whether a block was found to be invalid, and with it perhaps the best header.
    condemned_any: bool,
}

/// What the writer remembers of the tables from one change to the next.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The accounts after the tip.
    pub(crate) accounts: AccountCache,
    /// The ancestors of the header that was added last, since headers come in long ascents.
    pub(crate) lineage: Option<Lineage>,
    /// The last tip after which the accounts were added up and found to be right.
    pub(crate) audited: Option<BlockRef>,
}

impl<'c> Update<'c> {
    /// A change of the chain that stands here.
    pub(crate) fn new(
        tables: Tables<'c>,
        network: &'c Network,
        memory: &'c mut Memory,
        state: State,
    ) -> Self {
        Self { tables, network, memory, state, completed: Vec::new(), condemned_any: false }
    }

    /// Adds a header, unless it is known. Returns its row, and whether it is new.
    pub(crate) fn add_header(
        &mut self,
        header: &ProvenHeader,
        now: Timestamp,
    ) -> Result<(HeaderRow, bool), Stop> {
        match self.tables.header(header.block_ref())? {
            Some(known) if known.invalid => {
                return Err(ContextError::KnownInvalid(known.block_ref()).into());
            }
            Some(known) => return Ok((known, false)),
            None => {}
        }
        let parent = self.tables.header(header.header().parent_ref())?;
        let parent = parent.ok_or(ContextError::UnknownParent)?;
        if parent.invalid {
            return Err(ContextError::KnownInvalid(parent.block_ref()).into());
        }
        let mut lineage = match self.memory.lineage.take() {
            Some(lineage) if lineage.last() == parent.block_ref() => lineage,
            _ => Lineage::ending_with(self.tables, &parent)?,
        };
        lineage.check(header.header(), self.network.rules(), now)?;
        let row = HeaderRow::new(header, &parent, self.state.take_order());
        self.tables.put_header(&row)?;
        lineage.push(&row);
        self.memory.lineage = Some(lineage);
        if row.work > self.state.best.work {
            self.state.best = row.tip();
        }
        Ok((row, true))
    }

    /// Stores a block, unless it is stored, and its header where that is missing.
    pub(crate) fn add_block(&mut self, block: &VerifiedBlock, now: Timestamp) -> Result<(), Stop> {
        let (mut row, _) = self.add_header(block.header(), now)?;
        if row.body.is_some() {
            return Ok(());
        }
        row.body = Some(self.tables.add_body(&block.header().hash(), &encode(&block.to_block()))?);
        let parent = self.tables.expect_header(row.header().parent_ref())?;
        if parent.complete.is_some() {
            self.complete(row)?;
        } else {
            self.tables.put_header(&row)?;
        }
        Ok(())
    }

    /// Notes that all bodies up to this block are here, and the same of its descendants whose
    /// bodies came before.
    fn complete(&mut self, row: HeaderRow) -> Result<(), Fault> {
        let mut ready = vec![row];
        while let Some(mut row) = ready.pop() {
            row.complete = Some(self.state.take_order());
            self.tables.put_header(&row)?;
            self.completed.push(row);
            let children = self.tables.children(row.block_ref())?;
            ready.extend(children.into_iter().filter(|child| child.body.is_some()));
        }
        Ok(())
    }

    /// Marks a block, which is not active, and all its descendants as invalid. Returns the
    /// descendants.
    pub(crate) fn condemn(&mut self, block: BlockRef) -> Result<Vec<BlockRef>, Fault> {
        self.condemned_any = true;
        self.mark_invalid(self.tables.expect_header(block)?)?;
        let mut descendants = Vec::new();
        let mut generation = vec![block];
        while !generation.is_empty() {
            let mut next = Vec::new();
            for parent in generation {
                for child in self.tables.children(parent)? {
                    next.push(child.block_ref());
                    self.mark_invalid(child)?;
                }
            }
            descendants.extend(&next);
            generation = next;
        }
        Ok(descendants)
    }

    /// The header stays, so that nobody asks for it again. The body is of no use to anyone, and
    /// would let a miner of invalid blocks fill the disk.
    fn mark_invalid(&self, mut row: HeaderRow) -> Result<(), Fault> {
        if let Some(body) = row.body.take() {
            self.tables.delete_body(body)?;
        }
        (row.complete, row.invalid) = (None, true);
        self.tables.put_header(&row)
    }

    /// Writes where the chain stands now, unless that is where it stood before.
    pub(crate) fn finish(mut self, before: &State) -> Result<State, Fault> {
        if self.condemned_any && self.tables.expect_header(self.state.best.block)?.invalid {
            self.state.best = self.tables.most_work()?.tip();
        }
        if self.state.best != before.best {
            self.tables.replace_best(self.state.best.block)?;
        }
        if self.state != *before {
            self.tables.put_state(&self.state)?;
        }
        Ok(self.state)
    }
}
