//! [`History`]: the rules of a network and what happens on it, as small plain data.
//!
//! Every number is taken modulo what there is when its step comes, so each step means something
//! whatever stands before it: histories shrink by leaving steps out. Variants and numbers shrink
//! towards the plainest, which is the first of each enum, and 0.

use cairn_protocol::{Amount, Network, Rules};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::kit;

/// The rules, and what happens step by step.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) setting: Setting,
    pub(crate) steps: Vec<Step>,
}

/// The rules that differ between histories.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) maturity: u32,
    pub(crate) blocks: Blocks,
    /// Whether all coins there can ever be are issued by a few blocks.
    pub(crate) scarce: bool,
}

/// What is asked of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocks {
    /// Next to nothing.
    Any,
    /// A target that moves with each block.
    Moving,
    /// At least five transactions.
    OfFive,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Blocks are mined one on the other, of which all or some are given.
    Mine(Run, Arrival),
    /// Blocks that were mined before are given, perhaps again: this one and so many before it.
    Give { last: Pick, before: u8, arrival: Arrival },
    /// The last so many blocks that were mined are given, perhaps again, of whatever branches.
    GiveNewest { blocks: u8, arrival: Arrival },
    /// So many seconds pass.
    Wait(u16),
    /// The ledger is closed and opened again.
    Restart,
    /// A block turns out to break a rule without context.
    Condemn(Pick),
}

/// A block among those that were mined so far.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pick {
    /// The end of the active chain.
    Tip,
    /// So many blocks before it.
    Back(u8),
    /// Any, the newest first.
    Any(u16),
    /// One that the ledger has no body of, the newest first.
    Missing(u16),
}

/// Blocks that are mined one on the other.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) on: Pick,
    pub(crate) miner: u8,
    pub(crate) length: Length,
    /// What the blocks are like, in turn.
    pub(crate) plans: Vec<Plan>,
    /// What is wrong with one of them.
    pub(crate) flaw: Option<(u8, Flaw)>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Length {
    Blocks(u8),
    /// As many as it takes to be so many blocks longer than the active chain.
    Overtake(u8),
}

/// What a block is like.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) pace: Pace,
    pub(crate) payments: Vec<Pay>,
}

