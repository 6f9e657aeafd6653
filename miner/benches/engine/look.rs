//! What the engine does between two steps: looks at the job, counts, times.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::sync::mpsc::{Sender, channel};

use cairn_miner::engine::{Engine, Job, Search};
use cairn_protocol::Target;

use crate::{clocks, median};

const ROUNDS: usize = 9;
/// Of one round.
const LOOKS: u32 = 1_000_000;

/// Does nothing, and tells how long so many steps took all the same.
struct Idle {
    steps: u32,
    began: f64,
    tell: Sender<f64>,
}

impl Search for Idle {
    fn search(
        &mut self,
        _: &[u8; 32],
        _: &[u8; 16],
        _: RangeInclusive<u32>,
        _: &Target,
    ) -> Option<u32> {
        if self.steps == LOOKS {
            let now = clocks::of_this_thread();
            // The bench may have heard enough.
            let _ = self.tell.send((now - self.began) / f64::from(LOOKS));
            *self = Self { steps: 0, began: now, tell: self.tell.clone() };
        }
        self.steps += 1;
        None
    }
}

pub(crate) fn run() {
    let (tell, looks) = channel();
    let new_search = move || Idle { steps: LOOKS, began: 0.0, tell: tell.clone() };
    let engine = Engine::start(NonZeroUsize::MIN, new_search, |_| ()).expect("a thread");
    engine.assign(Job { header_digest: [1; 32], target: Target::HARDEST });
    // What it tells first has not begun with a round.
    let nanos = median(looks.iter().skip(1).take(ROUNDS).collect()) * 1e9;
    engine.stop();
    println!("\nbetween two steps: {nanos:.0} ns, the median of {ROUNDS} times {LOOKS}");
}
