//! [`Model`]: a second, executable statement of sections 9 and 11 of docs/PROTOCOL.md, short and
//! slow. It keeps all blocks that were given and were known by their headers. After every call it
//! looks all of them over again, and replays the best chain from genesis.
//!
//! It has no undo, no overlay, no index and no idea of a fork point. Where it and the ledger
//! disagree, one of the two, or the page, is wrong.

use std::collections::{BTreeMap, BTreeSet};

use cairn_ledger::{BlocksAdded, ContextError, HeadersAdded, NextBlock, Tip, TipChange};
use cairn_protocol::{
    AccountId, BlockHash, BlockRef, Header, Network, ProvenHeader, Rules, Timestamp, VerifiedBlock,
    VerifiedTransaction, Work,
};
use primitive_types::{U256, U512};

use crate::accounts::State;
use crate::difficulty::{median_time_past, required_target, work_of};

/// How far ahead of the clock a block's time may be (C5).
const MOST_AHEAD: u64 = 120_000;

/// A block whose header was found to fit.
#[derive(Debug)]
struct Known {
    hash: BlockHash,
    header: Header,
    /// Its number among the known; genesis is its own parent.
    parent: usize,
    work: U512,
    /// The block itself, and when it came, as a running number.
    body: Option<(u64, VerifiedBlock)>,
    /// Whether it or an ancestor was found to be invalid.
    invalid: bool,
}

/// What is wanted of a branch, summed up from genesis on.
#[derive(Clone, Copy, Debug)]
struct Branch {
    end: usize,
    work: U512,
    /// When the last of its bodies came, if all did.
    complete: Option<u64>,
}

/// An invalid block, and the end of the branch that it was found in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) invalid: BlockRef,
    pub(crate) end: BlockRef,
}

/// A node's chain.
#[derive(Debug)]
pub(crate) struct Model {
    rules: Rules,
    /// In the order in which they became known: a parent comes before its children.
    known: Vec<Known>,
    numbers: BTreeMap<BlockHash, usize>,
    arrivals: u64,
    /// The end of the active chain, and the accounts after it.
    active: usize,
    state: State,
    /// All invalid blocks that were found so far.
    pub(crate) found: Vec<Found>,
}

impl Model {
    /// Nothing but genesis.
    pub(crate) fn new(network: &Network) -> Self {
        let (hash, header) = (network.genesis_ref().hash, network.genesis().header);
        let genesis =
            Known { hash, header, parent: 0, work: U512::zero(), body: None, invalid: false };
        Self {
            rules: network.rules().clone(),
            known: vec![genesis],
            numbers: BTreeMap::from([(hash, 0)]),
            arrivals: 0,
            active: 0,
            state: State::default(),
            found: Vec::new(),
        }
    }

    /// Headers are taken in order, up to the first that does not fit.
    pub(crate) fn add_headers(&mut self, headers: &[ProvenHeader], now: Timestamp) -> HeadersAdded {
        let before = self.known.len();
        let refused = headers.iter().enumerate().find_map(|(index, header)| {
            let error = self.add_header(header, now).err()?;
            Some((index, error))
        });
        HeadersAdded { new: self.known.len() - before, refused }
    }

    /// Blocks are taken by height, then the best branch is chosen.
    pub(crate) fn add_blocks(&mut self, blocks: &[VerifiedBlock], now: Timestamp) -> BlocksAdded {
        let mut refused = Vec::new();
        let mut taken = BTreeSet::new();
        let mut ascending: Vec<&VerifiedBlock> = blocks.iter().collect();
        ascending.sort_by_key(|block| block.block_ref().height);
        for block in ascending {
            match self.add_header(block.header(), now) {
                Ok(number) => {
                    taken.insert(number);
                    self.arrivals += 1;
                    self.known[number].body.get_or_insert((self.arrivals, block.clone()));
                }
                Err(error) => refused.push((block.block_ref(), error)),
            }
        }
        let old = self.active;
        self.choose(&taken, &mut refused);
        let change = (self.active != old).then(|| self.change(old, self.active));
        BlocksAdded { change, refused }
    }

    /// A block breaks a rule without context.
    pub(crate) fn mark_invalid(&mut self, block: BlockRef) {
        if let Some(&number) = self.numbers.get(&block.hash).filter(|number| **number > 0) {
            self.condemn(number);
            self.choose(&BTreeSet::new(), &mut Vec::new());
        }
    }

