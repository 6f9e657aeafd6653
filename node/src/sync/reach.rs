//! Which branch we go after: the best one whose blocks somebody gives.
//!
//! Headers whose bodies nobody gives would keep a miner resting for ever: somebody shows a better
//! chain and leaves, or withholds it on purpose. So when the first missing block of a branch has
//! not come for [`PATIENCE`], every branch through it counts as out of reach, as if it were not
//! known: the node goes after the best of the branches that its peers announce, or mines on its
//! own tip. Whoever announces more work is asked for such blocks again, one question every
//! [`RETRY`]. When one of them comes, its branch is in reach again.

use std::cmp::Reverse;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use cairn_ledger::{LedgerError, Tip};
use cairn_protocol::{BlockRef, Height, Timestamp, Work};

use super::window::MAX_WINDOW;
use crate::input::PeerId;
use crate::node::Node;
use crate::time::Moment;

/// How long the first missing block may take before its branch counts as out of reach.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How often somebody is asked for blocks that are out of reach.
const RETRY: Duration = Duration::from_secs(10);
/// How often statuses make us choose anew, which reads much from the disk.
const LOOK_PACE: Duration = Duration::from_secs(1);
/// The most blocks remembered as out of reach; the oldest is forgotten, and may be waited for
/// once more.
pub(crate) const MAX_OUT_OF_REACH: usize = 16;

/// The branch that we go after, and those that we gave up.
#[derive(Debug)]
pub(crate) struct Reach {
    /// The end of the branch that we go after.
    target: Option<Tip>,
    /// The first missing blocks of branches that are out of reach, at most
    /// [`MAX_OUT_OF_REACH`].
    given_up: VecDeque<BlockRef>,
    retried: Option<Moment>,
    /// When a status last made us choose anew.
    looked: Option<Moment>,
    /// More is missing of it behind the window.
    goes_on: bool,
    /// Something may be missing that was not, or the reverse.
    is_outdated: bool,
}

impl Default for Reach {
    /// An earlier run may have left headers whose blocks are missing, so that is looked at first.
    fn default() -> Self {
        Self {
            target: None,
            given_up: VecDeque::new(),
            retried: None,
            looked: None,
            goes_on: false,
            is_outdated: true,
        }
    }
}

impl Reach {
    /// Headers or blocks were added or found to be invalid: something else may be missing now.
    pub(crate) fn look_again(&mut self) {
        self.is_outdated = true;
    }

    /// A peer announced something, which may make another branch worth going after.
    fn look_at_pace(&mut self, now: Moment) {
        if self.looked.is_none_or(|last| now.since(last) >= LOOK_PACE) {
            self.looked = Some(now);
            self.is_outdated = true;
        }
    }

    fn give_up(&mut self, block: BlockRef) {
        if self.given_up.len() >= MAX_OUT_OF_REACH {
            self.given_up.pop_front();
        }
        self.given_up.push_back(block);
        self.is_outdated = true;
    }

    /// Whether the branch that lacks these blocks is worth asking for.
    fn includes(&self, missing: &[BlockRef]) -> bool {
        missing.first().is_some_and(|first| !self.given_up.contains(first))
    }

    /// Whether a block that came was out of reach. It no longer is.
    pub(crate) fn regains(&mut self, block: BlockRef) -> bool {
        let before = self.given_up.len();
        self.given_up.retain(|other| *other != block);
        self.given_up.len() < before
    }

    /// The blocks that a peer of this height might give after all, if it is time to ask again.
    fn take_retry(&mut self, height: Height, now: Moment) -> BTreeSet<BlockRef> {
        if self.retried.is_some_and(|last| now.since(last) < RETRY) {
            return BTreeSet::new();
        }
        self.retried = Some(now);
        self.given_up.iter().filter(|block| block.height <= height).copied().collect()
    }
}

impl Node {
    /// Whether a branch in reach has more work than ours.
    pub(crate) fn is_catching_up(&self) -> bool {
        self.work_in_reach() > self.ledger.tip().work
    }

    /// The end of the best branch in reach that we know of; the tip, if that is the best.
    pub(crate) fn best_in_reach(&self) -> Tip {
        let tip = self.ledger.tip();
        self.reach.target.filter(|target| target.work > tip.work).unwrap_or(tip)
    }

    /// All work of [`Self::best_in_reach`].
    pub(crate) fn work_in_reach(&self) -> Work {
        self.best_in_reach().work
    }

    /// When the first missing block will have taken too long.
    pub(crate) fn reach_deadline(&self) -> Option<Moment> {
        self.window.first().map(|(_, since)| since.after(PATIENCE))
    }

