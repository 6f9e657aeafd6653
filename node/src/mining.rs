//! When to mine and when to rest, and when a template has had its time.

use std::time::Duration;

use cairn_ledger::LedgerError;
use cairn_protocol::{AccountId, BlockHash, Timestamp};

use crate::announcer::SOLICITED_PACE;
use crate::node::Node;
use crate::output::{Output, RestReason};
use crate::template::Template;
use crate::time::Moment;

/// How long a node that has just started waits to hear of others before it mines.
pub(crate) const JOINING: Duration = Duration::from_secs(2);
/// A template lives for so long: its time grows old, and with it the target may ease.
pub(crate) const TEMPLATE_LIFE: Duration = Duration::from_secs(5);
/// A template lives for so long at least when only the mempool has changed.
pub(crate) const TEMPLATE_PACE: Duration = Duration::from_secs(1);

/// What the miner was told last, and why.
#[derive(Debug, Default)]
pub(crate) struct Mining {
    /// How many blocks of our own are enough.
    pub(crate) most: Option<u64>,
    has_joined: bool,
    told: Option<Told>,
    made: Option<Made>,
}

#[derive(Debug, PartialEq)]
enum Told {
    Mine,
    Rest(RestReason),
}

/// The circumstances of the last template.
#[derive(Debug)]
struct Made {
    at: Moment,
    tip: BlockHash,
    mempool: u64,
    /// It has fewer transactions than a block needs; from this time on it would do.
    suffices_at: Option<Timestamp>,
}

impl Node {
    /// Tells the miner what has changed for it.
    pub(crate) fn direct_miner(&mut self) -> Result<(), LedgerError> {
        let Some(recipient) = self.settings.reward_to else {
            self.rest(RestReason::NotMining);
            return Ok(());
        };
        if let Some(reason) = self.reason_to_rest() {
            self.mining.made = None;
            self.rest(reason);
            return Ok(());
        }
        if self.needs_template() { self.make_template(recipient) } else { Ok(()) }
    }

    fn reason_to_rest(&mut self) -> Option<RestReason> {
        if self.mining.most.is_some_and(|most| self.counters.mined >= most) {
            return Some(RestReason::Enough);
        }
        if !self.mining.has_joined {
            self.mining.has_joined = self.is_done_joining();
        }
        if !self.mining.has_joined {
            return Some(RestReason::Joining);
        }
        if self.is_catching_up() {
            let height = self.ledger.tip().block.height;
            let best = self.best_in_reach().block.height;
            return Some(RestReason::CatchingUp { height, best });
        }
        self.clock_watch.off().map(|seconds| RestReason::ClockOff { seconds })
    }

    /// Whether we have heard of the others: everybody answers within [`SOLICITED_PACE`].
    fn is_done_joining(&self) -> bool {
        let age = self.clock.own().since(Moment::START);
        age >= JOINING || age > SOLICITED_PACE && self.is_level()
    }

    fn needs_template(&self) -> bool {
        let Some(made) = &self.mining.made else {
            return true;
        };
        let age = self.clock.own().since(made.at);
        made.tip != self.ledger.tip().block.hash
            || age >= TEMPLATE_LIFE
            || age >= TEMPLATE_PACE && made.mempool != self.mempool.version()
            || made.suffices_at.is_some_and(|time| time <= self.clock.wall())
    }

    fn make_template(&mut self, recipient: AccountId) -> Result<(), LedgerError> {
        let next = self.ledger.next_block(self.clock.wall())?;
        let network = self.ledger.network();
        let template = Template::build(&self.mempool, &next, network, recipient);
        let have = u32::try_from(template.transaction_count()).unwrap_or(u32::MAX);
        let need = next.min_transactions;
        let suffices_at = (have < need)
            .then(|| next.parent.time.after(network.rules().min_block_wait()))
            .filter(|time| *time > self.clock.wall());
        self.mining.made = Some(Made {
            at: self.clock.own(),
            tip: next.parent.block.hash,
            mempool: self.mempool.version(),
            suffices_at,
        });
        if have < need {
            self.rest(RestReason::TooFewTransactions { have, need });
        } else {
            self.mining.told = Some(Told::Mine);
            self.out.push(Output::Mine(template));
        }
        Ok(())
    }

    fn rest(&mut self, reason: RestReason) {
        let told = Told::Rest(reason.clone());
        let is_known = self.mining.told.as_ref().is_some_and(|last| last.is_like(&told));
        if !is_known {
            self.mining.told = Some(told);
            self.out.push(Output::Rest(reason));
        }
    }

    /// When [`Self::direct_miner`] has something to do by our own time.
    pub(crate) fn mining_deadline(&self) -> Option<Moment> {
        self.settings.reward_to?;
        if !self.mining.has_joined {
            let early = Moment::START.after(SOLICITED_PACE + Duration::from_millis(1));
            let is_early = self.clock.own() < early;
            return Some(if is_early { early } else { Moment::START.after(JOINING) });
        }
        let made = self.mining.made.as_ref()?;
        let is_outdated = made.mempool != self.mempool.version();
        Some(made.at.after(if is_outdated { TEMPLATE_PACE } else { TEMPLATE_LIFE }))
    }

    /// When [`Self::direct_miner`] has something to do by the wall clock.
    pub(crate) fn mining_due(&self) -> Option<Timestamp> {
        self.mining.made.as_ref()?.suffices_at
    }
}

impl Told {
    /// Whether this tells a user nothing new. How far a clock is off changes all the time.
    fn is_like(&self, other: &Self) -> bool {
        let off = |told: &Self| matches!(told, Self::Rest(RestReason::ClockOff { .. }));
        self == other || off(self) && off(other)
    }
}