    /// Rules C1 to C5, then the header is known.
    fn add_header(&mut self, header: &ProvenHeader, now: Timestamp) -> Result<usize, ContextError> {
        let (hash, header) = (header.hash(), *header.header());
        match self.numbers.get(&hash) {
            Some(&number) if self.known[number].invalid => {
                return Err(ContextError::KnownInvalid(self.block_ref(number)));
            }
            Some(&number) => return Ok(number),
            None => {}
        }
        let parent = self.numbers.get(&header.parent).copied();
        let parent = parent
            .filter(|&parent| self.known[parent].header.height.get() + 1 == header.height.get());
        let parent = parent.ok_or(ContextError::UnknownParent)?;
        if self.known[parent].invalid {
            return Err(ContextError::KnownInvalid(self.block_ref(parent)));
        }
        self.check_place(&header, parent, now)?;
        let number = self.known.len();
        let work = work_of(header.target);
        self.known.push(Known { hash, header, parent, work, body: None, invalid: false });
        self.numbers.insert(hash, number);
        Ok(number)
    }

    /// Rules C3 to C5.
    fn check_place(
        &self,
        header: &Header,
        parent: usize,
        now: Timestamp,
    ) -> Result<(), ContextError> {
        let ancestors = self.headers(parent);
        let times: Vec<Timestamp> = ancestors.iter().map(|header| header.time).collect();
        let (given, required) =
            (header.target, required_target(&self.rules, &ancestors, header.time));
        if given != required {
            return Err(ContextError::Target { given, required });
        }
        let (time, median) = (header.time, median_time_past(&times));
        if time <= median {
            return Err(ContextError::TimeNotAfterMedian { time, median });
        }
        if time.millis() > now.millis() + MOST_AHEAD {
            return Err(ContextError::TimeInFuture(time));
        }
        Ok(())
    }

    /// Rules F1 to F3: the best complete branch is replayed from genesis. If a block of it is
    /// invalid, that and its descendants are, and the best of those that are left is looked at.
    fn choose(&mut self, given: &BTreeSet<usize>, refused: &mut Vec<(BlockRef, ContextError)>) {
        loop {
            let best = self.best_complete().end;
            let path = self.path(best);
            match State::replay(&self.rules, path[1..].iter().map(|&number| self.body(number))) {
                Ok(state) => {
                    (self.active, self.state) = (best, state);
                    return;
                }
                Err((index, error)) => {
                    let invalid = path[1 + index];
                    let (end, block) = (self.block_ref(best), self.block_ref(invalid));
                    self.found.push(Found { invalid: block, end });
                    refused.push((block, error));
                    let descendants = self.condemn(invalid);
                    let also = descendants
                        .intersection(given)
                        .map(|&number| (self.block_ref(number), ContextError::KnownInvalid(block)));
                    refused.extend(also);
                }
            }
        }
    }

    /// Marks a block and its descendants, which it returns. Their bodies are forgotten.
    fn condemn(&mut self, block: usize) -> BTreeSet<usize> {
        let mut descendants = BTreeSet::new();
        for number in block..self.known.len() {
            let is_descendant = number > block && self.path(number).contains(&block);
            if is_descendant {
                descendants.insert(number);
            }
            if is_descendant || number == block {
                (self.known[number].invalid, self.known[number].body) = (true, None);
            }
        }
        descendants
    }

    /// All branches: one ends with each block that is not known to be invalid.
    fn branches(&self) -> Vec<Branch> {
        let mut branches: Vec<Branch> = Vec::new();
        for (end, block) in self.known.iter().enumerate() {
            if end == 0 {
                branches.push(Branch { end, work: U512::zero(), complete: Some(0) });
                continue;
            }
            let before = branches[block.parent];
            let arrived = block.body.as_ref().map(|(arrived, _)| *arrived);
            let complete = before.complete.zip(arrived).map(|(before, last)| before.max(last));
            branches.push(Branch { end, work: before.work + block.work, complete });
        }
        branches.retain(|branch| !self.known[branch.end].invalid);
        branches
    }

    /// Of the complete branches the one with the most work; on a tie the one that was complete
    /// first.
    ///
    /// Where one body completes several branches at once, the protocol leaves open which of them
    /// was first. The ledger completes a block's descendants before its siblings, and a sibling
    /// with a larger hash before one with a smaller.
    fn best_complete(&self) -> Branch {
        let complete = self.branches().into_iter().filter(|branch| branch.complete.is_some());
        let best = complete.max_by(|a, b| {
            let by_work = a.work.cmp(&b.work);
            let by_time = || b.complete.cmp(&a.complete);
            by_work.then_with(by_time).then_with(|| self.hashes(a.end).cmp(&self.hashes(b.end)))
        });
        best.expect("genesis is complete")
    }

    fn change(&self, old: usize, new: usize) -> TipChange {
        let (before, after) = (self.path(old), self.path(new));
        let (disconnected, connected) = self.change_since(self.block_ref(old));
        let left = disconnected.iter().map(|block| self.touched(*block, &before));
        let joined = connected.iter().map(|block| self.touched(*block, &after));
        let touched = left.chain(joined).flatten().collect();
        let (old, new) = (self.tip_of(old), self.tip_of(new));
        TipChange { old, new, disconnected, connected, touched }
    }