    /// Looks at what is missing now, if that may have changed.
    pub(crate) fn look_for_missing(&mut self) -> Result<(), LedgerError> {
        let now = self.clock.own();
        if let Some(block) = self.window.overdue(PATIENCE, now) {
            self.reach.give_up(block);
        }
        let is_short = self.reach.goes_on && self.window.len() < MAX_WINDOW / 2;
        if self.reach.is_outdated || is_short {
            let (target, missing) = self.choose_target()?;
            self.reach.target = target;
            self.reach.goes_on = missing.len() >= MAX_WINDOW;
            self.reach.is_outdated = false;
            self.window.move_to(missing, now);
        }
        Ok(())
    }

    /// The best branch in reach with more work than ours, and the start of what it lacks.
    fn choose_target(&mut self) -> Result<(Option<Tip>, Vec<BlockRef>), LedgerError> {
        let (tip, best) = (self.ledger.tip(), self.ledger.best_header());
        if best.work <= tip.work {
            self.reach.given_up.clear();
            return Ok((None, Vec::new()));
        }
        let missing = self.ledger.missing_blocks(MAX_WINDOW)?;
        if self.reach.includes(&missing) {
            return Ok((Some(best), missing));
        }
        for head in self.announced_heads()?.into_iter().filter(|head| head.work > tip.work) {
            let missing = self.ledger.missing_blocks_to(head.block, MAX_WINDOW)?;
            if self.reach.includes(&missing) {
                return Ok((Some(head), missing));
            }
        }
        Ok((None, Vec::new()))
    }

    /// The tips that peers announce, as far as their headers are known, those with the most work
    /// first.
    fn announced_heads(&self) -> Result<Vec<Tip>, LedgerError> {
        let announced: BTreeSet<_> =
            self.peers.iter().map(|(_, peer)| peer.status.tip_ref()).collect();
        let mut heads = Vec::new();
        for block in announced {
            if let Some(work) = self.ledger.header_work(block)? {
                // Nobody asks for the time of a target.
                heads.push(Tip { block, work, time: Timestamp::ZERO });
            }
        }
        heads.sort_by_key(|head| Reverse(head.work));
        Ok(heads)
    }

    /// A peer has announced its tip: perhaps it can give what nobody gave, or has a branch that
    /// is in reach.
    pub(crate) fn retry_out_of_reach(&mut self, id: PeerId) {
        if self.reach.given_up.is_empty() {
            return;
        }
        let (now, work) = (self.clock.own(), self.ledger.tip().work);
        self.reach.look_at_pace(now);
        let claims_more = self
            .peers
            .get(id)
            .filter(|peer| peer.is_askable(now) && peer.status.work > work)
            .map(|peer| peer.status.height);
        if let Some(height) = claims_more.filter(|_| self.questions.has_room()) {
            let blocks = self.reach.take_retry(height, now);
            self.ask_for(id, blocks);
        }
    }
}

#[cfg(test)]
mod tests {
    use cairn_protocol::BlockHash;

    use super::*;

    fn place(height: u32) -> BlockRef {
        BlockRef { height: Height::from(height), hash: BlockHash::default() }
    }

    #[test]
    fn only_so_many_blocks_are_remembered_as_out_of_reach() {
        let mut reach = Reach::default();
        for height in 0..20 {
            reach.give_up(place(height));
            assert!(reach.given_up.len() <= MAX_OUT_OF_REACH);
            assert!(!reach.includes(&[place(height), place(99)]));
        }
        assert!(reach.includes(&[place(3)]), "the oldest are forgotten");
        assert!(reach.includes(&[place(99), place(19)]), "only the first one counts");
        assert!(!reach.includes(&[]), "nothing is missing");
        assert!(reach.regains(place(19)) && !reach.regains(place(19)));
        assert!(reach.includes(&[place(19)]));
    }

    #[test]
    fn a_flood_of_statuses_does_not_make_us_choose_for_each() {
        let at = |millis| Moment::START.after(Duration::from_millis(millis));
        let mut reach = Reach::default();
        let mut chosen = 0;
        for millis in 0..3_500 {
            reach.look_at_pace(at(millis));
            chosen += usize::from(std::mem::take(&mut reach.is_outdated));
        }
        assert_eq!(chosen, 4);
    }

    #[test]
    fn rule_n4_what_is_out_of_reach_is_asked_for_at_a_pace() {
        let at = |seconds| Moment::START.after(Duration::from_secs(seconds));
        let mut reach = Reach::default();
        reach.give_up(place(5));
        reach.give_up(place(9));
        assert_eq!(reach.take_retry(Height::from(7), at(100)), [place(5)].into());
        assert_eq!(reach.take_retry(Height::from(9), at(109)), BTreeSet::new());
        assert_eq!(reach.take_retry(Height::from(9), at(110)), [place(5), place(9)].into());
    }
}
