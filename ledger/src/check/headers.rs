//! The header tree, height by height: each header beside its parent, and the two chains by height,
//! `active` and `best`, beside the headers.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use cairn_protocol::{BlockHash, BlockRef, Height, Network};

use crate::context::Lineage;
use crate::error::Fault;
use crate::stored::verify_one;
use crate::tables::{HeaderRow, State, Tables};
use crate::types::Tip;

/// Checks all headers, and the bodies of blocks that are not active. Returns how many headers
/// there are. Remembers two heights at a time.
pub(super) fn check(
    tables: Tables<'_>,
    network: &Network,
    state: &State,
    seen: &mut dyn FnMut(Height),
) -> Result<u64, Fault> {
    let mut walk = Walk {
        tables,
        network,
        state,
        parents: Generation::new(),
        current: Generation::new(),
        height: Height::GENESIS,
        active: None,
        best: None,
        first_choice: None,
        most_work: None,
        headers: 0,
        bodies: 0,
    };
    let walked = tables.each_header(|row| {
        seen(row.block_ref().height);
        walk.add(row)
    });
    walked.map_err(|fault| fault.at_row(|| format!("a header above height {}", walk.height)))?;
    walk.finish()
}

/// The headers of one height.
type Generation = BTreeMap<BlockHash, Member>;

struct Member {
    row: HeaderRow,
    /// Itself and its last ancestors, for its children.
    lineage: Lineage,
}

struct Walk<'c> {
    tables: Tables<'c>,
    network: &'c Network,
    state: &'c State,
    parents: Generation,
    /// The headers so far of this height.
    current: Generation,
    height: Height,
    /// The last block of the table `active` that was compared.
    active: Option<HeaderRow>,
    /// The same of `best`.
    best: Option<HeaderRow>,
    /// The end of the branch that the active chain has to follow.
    first_choice: Option<HeaderRow>,
    /// The end of the branch that `best` has to follow.
    most_work: Option<HeaderRow>,
    headers: u64,
    bodies: u64,
}

