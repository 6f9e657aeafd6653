//! Hash rates that change, and what the chain makes of them.

use std::ops::RangeInclusive;
use std::time::Duration;

use cairn_protocol::Rules;

use crate::chain::{self, Chain, Retarget};
use crate::simulation::{Clock, Miner, Simulation, World};

const HOUR: Duration = Duration::from_secs(3600);
const WEEK: Duration = HOUR.saturating_mul(24 * 7);
const FOREVER: Duration = Duration::MAX;

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) retarget: (&'static str, Retarget),
    /// How often the first target would have to double to be the floor.
    pub(crate) doublings: u8,
    pub(crate) miners: Miners,
    /// The blocks found from the first time to the second are counted.
    pub(crate) counted: (Duration, Duration),
    /// From when on the hash rate is 1 for good, or another.
    pub(crate) settled: (Duration, f64),
    /// How many runs with different seeds.
    pub(crate) runs: u32,
    /// What must be seen.
    pub(crate) bounds: Bounds,
}

pub(crate) struct Bounds {
    /// The mean of the counted blocks in percent of the schedule.
    pub(crate) percent: RangeInclusive<u32>,
    /// By when the next block is found and the interval right again, in minutes.
    pub(crate) next: u64,
    pub(crate) right: u64,
}

/// Who mines.
#[derive(Clone)]
pub(crate) enum Miners {
    /// Hash rates and until when each lasts.
    Steps(Vec<(Duration, f64)>),
    /// One hash rate after the other, each for so long, until the given time; then the first.
    Periodic { rates: [f64; 2], period: Duration, until: Duration },
    /// Next to a hash rate of 1 a larger one, which joins if a block costs no more than `joins`
    /// and leaves if it costs `leaves` of what it cost at first, or at the given time.
    OnOff { rate: f64, joins: f64, leaves: f64, until: Duration, mines: bool },
}

impl World for Miners {
    fn miners(&mut self, chain: &Chain, now: Duration) -> Vec<Miner> {
        let honest = |rate| Miner { rate, clock: Clock::Honest };
        match self {
            Self::Steps(steps) => {
                let step = steps.iter().find(|(until, _)| now < *until).expect("the last is long");
                vec![honest(step.1)]
            }
            Self::Periodic { rates, period, until } => {
                let number = if now < *until { now.as_millis() / period.as_millis() } else { 0 };
                vec![honest(rates[usize::from(!number.is_multiple_of(2))])]
            }
            Self::OnOff { rate, joins, leaves, until, mines } => {
                let cost = chain.cost();
                *mines = now < *until && if *mines { cost < *leaves } else { cost <= *joins };
                vec![honest(1.0), honest(if *mines { *rate } else { 0.0 })]
            }
        }
    }

    fn next_change(&self, now: Duration) -> Option<Duration> {
        match self {
            Self::Steps(steps) => steps.iter().map(|step| step.0).find(|until| now < *until),
            Self::Periodic { until, .. } | Self::OnOff { until, .. } if now >= *until => None,
            Self::Periodic { period, .. } => {
                let nanos = period.as_nanos() - now.as_nanos() % period.as_nanos();
                Some(now + Duration::from_nanos(u64::try_from(nanos).expect("short")))
            }
            Self::OnOff { until, .. } => Some(*until),
        }
    }
}

/// What the runs of a scenario have shown.
pub(crate) struct Outcome {
    /// The blocks that were counted, of each run, in ascending order.
    pub(crate) blocks: Vec<u32>,
    /// How many there should have been.
    pub(crate) schedule: u32,
    /// The mean time to the first block once the hash rate has settled.
    pub(crate) next_block: Duration,
    /// After how many blocks and how long, in the mean, the interval was right again.
    pub(crate) right: Option<(u32, Duration)>,
    /// The hashes of each miner for a block, where they have found some.
    pub(crate) costs: Vec<f64>,
}

/// One run.
struct Run {
    counted: u32,
    /// For each block since the hash rate has settled: how long after that it was found, and which
    /// interval the next target asks for.
    since: Vec<(Duration, f64)>,
    tally: Vec<(u32, f64)>,
}

impl Scenario {
    pub(crate) fn run(&self) -> Outcome {
        let runs: Vec<_> = (0..self.runs).map(|seed| self.run_once(seed.into())).collect();
        let mut blocks: Vec<_> = runs.iter().map(|run| run.counted).collect();
        blocks.sort_unstable();
        let interval = Rules::default().block_interval();
        let span = self.counted.1.saturating_sub(self.counted.0).as_millis() / interval.as_millis();
        Outcome {
            blocks,
            schedule: u32::try_from(span).expect("small"),
            next_block: mean_time(&runs, 1),
            right: right_again(&runs, interval.as_secs_f64()),
            costs: costs(&runs),
        }
    }

