//! A miner at the tip, which mines blocks and adopts those of another.

use std::time::Duration;

use cairn_protocol::BlockRef;
use cairn_tests::{Home, Miner, Process, Signal, TestNetwork, wait_until};

use crate::scenario::{Scenario, run};

/// Time for some blocks.
const SPAN: Duration = Duration::from_millis(300);

struct AtTheTip {
    home: Home,
    elsewhere: Home,
    other: Miner,
}

impl AtTheTip {
    fn new() -> Self {
        // A block every few milliseconds, so that a kill often comes upon one.
        let network = TestNetwork::new().with_rules(|rules| {
            rules.difficulty = 19;
            rules.block_interval_seconds = 0;
        });
        let (home, elsewhere) = (network.home(), network.home());
        let mut other = elsewhere.mine(&[]);
        other.process().signal(Signal::STOP);
        Self { home, elsewhere, other }
    }
}

impl Scenario for AtTheTip {
    fn home(&self) -> &Home {
        &self.home
    }

    fn start(&mut self, number: u32) -> Vec<Process> {
        self.other.process().signal(Signal::CONT);
        let miner = self.home.start_miner(&[]);
        if number % 4 < 3 {
            miner.wait_for_mined(1);
        }
        vec![miner.into_process()]
    }

    fn span(&self) -> Duration {
        SPAN
    }

    fn judge(&mut self, _: &mut [Process], _: BlockRef) {
        // It sleeps while nobody mines against it.
        self.other.process().signal(Signal::STOP);
    }
}

#[test]
fn behaviour_51_a_miner_that_is_killed_at_the_tip_loses_nothing() {
    let mut tip = AtTheTip::new();
    run("tip", &mut tip);
    tip.other.process().signal(Signal::CONT);
    wait_until("both have one chain", || {
        tip.home.wallet_json(&["sync", "--once"]);
        let block = tip.home.reader().tip().expect("readable").block;
        let theirs = tip.elsewhere.reader().header_at(block.height).expect("readable");
        theirs.is_some_and(|(hash, _)| hash == block.hash)
    });
}
