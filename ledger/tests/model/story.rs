//! [`Story`]: a history as lines that a reader can follow and play again by hand.

use cairn_ledger::{BlocksAdded, HeadersAdded};
use cairn_protocol::{AccountId, BlockRef, VerifiedBlock};

use crate::accounts::Holding;
use crate::history::{Blocks, Setting};
use crate::miner::Mined;
use crate::model::Model;
use crate::purse::PEOPLE;

/// The lines so far, if it is told at all.
#[derive(Debug, Default)]
pub(crate) struct Story {
    lines: Option<Vec<String>>,
    state: String,
}

impl Story {
    /// One that keeps its lines.
    pub(crate) fn told() -> Self {
        Self { lines: Some(Vec::new()), state: String::new() }
    }

    /// One that nobody hears.
    pub(crate) fn untold() -> Self {
        Self::default()
    }

    pub(crate) fn text(&self) -> String {
        self.lines.as_ref().map(|lines| lines.join("\n")).unwrap_or_default()
    }

    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("   {}", line()));
        }
    }

    pub(crate) fn begin(&mut self, setting: Setting) {
        let Some(lines) = &mut self.lines else {
            return;
        };
        let network = setting.network();
        let rules = network.rules();
        let difficulty = match setting.blocks {
            Blocks::Moving => format!(
                "moving, one block in {} s, half-life {} s",
                rules.block_interval_seconds, rules.half_life_seconds
            ),
            Blocks::Any | Blocks::OfFive => "fixed".to_owned(),
        };
        lines.push(format!(
            "rules: a reward of {} is credited {} blocks later; a block has at least {} \
             transactions, or comes {} s after its parent; difficulty {} bits, {difficulty}",
            rules.block_reward,
            rules.reward_maturity,
            rules.min_block_transactions,
            rules.min_block_wait_seconds,
            rules.difficulty,
        ));
        lines.push(
            "#0 is genesis; people have numbers; amounts are micro-coins, and sequences stand in \
             brackets"
                .to_owned(),
        );
    }

    pub(crate) fn step(&mut self, index: usize) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{}.", index + 1));
        }
    }

    /// The blocks that were mined from this number on.
    pub(crate) fn mined(&mut self, mined: &Mined, from: usize) {
        for (number, one) in mined.blocks.iter().enumerate().skip(from) {
            let block = one.verified.as_ref().expect("not genesis");
            let flaw = one.flaw.map(|flaw| format!(" (flawed: {flaw:?})")).unwrap_or_default();
            self.tell(|| {
                format!(
                    "mined #{number} on #{}: {}{flaw}",
                    one.parent,
                    told_block(mined, one.parent, block)
                )
            });
        }
    }

    /// What is about to be given.
    pub(crate) fn given(&mut self, what: &str, given: &[usize]) {
        self.tell(|| format!("{what} given: {}", numbers(given)));
    }

    /// What became of headers that were given.
    pub(crate) fn headers(&mut self, given: &[usize], model: &HeadersAdded, ledger: &HeadersAdded) {
        let told = |answer: &HeadersAdded| {
            let refused = answer.refused.map(|(index, error)| {
                format!(", refused #{} by {}: {error}", given[index], error.rule())
            });
            format!("{} new{}", answer.new, refused.unwrap_or_default())
        };
        self.answers(model == ledger, || told(model), || told(ledger));
    }

    /// What became of blocks that were given.
    pub(crate) fn blocks(&mut self, mined: &Mined, model: &BlocksAdded, ledger: &BlocksAdded) {
        let told = |answer: &BlocksAdded| told_answer(mined, answer);
        self.answers(model == ledger, || told(model), || told(ledger));
    }

    fn answers(
        &mut self,
        agree: bool,
        model: impl FnOnce() -> String,
        ledger: impl FnOnce() -> String,
    ) {
        if agree {
            self.tell(|| format!("  both:   {}", model()));
        } else {
            self.tell(|| format!("  model:  {}", model()));
            self.tell(|| format!("  ledger: {}", ledger()));
        }
    }

    /// Where the model stands, if that is elsewhere than before.
    pub(crate) fn state(&mut self, mined: &Mined, model: &Model) {
        if self.lines.is_none() {
            return;
        }
        let tip = model.tip();
        let held = |(index, (_, id)): (usize, &(_, AccountId))| {
            let held = model.state().of(*id);
            let holds = held != Holding::default();
            holds.then(|| format!("; {} has {} ({})", index + 1, held.balance, held.sequence))
        };
        let accounts: String = PEOPLE.iter().enumerate().filter_map(held).collect();
        let number = mined.number(tip.block.hash);
        let state = format!("  then:   tip #{number} of work {}{accounts}", tip.work);
        if state != self.state {
            self.tell(|| state.clone());
            self.state = state;
        }
    }
}

fn told_block(mined: &Mined, parent: usize, block: &VerifiedBlock) -> String {
    let header = block.header().header();
    let after = header.time.millis_since(mined.blocks[parent].header.header.time);
    let target = header.target.to_string();
    let payments = block.payments().iter().map(|payment| {
        let payment = payment.payment();
        format!(
            "; {} pays {} {} with a fee of {} ({})",
            person(payment.sender),
            person(payment.recipient),
            payment.amount.micros(),
            payment.fee.micros(),
            payment.sequence
        )
    });
    let payments: String = payments.collect();
    format!(
        "height {}, {after} ms later, target {}.., {} to {}{payments}",
        header.height,
        &target[..8],
        block.reward().amount.micros(),
        person(block.reward().recipient),
    )
}

fn told_answer(mined: &Mined, answer: &BlocksAdded) -> String {
    let number = |block: &BlockRef| mined.number(block.hash);
    let list = |blocks: &[BlockRef]| numbers(&blocks.iter().map(number).collect::<Vec<_>>());
    let change = answer.change.as_ref().map_or("no change".to_owned(), |change| {
        let touched: Vec<String> = change.touched.iter().map(|id| person(*id)).collect();
        format!(
            "tip #{}, disconnected {}, connected {}, touched {}",
            number(&change.new.block),
            list(&change.disconnected),
            list(&change.connected),
            touched.join(" ")
        )
    });
    let refused = answer
        .refused
        .iter()
        .map(|(block, error)| format!("; refused #{} by {}: {error}", number(block), error.rule()));
    change + &refused.collect::<String>()
}

fn person(account: AccountId) -> String {
    let index = PEOPLE.iter().position(|(_, id)| *id == account);
    index.map_or_else(|| format!("{account:?}"), |index| (index + 1).to_string())
}

fn numbers(blocks: &[usize]) -> String {
    if blocks.is_empty() {
        return "none".to_owned();
    }
    blocks.iter().map(|number| format!("#{number}")).collect::<Vec<_>>().join(" ")
}