    fn run_once(&self, seed: u64) -> Run {
        let chain = Chain::on_schedule(Rules::default(), self.doublings, self.retarget.1);
        let mut simulation = Simulation::new(chain, seed);
        let mut miners = self.miners.clone();
        let (settled, rate) = self.settled;
        let mut run = Run { counted: 0, since: Vec::new(), tally: Vec::new() };
        if settled.is_zero() {
            run.since.push((settled, simulation.interval(rate)));
        }
        // Long enough to see when the interval is right again.
        while simulation.now < self.counted.1 || run.since.len() < 400 {
            assert!(simulation.find_block(&mut miners, FOREVER), "there is always a next block");
            let now = simulation.now;
            run.counted += u32::from(self.counted.0 <= now && now < self.counted.1);
            if let Some(since) = now.checked_sub(settled) {
                if run.since.is_empty() {
                    run.since.push((Duration::ZERO, f64::NAN));
                }
                run.since.push((since, simulation.interval(rate)));
            }
        }
        run.tally = simulation.tally;
        run
    }
}

/// The mean time of the block with this number.
fn mean_time(runs: &[Run], block: usize) -> Duration {
    let sum: Duration = runs.iter().map(|run| run.since[block].0).sum();
    sum / u32::try_from(runs.len()).expect("few")
}

/// The first block from which on the mean interval stays within a tenth of the right one for
/// twenty blocks.
fn right_again(runs: &[Run], interval: f64) -> Option<(u32, Duration)> {
    let shortest = runs.iter().map(|run| run.since.len()).min().unwrap_or(0);
    let is_right = |block: usize| {
        let sum: f64 = runs.iter().map(|run| run.since[block].1).sum();
        let mean = sum / f64::from(u32::try_from(runs.len()).expect("few"));
        (mean / interval - 1.0).abs() < 0.1
    };
    let right: Vec<_> = (0..shortest).map(is_right).collect();
    let block = right.windows(20).position(|window| window.iter().all(|right| *right))?;
    Some((u32::try_from(block).expect("small"), mean_time(runs, block)))
}

fn costs(runs: &[Run]) -> Vec<f64> {
    let miners = runs[0].tally.len();
    let cost = |miner: usize| {
        let tallies = || runs.iter().map(|run| run.tally[miner]);
        let blocks: u32 = tallies().map(|tally| tally.0).sum();
        tallies().map(|tally| tally.1).sum::<f64>() / f64::from(blocks)
    };
    (0..miners).map(cost).collect()
}

pub(crate) fn all() -> Vec<Scenario> {
    vec![
        steady("constant", 1.0, bounds(99..=101, 1, 0)),
        steady("10 times as much", 10.0, bounds(104..=108, 1, 12)),
        steady("a tenth of it", 0.1, bounds(92..=96, 2, 25)),
        on_off(bounds(98..=102, 2, 15)),
        periodic(bounds(98..=104, 3, 30)),
        idle_week("an idle week; 2^5 above the floor", 5, bounds(105..=115, 1, 12)),
        absolute(idle_week("the same", 5, bounds(2_000..=6_000, 1, 360))),
        idle_week("an idle week; 2^12 above the floor", 12, bounds(115..=130, 1, 12)),
        absolute(idle_week("the same", 12, bounds(2_000..=6_000, 1, 20))),
        Scenario { runs: 100, ..steady("99.9 % lost", 0.001, bounds(75..=95, 24, 60)) },
        Scenario {
            retarget: ("no doublings, two half-lives", chain::no_doublings),
            runs: 200,
            ..steady("the same", 0.001, bounds(0..=40, 200, 300))
        },
    ]
}

pub(crate) fn bounds(percent: RangeInclusive<u32>, next: u64, right: u64) -> Bounds {
    Bounds { percent, next, right }
}

/// The rate is another from the beginning on.
fn steady(name: &'static str, rate: f64, bounds: Bounds) -> Scenario {
    Scenario {
        name,
        retarget: ("Cairn's", chain::product),
        doublings: 12,
        miners: Miners::Steps(vec![(FOREVER, rate)]),
        counted: (Duration::ZERO, 3 * HOUR),
        settled: (Duration::ZERO, rate),
        runs: 40,
        bounds,
    }
}

pub(crate) fn on_off(bounds: Bounds) -> Scenario {
    let until = 6 * HOUR;
    Scenario {
        miners: Miners::OnOff { rate: 10.0, joins: 1.2, leaves: 3.0, until, mines: false },
        counted: (Duration::ZERO, until),
        settled: (until, 1.0),
        runs: 10,
        ..steady("10 times as much joins when it is easy, leaves when it is hard", 1.0, bounds)
    }
}

fn periodic(bounds: Bounds) -> Scenario {
    let until = 6 * HOUR;
    Scenario {
        miners: Miners::Periodic { rates: [1.0, 10.0], period: HOUR / 2, until },
        counted: (Duration::ZERO, until),
        settled: (until, 1.0),
        runs: 10,
        ..steady("10 times as much every other half hour", 1.0, bounds)
    }
}

fn idle_week(name: &'static str, doublings: u8, bounds: Bounds) -> Scenario {
    Scenario {
        doublings,
        miners: Miners::Steps(vec![(WEEK, 0.0), (FOREVER, 1.0)]),
        counted: (WEEK, WEEK + 3 * HOUR),
        settled: (WEEK, 1.0),
        ..steady(name, 1.0, bounds)
    }
}

/// Under the rule of Bitcoin Cash. Few runs, because they are long, and much alike.
fn absolute(scenario: Scenario) -> Scenario {
    let end = scenario.settled.0 + 6 * HOUR;
    Scenario {
        retarget: ("absolute ASERT", chain::absolute),
        counted: (scenario.counted.0, end),
        runs: 1,
        ..scenario
    }
}
