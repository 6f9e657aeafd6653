//! A chain of headers without proofs, and the retargeting rules that are compared on it.

use std::time::Duration;

use cairn_protocol::hash::{BlockHash, ContentRoot};
use cairn_protocol::limits::MEDIAN_BLOCKS;
use cairn_protocol::retarget::{aserti3, required_target};
use cairn_protocol::time::median_time;
use cairn_protocol::{Header, Height, Rules, Target, Timestamp};

/// When the simulations begin: some millisecond of 2025.
const START: Timestamp = Timestamp::from_millis(1_760_000_000_000).expect("small");

/// A rule that says which target the next block with this time must have.
pub(crate) type Retarget = fn(&Chain, Timestamp) -> Target;

#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) rules: Rules,
    headers: Vec<Header>,
    retarget: Retarget,
    /// The first target.
    first: f64,
}

impl Chain {
    /// A chain that has been on schedule for a while, with a target of `floor` / 2^`doublings`. The
    /// last of its blocks was found at the simulation's time zero.
    pub(crate) fn on_schedule(rules: Rules, doublings: u8, retarget: Retarget) -> Self {
        let target = Target::with_leading_zeros(rules.difficulty + doublings);
        let mut chain = Self { rules, headers: Vec::new(), retarget, first: as_f64(target) };
        let before = chain.rules.block_interval() * 16;
        let start = at(Duration::ZERO).millis() - u64::try_from(before.as_millis()).expect("small");
        for number in 0..=16 {
            let time = Timestamp::from_millis(start).expect("small");
            let time = time.after(chain.rules.block_interval() * number);
            chain.headers.push(header(100 + number, time, target));
        }
        chain
    }

    /// The same chain as far as the next blocks' targets and times depend on it.
    pub(crate) fn end(&self) -> Self {
        let start = self.headers.len() - MEDIAN_BLOCKS;
        Self { headers: self.headers[start..].to_vec(), rules: self.rules.clone(), ..*self }
    }

    pub(crate) fn tip(&self) -> &Header {
        self.headers.last().expect("a chain starts with some")
    }

    /// The target of the next block if it has this time.
    pub(crate) fn required(&self, time: Timestamp) -> Target {
        (self.retarget)(self, time)
    }

    /// The chance that a hash meets this target, in units of that at the first target.
    pub(crate) fn ease(&self, target: Target) -> f64 {
        as_f64(target) / self.first
    }

    /// The hashes that the next block takes in the mean, in units of those at the first target, if
    /// nobody waits for long.
    pub(crate) fn cost(&self) -> f64 {
        1.0 / self.ease(self.required(self.tip().time))
    }

    /// The earliest time that the next block may have.
    pub(crate) fn earliest(&self) -> Timestamp {
        let last = &self.headers[self.headers.len() - MEDIAN_BLOCKS..];
        let times: Vec<_> = last.iter().map(|header| header.time).collect();
        median_time(&times).after(Duration::from_millis(1))
    }

    pub(crate) fn extend(&mut self, time: Timestamp) {
        assert!(time >= self.earliest(), "rule C4");
        let height = u32::try_from(self.tip().height.get()).expect("a short simulation") + 1;
        self.headers.push(header(height, time, self.required(time)));
    }

    pub(crate) fn shorten(&mut self) {
        self.headers.pop();
    }
}

/// This long after the simulation's beginning.
pub(crate) fn at(now: Duration) -> Timestamp {
    START.after(now)
}

/// What Cairn does.
pub(crate) fn product(chain: &Chain, time: Timestamp) -> Target {
    let [.., grandparent, parent] = chain.headers.as_slice() else { panic!("two blocks") };
    required_target(&chain.rules, parent, Some(grandparent), time)
}

/// What Cairn would do if a solve time counted up to T and two half-lives, whether or not the
/// parent's own target had doubled for it.
pub(crate) fn at_most_two_half_lives(chain: &Chain, time: Timestamp) -> Target {
    let [.., grandparent, parent] = chain.headers.as_slice() else { panic!("two blocks") };
    let [interval, half_life] = [chain.rules.block_interval_seconds, chain.rules.half_life_seconds]
        .map(|s| i64::from(s) * 1000);
    let floor = chain.rules.floor();
    let counted = parent.time.millis_since(grandparent.time).min(interval + 2 * half_life);
    let target = aserti3(parent.target, counted - interval, half_life, floor);
    let overdue = (time.millis_since(parent.time) - 30 * interval).max(0);
    aserti3(target, overdue - overdue % half_life, half_life, floor)
}

/// The same without the doublings for a long wait.
pub(crate) fn no_doublings(chain: &Chain, _: Timestamp) -> Target {
    at_most_two_half_lives(chain, chain.tip().time)
}

/// What Bitcoin Cash does: aserti3 from an anchor, here from the chain's first block.
pub(crate) fn absolute(chain: &Chain, _: Timestamp) -> Target {
    let anchor = chain.headers.first().expect("a chain starts with some");
    let steps = i64::try_from(chain.headers.len() - 1).expect("small");
    let interval = i64::from(chain.rules.block_interval_seconds) * 1000;
    let offset = chain.tip().time.millis_since(anchor.time) - steps * interval;
    let half_life = i64::from(chain.rules.half_life_seconds) * 1000;
    aserti3(anchor.target, offset, half_life, chain.rules.floor())
}

fn header(height: u32, time: Timestamp, target: Target) -> Header {
    Header {
        version: 1,
        height: Height::from(height),
        parent: BlockHash::default(),
        content: ContentRoot::default(),
        time,
        target,
    }
}

fn as_f64(target: Target) -> f64 {
    target.to_be_bytes().iter().fold(0.0, |sum, &byte| sum * 256.0 + f64::from(byte))
}
