//! Attack 4: a miner with 51 % of the hash rate that lies about the time within the limits of rules
//! C4 and C5, so as to find more blocks than the schedule has.

use std::fmt;
use std::time::Duration;

use cairn_protocol::{Height, Rules, Timestamp};
use proptest::prelude::*;

use crate::chain::{self, Chain, Retarget};
use crate::simulation::{Clock, Miner, Simulation, World, claim};

/// Which time the miner writes into its blocks.
#[derive(Clone, Copy)]
pub(crate) enum Lie {
    Always(Clock),
    /// The latest and the earliest in turn.
    Alternating,
    /// Each time the one with which its next blocks cost the fewest hashes; for a tenth of the time
    /// before that the earliest, so that the median stays behind, if `holds_back`.
    Cheapest {
        holds_back: bool,
    },
    /// The last at which the target has doubled, once in so many blocks, else the earliest.
    Swing {
        period: u64,
    },
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always(Clock::Honest) => "true",
            Self::Always(Clock::Earliest) => "always median + 1",
            Self::Always(Clock::Latest) => "always now + 120 s",
            Self::Always(Clock::Edge) => "always at the last doubling up to now + 120 s",
            Self::Alternating => "now + 120 s and median + 1 in turn",
            Self::Cheapest { holds_back: false } => "the cheapest for the next three blocks",
            Self::Cheapest { holds_back: true } => "median + 1 for 1,000 s, then the cheapest",
            Self::Swing { period: 2 } => "the last doubling and median + 1 in turn",
            Self::Swing { .. } => "the last doubling, then twice median + 1",
        })
    }
}

/// The circumstances of the attack.
#[derive(Clone)]
pub(crate) struct Attack {
    pub(crate) rules: Rules,
    pub(crate) retarget: Retarget,
    /// Whether the miner builds on its own blocks only. With most of the hash rate its branch wins.
    pub(crate) alone: bool,
    pub(crate) runs: u32,
}

const SHARE: f64 = 0.51;
/// Ten windows: those of the default interval have 100 blocks each.
const END: Duration = Duration::from_secs(10 * 1000);
/// A tenth of it.
const HOLD: Duration = Duration::from_secs(1000);
/// A run ends when it has found so many times the blocks of the schedule.
const ENOUGH: u32 = 2;
/// How many blocks the search looks ahead.
const DEPTH: u32 = 3;

impl Attack {
    /// The blocks on the chain in the time in which the schedule has 1,000.
    pub(crate) fn blocks(&self, lie: Lie) -> u32 {
        let schedule =
            u32::try_from(END.as_secs()).expect("small") / self.rules.block_interval_seconds;
        let found: u32 = (0..self.runs).map(|seed| self.run(lie, schedule, seed.into())).sum();
        let all = schedule * self.runs;
        (found * 1000 + all / 2) / all
    }

    fn run(&self, lie: Lie, schedule: u32, seed: u64) -> u32 {
        let chain = Chain::on_schedule(self.rules.clone(), 12, self.retarget);
        let mut simulation = Simulation::new(chain, seed);
        let mut miners =
            Miners { lie, alone: self.alone, decided: (Height::GENESIS, Clock::Honest) };
        let mut found = 0;
        while found < ENOUGH * schedule && simulation.find_block(&mut miners, END) {
            found += 1;
        }
        found
    }
}

/// The liar, and the others unless it is alone on its branch.
struct Miners {
    lie: Lie,
    alone: bool,
    /// The lie for the block behind the tip with this height.
    decided: (Height, Clock),
}

impl World for Miners {
    fn miners(&mut self, chain: &Chain, now: Duration) -> Vec<Miner> {
        let height = chain.tip().height;
        if self.decided.0 != height {
            self.decided = (height, decide(self.lie, chain, now));
        }
        let liar = Miner { rate: SHARE, clock: self.decided.1 };
        let others = Miner { rate: 1.0 - SHARE, clock: Clock::Honest };
        if self.alone { vec![liar] } else { vec![liar, others] }
    }
}

fn decide(lie: Lie, chain: &Chain, now: Duration) -> Clock {
    match lie {
        Lie::Always(clock) => clock,
        Lie::Alternating if chain.tip().height.get().is_multiple_of(2) => Clock::Latest,
        Lie::Swing { period } if chain.tip().height.get().is_multiple_of(period) => Clock::Edge,
        Lie::Alternating | Lie::Swing { .. } => Clock::Earliest,
        Lie::Cheapest { holds_back: true } if now < HOLD => Clock::Earliest,
        Lie::Cheapest { .. } => cheapest(&mut chain.end(), now, DEPTH).1,
    }
}

/// The fewest hashes for the next `depth` blocks, if they are found at once, and the lie that
/// begins them.
fn cheapest(chain: &mut Chain, now: Duration, depth: u32) -> (f64, Clock) {
    let mut lies = [Clock::Earliest, Clock::Latest, Clock::Edge]
        .map(|lie| (claim(chain, now, lie), lie))
        .to_vec();
    lies.dedup_by_key(|(time, _)| *time);
    let mut best = (f64::INFINITY, Clock::Honest);
    for (time, lie) in lies {
        let mut hashes = 1.0 / chain.ease(chain.required(time));
        if depth > 1 {
            chain.extend(time);
            hashes += cheapest(chain, now, depth - 1).0;
            chain.shorten();
        }
        if hashes < best.0 {
            best = (hashes, lie);
        }
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Off its limits, the target is what the time between the first block and the last allows,
    /// whatever the times of the blocks between them.
    #[test]
    fn attack_04_the_target_moves_with_the_time_that_has_passed_in_whatever_steps(
        interval in 1..30_u32,
        half_life in 5..40_u32,
        steps in prop::collection::vec(-20..36_i32, 1..20),
    ) {
        let half_life_seconds = interval * half_life;
        let rules =
            Rules { difficulty: 0, block_interval_seconds: interval, half_life_seconds, ..Rules::default() };
        let unit = i64::from(interval) * 1000;
        let mut chain = Chain::on_schedule(rules, 150, chain::product);
        let start = chain.tip().time;
        for step in &steps {
            let millis = chain.tip().time.millis().saturating_add_signed(i64::from(*step) * unit);
            let time = Timestamp::from_millis(millis).expect("small");
            chain.extend(time.max(chain.earliest()));
        }
        let passed = i32::try_from(chain.tip().time.millis_since(start)).expect("hours");
        let intervals = f64::from(passed) / f64::from(interval) / 1000.0;
        let blocks = f64::from(u32::try_from(steps.len()).expect("few"));
        let allowed = (intervals - blocks) / f64::from(half_life);
        let doublings = -chain.cost().log2();
        // aserti3's cubic is right to 0.013 %.
        prop_assert!((doublings - allowed).abs() < 0.000_25 * blocks, "{doublings} {allowed}");
    }
}
