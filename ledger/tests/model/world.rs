//! [`World`]: runs a history through the ledger and through the model, and compares them after
//! every call.

use std::collections::BTreeSet;
use std::path::Path;

use cairn_ledger::{BlocksAdded, Ledger, LedgerError, LedgerReader, Tip, TipChange};
use cairn_protocol::{BlockRef, Network, ProvenHeader, VerifiedBlock};
use tempfile::TempDir;

use crate::compare::{self, sorted};
use crate::coverage::{Coverage, Kind};
use crate::history::{Arrival, Bodies, History, Length, Order, Pick, Run, Step};
use crate::miner::Mined;
use crate::model::Model;
use crate::purse::PEOPLE;
use crate::story::Story;

/// Where ledgers that are closed and opened again are kept, if there is such a place: in memory.
const FAST_DISK: &str = "/dev/shm";

/// Runs a history. The error says how model and ledger differ; the story is told if wanted.
pub(crate) fn run(history: &History, story: &mut Story) -> Result<Coverage, String> {
    let mut world = World::new(history, story);
    world.check()?;
    for (index, step) in history.steps.iter().enumerate() {
        world.story.step(index);
        world.run(step)?;
    }
    world.full_check()?;
    let mut coverage = world.coverage;
    (coverage.histories, coverage.steps) = (1, history.steps.len());
    coverage.look_at(world.network.rules(), &world.model.active_blocks());
    Ok(coverage)
}

struct World<'s> {
    network: Network,
    mined: Mined,
    model: Model,
    /// The ledger, and a reader beside it. Neither is there while it is closed.
    open: Option<(Ledger, LedgerReader)>,
    /// Where the chain is, if not in memory.
    folder: Option<TempDir>,
    /// Up to where a follower has heard of the chain.
    cursor: BlockRef,
    /// Blocks that were refused because their time had not come.
    early: Vec<BlockRef>,
    coverage: Coverage,
    story: &'s mut Story,
}

impl<'s> World<'s> {
    fn new(history: &History, story: &'s mut Story) -> Self {
        let network = history.setting.network();
        let restarts = history.steps.iter().any(|step| matches!(step, Step::Restart));
        let folder = restarts.then(new_folder);
        let ledger = match &folder {
            Some(folder) => Ledger::open(folder.path(), &network),
            None => Ledger::in_memory(&network),
        };
        let ledger = ledger.expect("a new chain");
        story.begin(history.setting);
        Self {
            mined: Mined::new(&network),
            model: Model::new(&network),
            open: Some(with_reader(ledger).expect("a reader")),
            folder,
            cursor: network.genesis_ref(),
            early: Vec::new(),
            coverage: Coverage::default(),
            story,
            network,
        }
    }

    fn ledger(&mut self) -> &mut Ledger {
        &mut self.open.as_mut().expect("open").0
    }

    /// Whatever happened, the full check finds nothing.
    fn full_check(&self) -> Result<(), String> {
        let (_, reader) = self.open.as_ref().expect("open");
        let checked = crate::kit::check(reader, &self.network);
        checked.map(|_| ()).map_err(|error| format!("the full check: {error}"))
    }