    /// The accounts that a block of a chain touches.
    fn touched(&self, block: BlockRef, chain: &[usize]) -> Vec<AccountId> {
        let payments = self
            .body(self.numbers[&block.hash])
            .payments()
            .iter()
            .map(VerifiedTransaction::payment);
        let mut touched: Vec<_> = payments.flat_map(|one| [one.sender, one.recipient]).collect();
        let height = block.height.get();
        let maturity = u64::from(self.rules.reward_maturity);
        for &other in &chain[1..] {
            if self.known[other].header.height.get() + maturity == height {
                touched.push(self.body(other).reward().recipient);
            }
        }
        touched
    }

    /// What a follower that knows the chain up to this block is to undo and to apply.
    pub(crate) fn change_since(&self, cursor: BlockRef) -> (Vec<BlockRef>, Vec<BlockRef>) {
        let (before, after) = (self.path(self.numbers[&cursor.hash]), self.path(self.active));
        let undone = before.iter().rev().filter(|number| !after.contains(number));
        let applied = after.iter().filter(|number| !before.contains(number));
        let refs = |number: &usize| self.block_ref(*number);
        (undone.map(refs).collect(), applied.map(refs).collect())
    }

    /// The end of the active chain.
    pub(crate) fn tip(&self) -> Tip {
        self.tip_of(self.active)
    }

    /// The accounts after it.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// The header with the most work that is not known to be invalid, the first seen on a tie.
    pub(crate) fn best_header(&self) -> Tip {
        let best = self.branches().into_iter().max_by(|a, b| {
            let first_seen = || b.end.cmp(&a.end);
            a.work.cmp(&b.work).then_with(first_seen)
        });
        self.tip_of(best.expect("genesis is valid").end)
    }

    /// What a block on top of the active chain must respect.
    pub(crate) fn next_block(&self, now: Timestamp) -> NextBlock {
        let ancestors = self.headers(self.active);
        let times: Vec<Timestamp> = ancestors.iter().map(|header| header.time).collect();
        let median_time = median_time_past(&times);
        let first = Timestamp::from_millis(median_time.millis() + 1).expect("not the end of time");
        let time = now.max(first);
        NextBlock {
            parent: self.tip(),
            median_time,
            time,
            target: required_target(&self.rules, &ancestors, time),
            min_transactions: self.state.fewest_transactions(&self.rules, time),
        }
    }

    /// The blocks of the best header's chain whose bodies did not come.
    pub(crate) fn missing_blocks(&self) -> Vec<BlockRef> {
        let path = self.path(self.numbers[&self.best_header().block.hash]);
        let missing = path[1..].iter().filter(|&&number| self.known[number].body.is_none());
        missing.map(|&number| self.block_ref(number)).collect()
    }

    /// The blocks of the active chain.
    pub(crate) fn active_blocks(&self) -> Vec<&VerifiedBlock> {
        self.path(self.active)[1..].iter().map(|&number| self.body(number)).collect()
    }

    /// Whether a block is known by its header.
    pub(crate) fn knows(&self, hash: BlockHash) -> bool {
        self.numbers.contains_key(&hash)
    }

    /// Whether a block's body is here.
    pub(crate) fn has_body(&self, hash: BlockHash) -> bool {
        self.numbers.get(&hash).is_some_and(|&number| self.known[number].body.is_some())
    }

    /// The ends of all other complete branches.
    pub(crate) fn others(&self) -> Vec<Tip> {
        let complete = self.branches().into_iter().filter(|branch| branch.complete.is_some());
        complete.filter(|one| one.end != self.active).map(|one| self.tip_of(one.end)).collect()
    }

    /// The numbers of the blocks from genesis up to this one.
    fn path(&self, end: usize) -> Vec<usize> {
        let mut path = vec![end];
        while path[path.len() - 1] != 0 {
            path.push(self.known[path[path.len() - 1]].parent);
        }
        path.reverse();
        path
    }

    /// The headers up to this block, from genesis on.
    fn headers(&self, end: usize) -> Vec<Header> {
        self.path(end).into_iter().map(|number| self.known[number].header).collect()
    }

    fn hashes(&self, end: usize) -> Vec<BlockHash> {
        self.path(end).into_iter().map(|number| self.known[number].hash).collect()
    }

    fn body(&self, number: usize) -> &VerifiedBlock {
        &self.known[number].body.as_ref().expect("a block of a complete branch").1
    }

    fn block_ref(&self, number: usize) -> BlockRef {
        BlockRef { height: self.known[number].header.height, hash: self.known[number].hash }
    }

    fn tip_of(&self, end: usize) -> Tip {
        let sum = self.path(end).iter().fold(U512::zero(), |sum, &n| sum + self.known[n].work);
        let sum = U256::try_from(sum).unwrap_or(U256::MAX);
        let work = Work::from_be_bytes(&sum.to_big_endian());
        Tip { block: self.block_ref(end), work, time: self.known[end].header.time }
    }
}
