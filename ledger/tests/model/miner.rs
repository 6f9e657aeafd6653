//! [`Mined`]: all blocks that were mined in a history, given or not; and how plans become blocks.

use std::collections::BTreeMap;

use cairn_protocol::{
    AccountId, BlockHash, Header, Network, SealedHeader, Target, Timestamp, VerifiedBlock,
};

use crate::accounts::State;
use crate::difficulty::{median_time_past, number, required_target, target_of};
use crate::history::{Flaw, Pace, Plan};
use crate::kit::{self, at};
use crate::purse::Purse;

/// The time of the first blocks, and of the clock at first.
const START: u64 = 1_000_000_000;
/// How far ahead of the clock a block may be.
const MOST_AHEAD: u64 = 120_000;
/// No target that has more leading zero bits is mined for.
const MOST_BITS: usize = 9;

/// A block that was mined, or genesis.
pub(crate) struct Block {
    pub(crate) header: SealedHeader,
    pub(crate) parent: usize,
    /// Genesis has none.
    pub(crate) verified: Option<VerifiedBlock>,
    pub(crate) flaw: Option<Flaw>,
}

/// All blocks that were mined, genesis first, and the clock of those who mine them.
pub(crate) struct Mined {
    network: Network,
    pub(crate) blocks: Vec<Block>,
    numbers: BTreeMap<BlockHash, usize>,
    pub(crate) clock: Timestamp,
}

impl Mined {
    pub(crate) fn new(network: &Network) -> Self {
        let genesis = Block { header: *network.genesis(), parent: 0, verified: None, flaw: None };
        Self {
            network: network.clone(),
            blocks: vec![genesis],
            numbers: BTreeMap::from([(network.genesis_ref().hash, 0)]),
            clock: at(START),
        }
    }

    /// The number of a block.
    pub(crate) fn number(&self, hash: BlockHash) -> usize {
        self.numbers[&hash]
    }

    pub(crate) fn height(&self, number: usize) -> u64 {
        self.blocks[number].header.header.height.get()
    }

    /// The blocks from the one after genesis up to this one.
    pub(crate) fn path(&self, end: usize) -> Vec<usize> {
        let mut path = Vec::new();
        let mut next = end;
        while next != 0 {
            path.push(next);
            next = self.blocks[next].parent;
        }
        path.reverse();
        path
    }

    /// Mines blocks one on the other, by these plans in turn, of which one may be flawed. The
    /// clock goes on with them, unless one of them is to be ahead of it.
    pub(crate) fn run(
        &mut self,
        on: usize,
        miner: AccountId,
        length: usize,
        plans: &[Plan],
        flaw: Option<(usize, Flaw)>,
    ) -> Vec<usize> {
        let mut state = self.valid_state(on);
        let mut last = on;
        let mut is_ahead = false;
        let plain = Plan { pace: Pace::Usual, payments: Vec::new() };
        let run = (0..length).map(|index| {
            let plan = if plans.is_empty() { &plain } else { &plans[index % plans.len()] };
            let flaw = flaw.filter(|(at, _)| *at == index).map(|(_, flaw)| self.possible(flaw));
            is_ahead |= matches!(plan.pace, Pace::Ahead | Pace::TooFar(_));
            last = self.mine(last, &state, miner, plan, flaw);
            let mined = self.blocks[last].verified.as_ref().expect("not genesis");
            if flaw.is_none() {
                // What follows an invalid block is mined as if it were not there.
                let mut after = state.clone();
                if after.connect(self.network.rules(), mined).is_ok() {
                    state = after;
                }
            }
            if !is_ahead {
                self.clock = self.clock.max(mined.header().header().time);
            }
            last
        });
        run.collect()
    }

    /// No block has too few transactions where one is enough.
    fn possible(&self, flaw: Flaw) -> Flaw {
        let one_is_enough = self.network.rules().min_block_transactions == 1;
        if flaw == Flaw::TooFew && one_is_enough { Flaw::Overspend } else { flaw }
    }

    /// The state after a chain, or after what is valid of it.
    fn valid_state(&self, end: usize) -> State {
        let blocks: Vec<_> =
            self.path(end).iter().filter_map(|&n| self.blocks[n].verified.as_ref()).collect();
        let rules = self.network.rules();
        match State::replay(rules, blocks.iter().copied()) {
            Ok(state) => state,
            Err((valid, _)) => State::replay(rules, blocks[..valid].iter().copied())
                .expect("the first that is invalid comes after these"),
        }
    }

