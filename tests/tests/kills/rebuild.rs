//! `miner rebuild`, which makes a new database of the old one's blocks and swaps it in.

use std::time::Duration;

use cairn_protocol::BlockRef;
use cairn_tests::{Home, Process, Program, TestNetwork};

use crate::scenario::{Scenario, is_end, recipe, run, time_of};

struct Rebuild {
    chain: Vec<BlockRef>,
    home: Home,
    whole: Duration,
}

impl Rebuild {
    fn new() -> Self {
        let home = TestNetwork::forged().home();
        let chain = home.forge(&recipe());
        let mut rebuild = Self { chain, home, whole: Duration::ZERO };
        rebuild.whole = time_of(|| assert!(rebuild.rebuild().wait().success()));
        rebuild
    }

    fn rebuild(&self) -> Process {
        Process::start(&mut self.home.command(Program::Miner, &["rebuild"]))
    }
}

impl Scenario for Rebuild {
    fn home(&self) -> &Home {
        &self.home
    }

    fn start(&mut self, _: u32) -> Vec<Process> {
        vec![self.rebuild()]
    }

    fn span(&self) -> Duration {
        self.whole
    }

    /// The old one and the new one are the same chain.
    fn judge(&mut self, _: &mut [Process], tip: BlockRef) {
        assert!(is_end(&self.chain, tip), "{tip} is not the end");
    }
}

#[test]
fn behaviour_51_a_rebuild_that_is_killed_leaves_the_old_chain_or_the_new_one() {
    let mut rebuild = Rebuild::new();
    run("rebuild", &mut rebuild);
    assert!(rebuild.rebuild().wait().success());
}
