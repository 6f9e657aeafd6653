//! [`Coverage`]: what happened in histories, and what must have happened in many, so that the
//! generator cannot rot into triviality.

use std::collections::BTreeMap;
use std::fmt;

use cairn_ledger::ContextError;
use cairn_protocol::{Rules, VerifiedBlock, VerifiedTransaction};

use crate::accounts::State;
use crate::history::Flaw;

/// What must have been seen at least so often in so many histories or more.
const FEW: usize = 200;
const LEAST: usize = 3;
/// The depth that reorganisations must reach in them.
const DEEP: usize = 50;

/// A thing that is to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Reorganisation,
    DeepReorganisation,
    ShorterButHeavier,
    LongerButLighter,
    Tie,
    Restart,
    CaughtUp,
    CaughtUpByReorganisation,
    CondemnedActive,
    InvalidFound,
    InvalidInTheMiddle,
    ValidPartAdopted,
    DueLater,
    BodyBeforeItsParents,
    GivenAgain,
    PaymentToSelf,
    Fee,
    NoFee,
    AllSpent,
    SpentInTheSameBlock,
    SpentAsSoonAsMature,
    TooFewButLate,
    MovedTarget,
    AllIssued,
}

const KINDS: [Kind; 24] = [
    Kind::Reorganisation,
    Kind::DeepReorganisation,
    Kind::ShorterButHeavier,
    Kind::LongerButLighter,
    Kind::Tie,
    Kind::Restart,
    Kind::CaughtUp,
    Kind::CaughtUpByReorganisation,
    Kind::CondemnedActive,
    Kind::InvalidFound,
    Kind::InvalidInTheMiddle,
    Kind::ValidPartAdopted,
    Kind::DueLater,
    Kind::BodyBeforeItsParents,
    Kind::GivenAgain,
    Kind::PaymentToSelf,
    Kind::Fee,
    Kind::NoFee,
    Kind::AllSpent,
    Kind::SpentInTheSameBlock,
    Kind::SpentAsSoonAsMature,
    Kind::TooFewButLate,
    Kind::MovedTarget,
    Kind::AllIssued,
];
/// The rules that are to refuse something. C9 cannot be broken: the supply is limited.
const RULES: [&str; 8] = ["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8"];
const FLAWS: [Flaw; 9] = [
    Flaw::Overspend,
    Flaw::OverspendToSelf,
    Flaw::Gap,
    Flaw::Repeat,
    Flaw::Immature,
    Flaw::TooFew,
    Flaw::Target,
    Flaw::AtMedian,
    Flaw::BeforeMedian,
];

/// How often what happened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Coverage {
    pub(crate) histories: usize,
    pub(crate) steps: usize,
    pub(crate) calls: usize,
    pub(crate) blocks: usize,
    pub(crate) deepest: usize,
    kinds: BTreeMap<Kind, usize>,
    rules: BTreeMap<&'static str, usize>,
    flaws: BTreeMap<Flaw, usize>,
}

impl Coverage {
    pub(crate) fn saw(&mut self, kind: Kind) {
        *self.kinds.entry(kind).or_default() += 1;
    }

    pub(crate) fn saw_if(&mut self, happened: bool, kind: Kind) {
        if happened {
            self.saw(kind);
        }
    }

    /// A reorganisation that disconnected so many blocks.
    pub(crate) fn reorganised(&mut self, depth: usize) {
        self.saw_if(depth > 0, Kind::Reorganisation);
        self.saw_if(depth >= DEEP, Kind::DeepReorganisation);
        self.deepest = self.deepest.max(depth);
    }

    /// A block, perhaps a flawed one, that was refused.
    pub(crate) fn refused(&mut self, error: &ContextError, flaw: Option<Flaw>) {
        *self.rules.entry(error.rule()).or_default() += 1;
        let is_own_fault = !matches!(error.rule(), "C1" | "C2" | "C5");
        if let Some(flaw) = flaw.filter(|_| is_own_fault) {
            *self.flaws.entry(flaw).or_default() += 1;
        }
    }