impl Walk<'_> {
    fn add(&mut self, row: HeaderRow) -> Result<(), Fault> {
        let place = row.block_ref();
        if place.height != self.height {
            self.close_height()?;
            if place.height != self.height.next() {
                return Err(missing_above(self.height));
            }
            self.height = place.height;
        }
        let mut lineage = if place.height == Height::GENESIS {
            check_genesis(&row, self.network)?;
            Lineage::ending_with(self.tables, &row)?
        } else {
            self.check_beside_parent(&row)?
        };
        if lineage.last() != place {
            lineage.push(&row);
        }
        self.choose(&row);
        self.headers += 1;
        self.bodies += u64::from(row.body.is_some());
        self.current.insert(place.hash, Member { row, lineage });
        Ok(())
    }

    /// Checks a header, and returns the ancestors of its children without itself.
    fn check_beside_parent(&self, row: &HeaderRow) -> Result<Lineage, Fault> {
        let bad =
            |what: String| Fault::Damage(format!("the header of block {} {what}", row.block_ref()));
        let proven = row.sealed().prove(self.network);
        let proven =
            proven.map_err(|error| bad(format!("breaks rule {}: {error}", error.rule())))?;
        if proven.block_ref() != row.block_ref() {
            return Err(bad(format!("has the hash {}", proven.hash())));
        }
        let parent = self.parents.get(&row.header().parent);
        let parent = parent.ok_or_else(|| bad("has no parent".to_owned()))?;
        let work = parent.row.work.plus(proven.work());
        if row.work != work {
            return Err(bad(format!("has the work {} and not {work}", row.work)));
        }
        let placed = parent.lineage.check_ancestry(row.header(), self.network.rules());
        placed.map_err(|error| bad(format!("breaks rule {}: {error}", error.rule())))?;
        check_marks(row, &parent.row, self.state).map_err(|what| bad(what.to_owned()))?;
        Ok(parent.lineage.clone())
    }

    /// Fork choice: the most work, then who was first.
    fn choose(&mut self, row: &HeaderRow) {
        let rank = |row: &HeaderRow| (row.work, Reverse(row.seen));
        if !row.invalid && self.most_work.is_none_or(|most| rank(row) > rank(&most)) {
            self.most_work = Some(*row);
        }
        let rank = |row: &HeaderRow| (row.work, Reverse(row.complete));
        if row.complete.is_some() && self.first_choice.is_none_or(|first| rank(row) > rank(&first))
        {
            self.first_choice = Some(*row);
        }
    }

    /// Compares `active` and `best` at a height all of whose headers were seen.
    fn close_height(&mut self) -> Result<(), Fault> {
        if self.height <= self.state.tip.block.height {
            let block = self.tables.expect_active(self.height)?.block_ref();
            let row = self.follow("active", block, self.active)?;
            if row.complete.is_none() {
                return Err(Fault::Damage(format!("the active block {block} is not complete")));
            }
            self.active = Some(row);
        }
        if self.height <= self.state.best.block.height {
            let block = self.tables.expect_best(self.height)?;
            self.best = Some(self.follow("best", block, self.best)?);
        }
        let active = self.active.filter(|active| active.block_ref().height == self.height);
        for Member { row, .. } in self.current.values().filter(|member| member.row.body.is_some()) {
            if active.is_none_or(|active| active.block_ref() != row.block_ref()) {
                verify_one(self.tables, row, self.network)?;
            }
        }
        self.parents = std::mem::take(&mut self.current);
        Ok(())
    }

    /// The header of a block of the table `active` or `best`, whose parent must be the one before.
    fn follow(
        &self,
        table: &str,
        block: BlockRef,
        before: Option<HeaderRow>,
    ) -> Result<HeaderRow, Fault> {
        let member = self.current.get(&block.hash);
        let row = member.map(|member| member.row);
        let row =
            row.ok_or_else(|| Fault::Damage(format!("the header of block {block} is missing")))?;
        if before.is_some_and(|before| before.block_ref() != row.header().parent_ref()) {
            let text = format!("the table {table} has block {block} on another than its parent");
            return Err(Fault::Damage(text));
        }
        Ok(row)
    }

    /// Compares the ends, and that nothing is left over.
    fn finish(mut self) -> Result<u64, Fault> {
        self.close_height()?;
        let (tip, best) = (self.state.tip, self.state.best);
        if self.height < tip.block.height.max(best.block.height) {
            return Err(missing_above(self.height));
        }
        for found in [self.active, self.first_choice] {
            check_end("tip", tip, found.as_ref())?;
        }
        for found in [self.best, self.most_work] {
            check_end("best header", best, found.as_ref())?;
        }
        self.tables.check_rows("active", tip.block.height.get() + 1)?;
        self.tables.check_rows("best", best.block.height.get() + 1)?;
        self.tables.check_rows("bodies", self.bodies)?;
        Ok(self.headers)
    }
}

fn missing_above(height: Height) -> Fault {
    Fault::Damage(format!("the headers at height {} are missing", height.next()))
}

fn check_genesis(row: &HeaderRow, network: &Network) -> Result<(), Fault> {
    if *row == HeaderRow::genesis(network) {
        return Ok(());
    }
    Err(Fault::damage("its block at height 0 is not the network's genesis"))
}

/// What is known of a block follows from what is known of its parent.
fn check_marks(row: &HeaderRow, parent: &HeaderRow, state: &State) -> Result<(), &'static str> {
    if parent.invalid && !row.invalid {
        return Err("is not marked as invalid, and its parent is");
    }
    if row.invalid && row.body.is_some() {
        return Err("is marked as invalid, and has a body");
    }
    if row.complete.is_some() != (row.body.is_some() && parent.complete.is_some()) {
        return Err("is marked wrongly as complete or not complete");
    }
    let is_new = |order: u64| order >= state.next_order;
    if row.seen <= parent.seen || is_new(row.seen) {
        return Err("was seen out of order");
    }
    if row.complete.is_some()
        && (row.complete <= parent.complete || row.complete.is_some_and(is_new))
    {
        return Err("became complete out of order");
    }
    Ok(())
}

/// The stored end of a chain is where its table ends, and is the branch that was to be chosen.
fn check_end(name: &str, stored: Tip, found: Option<&HeaderRow>) -> Result<(), Fault> {
    let found = found.map(HeaderRow::tip);
    if found == Some(stored) {
        return Ok(());
    }
    Err(Fault::Damage(format!("its {name} is {stored:?}, and its headers make it {found:?}")))
}