    fn mine(
        &mut self,
        parent: usize,
        state: &State,
        miner: AccountId,
        plan: &Plan,
        flaw: Option<Flaw>,
    ) -> usize {
        let mut ancestors = vec![self.blocks[0].header.header];
        ancestors.extend(self.path(parent).iter().map(|&n| self.blocks[n].header.header));
        let rules = self.network.rules();
        let mut purse = Purse::new(&self.network, state);
        for pay in &plan.payments {
            purse.pay(*pay);
        }
        let mut time = self.time(&ancestors, plan.pace, flaw);
        let fewest = rules.min_block_transactions as usize - 1;
        let wait = u64::from(rules.min_block_wait_seconds) * 1000;
        let before = ancestors[ancestors.len() - 1].time.millis();
        let is_exempt = parent == 0 || time.millis() >= before + wait;
        if flaw == Some(Flaw::TooFew) {
            purse.keep(fewest.saturating_sub(1));
        } else if !is_exempt && !purse.fill(fewest) {
            time = time.max(at(before + wait));
        }
        if let Some(flaw) = flaw {
            purse.spoil(flaw, state, miner);
        }
        let required = required_target(rules, &ancestors, time);
        let target = match flaw {
            Some(Flaw::Target) => halved(required),
            // Behind a block of an impossible time, where nothing is looked at.
            _ if leading_zeros(required) > MOST_BITS => rules.floor(),
            _ => required,
        };
        let parent_header = &self.blocks[parent].header;
        let payments = purse.into_payments();
        let block = kit::seal(&self.network, parent_header, miner, time, target, payments);
        self.keep(parent, block, flaw)
    }

    fn keep(&mut self, parent: usize, block: VerifiedBlock, flaw: Option<Flaw>) -> usize {
        let next = self.blocks.len();
        let number = *self.numbers.entry(block.block_ref().hash).or_insert(next);
        if number == next {
            let header = *block.header().sealed();
            self.blocks.push(Block { header, parent, verified: Some(block), flaw });
        }
        number
    }

    /// The time of a block of this pace, unless it would make the next one too hard to mine.
    fn time(&self, ancestors: &[Header], pace: Pace, flaw: Option<Flaw>) -> Timestamp {
        let times: Vec<Timestamp> = ancestors.iter().map(|header| header.time).collect();
        let median = median_time_past(&times).millis();
        match flaw {
            Some(Flaw::AtMedian) => return at(median),
            Some(Flaw::BeforeMedian) => return at(median.saturating_sub(1)),
            _ => {}
        }
        let rules = self.network.rules();
        let interval = u64::from(rules.block_interval_seconds) * 1000;
        let half_life = u64::from(rules.half_life_seconds) * 1000;
        let wait = u64::from(rules.min_block_wait_seconds) * 1000;
        let before = times[times.len() - 1].millis().max(START);
        let time = match pace {
            _ if flaw == Some(Flaw::TooFew) => before + 1000,
            Pace::Usual => before + 1000,
            Pace::Fast => before + 1,
            Pace::Slow => before + 4 * interval.max(1000),
            Pace::Late if interval > 0 => before + 30 * interval + half_life,
            Pace::Late => before + wait,
            Pace::Back => median + 1,
            Pace::Ahead => self.clock.millis() + MOST_AHEAD,
            Pace::TooFar(seconds) => {
                self.clock.millis() + MOST_AHEAD + 1 + 1000 * u64::from(seconds)
            }
        };
        let time = at(time.max(median + 1));
        if leading_zeros(self.next_target(ancestors, time)) <= MOST_BITS {
            return time;
        }
        at(before.max(median) + 4 * interval)
    }

    /// The target of the block after one of this time, if it comes soon.
    fn next_target(&self, ancestors: &[Header], time: Timestamp) -> Target {
        let rules = self.network.rules();
        let target = required_target(rules, ancestors, time);
        let next = Header { time, target, ..ancestors[ancestors.len() - 1] };
        let ancestors = [ancestors, &[next]].concat();
        required_target(rules, &ancestors, time)
    }
}

fn halved(target: Target) -> Target {
    target_of(number(target) / 2)
}

fn leading_zeros(target: Target) -> usize {
    256 - number(target).bits()
}