    fn run(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Mine(run, arrival) => {
                let blocks = self.mine(run);
                self.give(&blocks, *arrival)
            }
            Step::Give { last, before, arrival } => {
                let mut path = self.mined.path(self.pick(*last));
                let blocks = path.split_off(path.len().saturating_sub(1 + usize::from(*before)));
                self.give(&blocks, *arrival)
            }
            Step::GiveNewest { blocks, arrival } => {
                let end = self.mined.blocks.len();
                let start = end.saturating_sub((*blocks).into()).max(1);
                self.give(&(start..end).collect::<Vec<_>>(), *arrival)
            }
            Step::Wait(seconds) => {
                let millis = self.mined.clock.millis() + u64::from(*seconds) * 1000;
                self.mined.clock = crate::kit::at(millis);
                self.story.tell(|| format!("{seconds} s pass"));
                Ok(())
            }
            Step::Restart => self.restart(),
            Step::Condemn(pick) => self.condemn(*pick),
        }
    }

    /// The number of the block that is meant.
    fn pick(&self, pick: Pick) -> usize {
        let tip = self.mined.number(self.model.tip().block.hash);
        let newest_first = || (0..self.mined.blocks.len()).rev();
        match pick {
            Pick::Tip => tip,
            Pick::Back(blocks) => {
                let path = self.mined.path(tip);
                let index = path.len().checked_sub(1 + usize::from(blocks));
                index.map_or(0, |index| path[index])
            }
            Pick::Any(index) => {
                newest_first().nth(usize::from(index) % self.mined.blocks.len()).expect("modulo")
            }
            Pick::Missing(index) => {
                let is_missing = |&number: &usize| {
                    number > 0 && !self.model.has_body(self.mined.blocks[number].header.hash())
                };
                let missing: Vec<usize> = newest_first().filter(is_missing).collect();
                let index = usize::from(index) % missing.len().max(1);
                missing.get(index).copied().unwrap_or(tip)
            }
        }
    }

    fn mine(&mut self, run: &Run) -> Vec<usize> {
        let on = self.pick(run.on);
        let miner = PEOPLE[usize::from(run.miner) % PEOPLE.len()].1;
        let length = match run.length {
            Length::Blocks(blocks) => usize::from(blocks),
            Length::Overtake(by) => {
                let height = self.model.tip().block.height.get();
                let above = height.saturating_sub(self.mined.height(on));
                usize::try_from(above).expect("few") + usize::from(by)
            }
        };
        let flaw = run.flaw.map(|(at, flaw)| (usize::from(at) % length.max(1), flaw));
        let known = self.mined.blocks.len();
        let blocks = self.mined.run(on, miner, length, &run.plans, flaw);
        self.story.mined(&self.mined, known);
        blocks
    }

    /// Gives blocks in one call or several.
    fn give(&mut self, blocks: &[usize], arrival: Arrival) -> Result<(), String> {
        if arrival.headers {
            self.give_headers(blocks)?;
        }
        let hole = arrival.hole.map(|hole| usize::from(hole) % blocks.len().max(1));
        let mut bodies: Vec<usize> = blocks.to_vec();
        if let Some(hole) = hole.filter(|hole| *hole < blocks.len()) {
            bodies.remove(hole);
        }
        put_in_order(&mut bodies, arrival.order);
        if arrival.twice {
            bodies = bodies.iter().flat_map(|number| [*number, *number]).collect();
        }
        match arrival.bodies {
            Bodies::InOneCall => self.give_blocks(&bodies),
            Bodies::OneByOne => bodies.iter().try_for_each(|number| self.give_blocks(&[*number])),
            Bodies::CatchingUp => self.catch_up(&bodies),
            Bodies::Withheld => Ok(()),
        }
    }

    fn give_headers(&mut self, blocks: &[usize]) -> Result<(), String> {
        let headers: Vec<ProvenHeader> =
            self.verified(blocks).iter().map(|block| *block.header()).collect();
        let now = self.mined.clock;
        self.story.given("headers", blocks);
        let expected = self.model.add_headers(&headers, now);
        let added = self.ledger().add_headers(&headers, now).map_err(failed)?;
        self.story.headers(blocks, &expected, &added);
        self.coverage.calls += 1;
        if let Some((index, error)) = &expected.refused {
            self.coverage.refused(error, self.mined.blocks[blocks[*index]].flaw);
        }
        if added != expected {
            return Err("they take the headers differently".to_owned());
        }
        self.check()
    }

    fn give_blocks(&mut self, blocks: &[usize]) -> Result<(), String> {
        let given = self.verified(blocks);
        let now = self.mined.clock;
        self.story.given("blocks", blocks);
        self.look_at_given(&given);
        let (active, found) = (self.model.tip(), self.model.found.len());
        let expected = sorted(self.model.add_blocks(&given, now));
        let added = sorted(self.ledger().add_blocks(&given, now).map_err(failed)?);
        self.story.blocks(&self.mined, &expected, &added);
        self.coverage.calls += 1;
        self.coverage.blocks += given.len();
        self.look_at_answer(&expected, found, active.block);
        if added != expected {
            return Err("they take the blocks differently".to_owned());
        }
        self.check()
    }

    /// Gives blocks one by one, and commits all of them in the end. Until then the ledger shows what
    /// it has, and its reader what it had.
    fn catch_up(&mut self, blocks: &[usize]) -> Result<(), String> {
        let (old, now) = (self.model.tip(), self.mined.clock);
        let mut touched = BTreeSet::new();
        for number in blocks {
            let given = self.verified(&[*number]);
            self.story.given("uncommitted blocks", &[*number]);
            let expected = sorted(self.model.add_blocks(&given, now));
            let refused = self.ledger().catch_up(&given, now).map_err(failed)?;
            touched.extend(expected.change.iter().flat_map(|change| change.touched.clone()));
            let refused = sorted(BlocksAdded { change: expected.change.clone(), refused });
            self.story.blocks(&self.mined, &expected, &refused);
            if refused != expected {
                return Err("they take the blocks differently".to_owned());
            }
            let (ledger, reader) = self.open.as_ref().expect("open");
            let committed = if self.folder.is_some() { old } else { self.model.tip() };
            compare::uncommitted(&self.model, ledger, reader, committed, now)?;
        }
        let (disconnected, connected) = self.model.change_since(old.block);
        let new = self.model.tip();
        let expected =
            (new != old).then_some(TipChange { old, new, disconnected, connected, touched });
        let change = self.ledger().commit().map_err(failed)?;
        self.coverage.saw_if(connected_more_than(1, expected.as_ref()), Kind::CaughtUp);
        let is_reorganisation = expected.as_ref().is_some_and(|one| !one.disconnected.is_empty());
        self.coverage.saw_if(is_reorganisation, Kind::CaughtUpByReorganisation);
        if change != expected {
            return Err(format!("a commit says {change:?} where the tip moved so: {expected:?}"));
        }
        self.check()
    }

    fn verified(&self, blocks: &[usize]) -> Vec<VerifiedBlock> {
        blocks.iter().filter_map(|&number| self.mined.blocks[number].verified.clone()).collect()
    }

    fn look_at_given(&mut self, given: &[VerifiedBlock]) {
        for block in given {
            let parent = block.header().header().parent;
            let has_parent =
                parent == self.network.genesis_ref().hash || self.model.has_body(parent);
            let waits = self.model.knows(parent) && !has_parent;
            self.coverage.saw_if(waits && given.len() == 1, Kind::BodyBeforeItsParents);
            self.coverage.saw_if(self.model.has_body(block.block_ref().hash), Kind::GivenAgain);
        }
    }

    fn look_at_answer(&mut self, answer: &BlocksAdded, found: usize, old: BlockRef) {
        for (block, error) in &answer.refused {
            let number = self.mined.number(block.hash);
            self.coverage.refused(error, self.mined.blocks[number].flaw);
            if error.rule() == "C5" {
                self.early.push(*block);
            }
        }
        let due = self.early.iter().filter(|block| self.model.has_body(block.hash)).count();
        self.early.retain(|block| !self.model.has_body(block.hash));
        (0..due).for_each(|_| self.coverage.saw(Kind::DueLater));

        let old_path = self.mined.path(self.mined.number(old.hash));
        for found in &self.model.found[found..] {
            let invalid = self.mined.number(found.invalid.hash);
            let parent = self.mined.blocks[invalid].parent;
            let is_first = parent == 0 || old_path.contains(&parent);
            self.coverage.saw(Kind::InvalidFound);
            let is_inside = !is_first && found.invalid != found.end;
            self.coverage.saw_if(is_inside, Kind::InvalidInTheMiddle);
            let adopted = answer.change.as_ref().map(|change| change.new.block.hash);
            let is_adopted = adopted == Some(self.mined.blocks[parent].header.hash());
            self.coverage.saw_if(is_adopted, Kind::ValidPartAdopted);
        }
        if let Some(change) = &answer.change {
            self.coverage.reorganised(change.disconnected.len());
            let shorter = change.new.block.height < change.old.block.height;
            self.coverage.saw_if(shorter, Kind::ShorterButHeavier);
        }
        let (tip, others) = (self.model.tip(), self.model.others());
        self.coverage.saw_if(others.iter().any(|other| other.work == tip.work), Kind::Tie);
        let is_longer = |other: &Tip| other.block.height > tip.block.height;
        self.coverage.saw_if(others.iter().any(is_longer), Kind::LongerButLighter);
    }

    fn restart(&mut self) -> Result<(), String> {
        let folder = self.folder.as_ref().expect("a history with a restart is on disk").path();
        self.story.tell(|| "the ledger is closed and opened again".to_owned());
        self.open = None;
        let reopened = Ledger::open(folder, &self.network).and_then(with_reader);
        self.open = Some(reopened.map_err(failed)?);
        self.coverage.saw(Kind::Restart);
        self.check()
    }

    fn condemn(&mut self, pick: Pick) -> Result<(), String> {
        let number = self.pick(pick);
        let header = &self.mined.blocks[number].header;
        let block = BlockRef { height: header.header.height, hash: header.hash() };
        self.story.tell(|| format!("#{number} turns out to break a rule without context"));
        let before = self.model.tip();
        self.model.mark_invalid(block);
        self.ledger().mark_invalid(block).map_err(failed)?;
        self.coverage.saw_if(self.model.tip() != before, Kind::CondemnedActive);
        self.check()
    }

    /// Compares all that can be seen.
    fn check(&mut self) -> Result<(), String> {
        let (ledger, reader) = self.open.as_ref().expect("open");
        let changes = reader.changes_since(self.cursor, usize::MAX).map_err(failed)?;
        let followed = self.model.change_since(self.cursor);
        let mut differences =
            compare::differences(&self.network, &self.model, ledger, reader, self.mined.clock)
                .map_err(failed)?;
        if (changes.disconnected, changes.connected) != followed {
            differences.push("a follower hears of other blocks".to_owned());
        }
        self.cursor = changes.cursor;
        self.story.state(&self.mined, &self.model);
        if differences.is_empty() { Ok(()) } else { Err(differences.join("\n")) }
    }
}

fn connected_more_than(number: usize, change: Option<&TipChange>) -> bool {
    change.is_some_and(|change| change.connected.len() > number)
}

fn with_reader(ledger: Ledger) -> Result<(Ledger, LedgerReader), LedgerError> {
    let reader = ledger.reader()?;
    Ok((ledger, reader))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: LedgerError) -> String {
    format!("the ledger fails: {error}")
}

fn new_folder() -> TempDir {
    let fast = Path::new(FAST_DISK);
    let folder = if fast.is_dir() { TempDir::new_in(fast) } else { TempDir::new() };
    folder.expect("a folder")
}

fn put_in_order(blocks: &mut [usize], order: Order) {
    match order {
        Order::Ascending => {}
        Order::Descending => blocks.reverse(),
        Order::Shuffled(seed) => {
            let mut random = u64::from(seed);
            for last in (1..blocks.len()).rev() {
                // Knuth's generator MMIX; its upper bits are the better ones.
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let index = usize::try_from(random >> 33).expect("31 bits") % (last + 1);
                blocks.swap(last, index);
            }
        }
    }
}