/// The time of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// One second after its parent.
    Usual,
    /// One millisecond after its parent.
    Fast,
    /// Four intervals of a moving difficulty after its parent.
    Slow,
    /// So late that it needs fewer transactions or has an easier target.
    Late,
    /// The first that is allowed.
    Back,
    /// As far ahead of the clock as is allowed.
    Ahead,
    /// A millisecond, and so many seconds, farther.
    TooFar(u8),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Pay {
    pub(crate) payer: Payer,
    /// How far the recipient stands from the payer in the circle of all; 0 is the payer.
    pub(crate) to: u8,
    pub(crate) share: Share,
    pub(crate) fee: u8,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Payer {
    /// Who got the reward that was credited last.
    Rewarded,
    /// Who was paid by the payment before.
    Paid,
    /// Anybody who has something.
    Anybody(u8),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Share {
    Micros(u16),
    /// All that is left.
    All,
}

/// What is wrong with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flaw {
    /// Somebody pays more than he has: to another, or to himself.
    Overspend,
    OverspendToSelf,
    /// A payment's sequence is one too high, or one too low.
    Gap,
    Repeat,
    /// A reward is spent in the block that credits it.
    Immature,
    /// There are too few transactions.
    TooFew,
    /// The target is not the required one.
    Target,
    /// The time is the median, or before it.
    AtMedian,
    BeforeMedian,
}

/// How blocks are given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// Whether all headers come first.
    pub(crate) headers: bool,
    pub(crate) bodies: Bodies,
    pub(crate) order: Order,
    /// Whether each body comes twice.
    pub(crate) twice: bool,
    /// The body that does not come.
    pub(crate) hole: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bodies {
    InOneCall,
    OneByOne,
    /// One by one, and all are committed together.
    CatchingUp,
    /// None comes.
    Withheld,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    Ascending,
    Descending,
    Shuffled(u8),
}

impl Setting {
    pub(crate) fn network(self) -> Network {
        kit::network(|rules| self.change(rules))
    }

    fn change(self, rules: &mut Rules) {
        rules.reward_maturity = self.maturity;
        match self.blocks {
            Blocks::Any => {}
            Blocks::Moving => {
                (rules.difficulty, rules.block_interval_seconds) = (1, 10);
                rules.half_life_seconds = 5;
            }
            Blocks::OfFive => {
                (rules.min_block_transactions, rules.min_block_wait_seconds) = (5, 30);
            }
        }
        if self.scarce {
            let most = Amount::MAX.micros();
            rules.block_reward = Amount::from_micros(most / 12).expect("less than all");
        }
    }
}

/// Any history.
pub(crate) fn histories() -> impl Strategy<Value = History> {
    let setting = (
        select(vec![0, 3]),
        prop_oneof![Just(Blocks::Any), Just(Blocks::Moving), Just(Blocks::OfFive)],
        prop::bool::weighted(0.1),
    );
    let setting =
        setting.prop_map(|(maturity, blocks, scarce)| Setting { maturity, blocks, scarce });
    let steps = prop_oneof![9 => vec(step(), 1..20), 1 => vec(long_step(), 3..8)];
    (setting, steps).prop_map(|(setting, steps)| History { setting, steps })
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![
        5 => (1..6_u8).prop_map(Length::Blocks),
        3 => (0..3_u8).prop_map(Length::Overtake),
    ];
    let late = prop_oneof![2 => (0..6_u16).prop_map(Pick::Missing), 1 => pick(8)];
    prop_oneof![
        24 => (run(pick(8), length), arrival(3)).prop_map(|(run, arrival)| Step::Mine(run, arrival)),
        6 => (race(), arrival(3)).prop_map(|(run, arrival)| Step::Mine(run, arrival)),
        8 => (late, 0..12_u8, arrival(3))
            .prop_map(|(last, before, arrival)| Step::Give { last, before, arrival }),
        4 => (1..16_u8, arrival(1))
            .prop_map(|(blocks, arrival)| Step::GiveNewest { blocks, arrival }),
        4 => (0..300_u16).prop_map(Step::Wait),
        1 => Just(Step::Restart),
        1 => pick(8).prop_map(Step::Condemn),
    ]
}

/// Long runs, and deep reorganisations.
fn long_step() -> impl Strategy<Value = Step> {
    let long = || (50..60_u8).prop_map(Length::Blocks);
    let deep = || (50..60_u8).prop_map(Pick::Back);
    let overtake = || (0..4_u8).prop_map(Length::Overtake);
    let any_length = prop_oneof![(1..60_u8).prop_map(Length::Blocks), overtake()];
    let mine = |(run, arrival)| Step::Mine(run, arrival);
    prop_oneof![
        3 => (calm(Just(Pick::Tip), long()), arrival(1)).prop_map(mine),
        3 => (calm(deep(), overtake()), arrival(1)).prop_map(mine),
        2 => (run(pick(60), any_length), arrival(1)).prop_map(mine),
        2 => (pick(60), 0..80_u8, arrival(1))
            .prop_map(|(last, before, arrival)| Step::Give { last, before, arrival }),
        1 => Just(Step::Restart),
    ]
}

fn pick(far: u8) -> impl Strategy<Value = Pick> {
    prop_oneof![
        4 => Just(Pick::Tip),
        4 => (0..far).prop_map(Pick::Back),
        1 => any::<u16>().prop_map(Pick::Any),
        2 => (0..4_u16).prop_map(Pick::Missing),
    ]
}

fn run(
    on: impl Strategy<Value = Pick>,
    length: impl Strategy<Value = Length>,
) -> impl Strategy<Value = Run> {
    let flaw = prop::option::weighted(0.2, (any::<u8>(), flaw()));
    let parts = (on, 0..4_u8, length, vec(plan(), 0..4), flaw);
    parts.prop_map(|(on, miner, length, plans, flaw)| Run { on, miner, length, plans, flaw })
}

/// A run of empty blocks, all slow or all fast: with a moving difficulty few fast ones have more
/// work than many slow ones.
fn race() -> impl Strategy<Value = Run> {
    let pace = prop_oneof![Just(Pace::Slow), Just(Pace::Fast)];
    (pick(8), 0..4_u8, 1..8_u8, pace).prop_map(|(on, miner, blocks, pace)| {
        let plans = vec![Plan { pace, payments: Vec::new() }];
        Run { on, miner, length: Length::Blocks(blocks), plans, flaw: None }
    })
}

/// A run without flaws, none of whose blocks comes before its time.
fn calm(
    on: impl Strategy<Value = Pick>,
    length: impl Strategy<Value = Length>,
) -> impl Strategy<Value = Run> {
    run(on, length).prop_map(|mut run| {
        run.flaw = None;
        run.plans.retain(|plan| !matches!(plan.pace, Pace::TooFar(_)));
        run
    })
}

fn plan() -> impl Strategy<Value = Plan> {
    let pace = prop_oneof![
        8 => Just(Pace::Usual),
        4 => Just(Pace::Fast),
        4 => Just(Pace::Slow),
        4 => Just(Pace::Late),
        2 => Just(Pace::Back),
        1 => Just(Pace::Ahead),
        1 => (0..60_u8).prop_map(Pace::TooFar),
    ];
    (pace, vec(pay(), 0..4)).prop_map(|(pace, payments)| Plan { pace, payments })
}

fn pay() -> impl Strategy<Value = Pay> {
    let payer = prop_oneof![
        Just(Payer::Rewarded),
        Just(Payer::Paid),
        any::<u8>().prop_map(Payer::Anybody),
    ];
    let share = prop_oneof![2 => (1..1000_u16).prop_map(Share::Micros), 1 => Just(Share::All)];
    let fee = prop_oneof![Just(0), 1..100_u8];
    (payer, 0..6_u8, share, fee).prop_map(|(payer, to, share, fee)| Pay { payer, to, share, fee })
}

fn flaw() -> impl Strategy<Value = Flaw> {
    prop_oneof![
        1 => Just(Flaw::Overspend),
        1 => Just(Flaw::OverspendToSelf),
        1 => Just(Flaw::Gap),
        1 => Just(Flaw::Repeat),
        1 => Just(Flaw::Immature),
        // A third of the networks has it.
        3 => Just(Flaw::TooFew),
        1 => Just(Flaw::Target),
        1 => Just(Flaw::AtMedian),
        1 => Just(Flaw::BeforeMedian),
    ]
}

/// How blocks come; one call for each is so many times as frequent as it is in long runs.
fn arrival(one_by_one: u32) -> impl Strategy<Value = Arrival> {
    let bodies = prop_oneof![
        6 => Just(Bodies::InOneCall),
        one_by_one => Just(Bodies::OneByOne),
        one_by_one => Just(Bodies::CatchingUp),
        1 => Just(Bodies::Withheld),
    ];
    let order = prop_oneof![
        3 => Just(Order::Ascending),
        1 => Just(Order::Descending),
        1 => any::<u8>().prop_map(Order::Shuffled),
    ];
    let hole = prop::option::weighted(0.15, any::<u8>());
    let parts = (any::<bool>(), bodies, order, prop::bool::weighted(0.1), hole);
    parts.prop_map(|(headers, bodies, order, twice, hole)| Arrival {
        headers,
        bodies,
        order,
        twice,
        hole,
    })
}