    /// What the blocks of the chain that a history ends with show.
    pub(crate) fn look_at(&mut self, rules: &Rules, blocks: &[&VerifiedBlock]) {
        let mut state = State::default();
        for block in blocks {
            let header = block.header().header();
            let too_few = block.transaction_count() < rules.min_block_transactions as usize;
            self.saw_if(too_few && header.height.get() > 1, Kind::TooFewButLate);
            self.saw_if(header.target != rules.floor(), Kind::MovedTarget);
            self.saw_if(block.reward().amount.micros() < 1_000_000, Kind::AllIssued);
            self.look_at_payments(rules, &state, block);
            state.connect(rules, block).expect("valid");
        }
    }

    fn look_at_payments(&mut self, rules: &Rules, before: &State, block: &VerifiedBlock) {
        let credited = before.last_rewarded(rules);
        let mut state = before.clone();
        for payment in block.payments().iter().map(VerifiedTransaction::payment) {
            let cost = i128::from(payment.amount.micros()) + i128::from(payment.fee.micros());
            let had = before.of(payment.sender).balance;
            let reward = credited.filter(|reward| reward.recipient == payment.sender);
            let reward = reward.map_or(0, |reward| i128::from(reward.amount.micros()));
            self.saw_if(payment.sender == payment.recipient, Kind::PaymentToSelf);
            self.saw_if(payment.fee.micros() > 0, Kind::Fee);
            self.saw_if(payment.fee.micros() == 0, Kind::NoFee);
            self.saw_if(state.of(payment.sender).balance == cost, Kind::AllSpent);
            self.saw_if(cost > had, Kind::SpentInTheSameBlock);
            self.saw_if(cost <= had && cost > had - reward, Kind::SpentAsSoonAsMature);
            state.pay(0, payment).expect("valid");
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.histories += other.histories;
        self.steps += other.steps;
        self.calls += other.calls;
        self.blocks += other.blocks;
        self.deepest = self.deepest.max(other.deepest);
        add_all(&mut self.kinds, &other.kinds);
        add_all(&mut self.rules, &other.rules);
        add_all(&mut self.flaws, &other.flaws);
    }

    /// What was seen too rarely, if there were histories enough.
    pub(crate) fn lacks(&self) -> Vec<String> {
        if self.histories < FEW {
            return Vec::new();
        }
        let kinds = lacking(&self.kinds, &KINDS).map(|kind| format!("{kind:?}"));
        let rules = lacking(&self.rules, &RULES).map(|rule| format!("refused by {rule}"));
        let flaws = lacking(&self.flaws, &FLAWS).map(|flaw| format!("refused for {flaw:?}"));
        kinds.chain(rules).chain(flaws).collect()
    }
}

fn add_all<K: Copy + Ord>(sums: &mut BTreeMap<K, usize>, more: &BTreeMap<K, usize>) {
    for (key, count) in more {
        *sums.entry(*key).or_default() += count;
    }
}

fn lacking<'k, K: Ord>(
    counts: &BTreeMap<K, usize>,
    wanted: &'k [K],
) -> impl Iterator<Item = &'k K> {
    wanted.iter().filter(|key| counts.get(key).copied().unwrap_or(0) < LEAST)
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { histories, steps, calls, blocks, deepest, .. } = self;
        writeln!(f, "{histories} histories of {steps} steps: {calls} calls with {blocks} blocks")?;
        writeln!(f, "the deepest reorganisation was of {deepest} blocks")?;
        for (kind, count) in &self.kinds {
            writeln!(f, "{count:>8} {kind:?}")?;
        }
        for (rule, count) in &self.rules {
            writeln!(f, "{count:>8} refused by {rule}")?;
        }
        for (flaw, count) in &self.flaws {
            writeln!(f, "{count:>8} refused for {flaw:?}")?;
        }
        Ok(())
    }
}
