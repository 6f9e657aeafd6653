//! Miners who search for blocks in virtual time.
//!
//! Hash rates are in units of the rate that the chain's first target suits. While nothing changes, the
//! time to the next block is exponentially distributed; a block's target depends on its own
//! time, though, so the chance of finding one changes in steps while everybody waits. Each step is
//! simulated.

use std::time::Duration;

use cairn_protocol::Timestamp;
use cairn_protocol::limits::MAX_FUTURE;

use crate::chain::{Chain, at};
use crate::draws::Draws;

/// Which time a miner writes into its blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// Its clock's, as docs/PROTOCOL.md section 12 says.
    Honest,
    /// The earliest that rule C4 allows.
    Earliest,
    /// The latest that rule C5 allows.
    Latest,
    /// The latest at which the target has just doubled, where there is one.
    Edge,
}

#[derive(Clone, Copy)]
pub(crate) struct Miner {
    pub(crate) rate: f64,
    pub(crate) clock: Clock,
}

/// Who mines.
pub(crate) trait World {
    /// Those who mine from `now` on.
    fn miners(&mut self, chain: &Chain, now: Duration) -> Vec<Miner>;

    /// When that changes next, other than by the next block.
    fn next_change(&self, _now: Duration) -> Option<Duration> {
        None
    }
}

pub(crate) struct Simulation {
    pub(crate) chain: Chain,
    /// Since the beginning.
    pub(crate) now: Duration,
    /// The blocks that were found and the hashes that were tried, for each miner. A hash rate of 1
    /// finds a block of the chain's first target with one hash in the mean.
    pub(crate) tally: Vec<(u32, f64)>,
    draws: Draws,
}

impl Simulation {
    pub(crate) fn new(chain: Chain, seed: u64) -> Self {
        Self { chain, now: Duration::ZERO, tally: Vec::new(), draws: Draws::new(seed) }
    }

    /// Lets time pass until a block is found, or until `end`. Says whether one was found.
    pub(crate) fn find_block(&mut self, world: &mut dyn World, end: Duration) -> bool {
        let mut left = self.draws.exponential();
        while self.now < end {
            let miners = world.miners(&self.chain, self.now);
            let chances: Vec<_> = miners.iter().map(|miner| self.chance(*miner)).collect();
            let total: f64 = chances.iter().sum();
            let steps = miners.iter().map(|miner| self.next_step(miner.clock));
            let until = steps.chain(world.next_change(self.now)).fold(end, Duration::min);
            let span = until.saturating_sub(self.now);
            let most = total * span.as_secs_f64();
            if left < most {
                self.pass(Duration::from_secs_f64(left / total), &miners);
                self.found(&miners, &chances);
                return true;
            }
            left -= most;
            self.pass(span, &miners);
        }
        false
    }

    /// The seconds between blocks that the next target asks of this hash rate in the mean.
    pub(crate) fn interval(&self, rate: f64) -> f64 {
        self.chain.rules.block_interval().as_secs_f64() * self.chain.cost() / rate
    }

    /// The chance of a block per second.
    fn chance(&self, miner: Miner) -> f64 {
        let target = self.chain.required(claim(&self.chain, self.now, miner.clock));
        miner.rate * self.chain.ease(target) / self.chain.rules.block_interval().as_secs_f64()
    }

    /// When a miner with this clock sees the next of the doublings for a long wait.
    fn next_step(&self, clock: Clock) -> Duration {
        let ahead = match clock {
            Clock::Earliest => return Duration::MAX,
            Clock::Honest => 0,
            Clock::Latest | Clock::Edge => MAX_FUTURE.as_millis(),
        };
        let (first, half_life) = doublings(&self.chain);
        let now = i128::try_from(self.now.as_nanos()).expect("small");
        let begin = i128::from(self.chain.tip().time.millis_since(at(Duration::ZERO)) + first);
        let begin = (begin - i128::try_from(ahead).expect("small")) * 1_000_000;
        let half_life = i128::from(half_life) * 1_000_000;
        let passed = (now - begin).div_euclid(half_life);
        let next = begin + (passed + 1).max(1) * half_life;
        Duration::from_nanos(u64::try_from(next).expect("after now"))
    }

    fn pass(&mut self, span: Duration, miners: &[Miner]) {
        self.now += span;
        self.tally.resize(miners.len().max(self.tally.len()), (0, 0.0));
        for (miner, (_, hashes)) in miners.iter().zip(&mut self.tally) {
            *hashes += miner.rate * span.as_secs_f64();
        }
    }

    fn found(&mut self, miners: &[Miner], chances: &[f64]) {
        let mut point = self.draws.unit() * chances.iter().sum::<f64>();
        let finder = chances.iter().position(|chance| {
            point -= chance;
            point < 0.0
        });
        let finder = finder.unwrap_or(chances.len() - 1);
        self.tally[finder].0 += 1;
        self.chain.extend(claim(&self.chain, self.now, miners[finder].clock));
    }
}

/// The time that a miner with this clock writes into a block behind the tip.
pub(crate) fn claim(chain: &Chain, now: Duration, clock: Clock) -> Timestamp {
    let (earliest, latest) = (chain.earliest(), at(now).after(MAX_FUTURE));
    let claimed = match clock {
        Clock::Honest => at(now),
        Clock::Earliest => earliest,
        Clock::Latest => latest,
        Clock::Edge => {
            let (first, half_life) = doublings(chain);
            let beyond = latest.millis_since(chain.tip().time) - first;
            let back = if beyond < half_life { 0 } else { beyond % half_life };
            let millis = latest.millis() - u64::try_from(back).expect("not negative");
            Timestamp::from_millis(millis).expect("small")
        }
    };
    claimed.max(earliest)
}

/// The milliseconds after its parent from which on a block waits long, and those of a half-life.
fn doublings(chain: &Chain) -> (i64, i64) {
    let rules = &chain.rules;
    (30 * i64::from(rules.block_interval_seconds) * 1000, i64::from(rules.half_life_seconds) * 1000)
}
