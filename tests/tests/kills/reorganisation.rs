//! A miner or a wallet to which a heavier branch comes, which leaves nothing of its own chain.

use std::fs;
use std::time::Duration;

use cairn_forge::Recipe;
use cairn_protocol::BlockRef;
use cairn_tests::{Home, Miner, Process, TestNetwork};

use crate::scenario::{Scenario, run, time_of};

/// Of our chain, and of the heavier one.
const OURS: u32 = 400;
const THEIRS: u32 = 600;
const PAYMENTS: u32 = 2;

struct Reorganisation {
    network: TestNetwork,
    ours: (Home, Vec<BlockRef>),
    theirs: Vec<BlockRef>,
    other: Miner,
    home: Home,
    whole: Duration,
}

impl Reorganisation {
    fn new() -> Self {
        let network = TestNetwork::forged();
        let recipe =
            |seed, blocks| Recipe { seed, blocks, payments: PAYMENTS, ..Recipe::default() };
        let (ours, elsewhere) = (network.home(), network.home());
        let our_chain = ours.forge(&recipe(1, OURS));
        let theirs = elsewhere.forge(&recipe(2, THEIRS));
        let other = elsewhere.mine(&[]);
        let home = network.home();
        let ours = (ours, our_chain);
        let mut scenario = Self { network, ours, theirs, other, home, whole: Duration::ZERO };
        scenario.renew();
        scenario.whole = time_of(|| assert!(scenario.sync().wait().success()));
        let tip = scenario.home.reader().tip().expect("readable").block;
        assert_eq!(Some(&tip), scenario.theirs.last(), "theirs is heavier");
        scenario
    }

    /// Another data directory with our chain.
    fn renew(&mut self) {
        self.home = self.network.home();
        fs::create_dir_all(self.home.network_folder()).expect("a folder");
        fs::copy(self.ours.0.chain_file(), self.home.chain_file()).expect("copied");
    }

    fn sync(&self) -> Process {
        self.home.start_wallet(&["sync", "--once", "--peer", &self.other.address()])
    }
}

impl Scenario for Reorganisation {
    fn home(&self) -> &Home {
        &self.home
    }

    fn start(&mut self, number: u32) -> Vec<Process> {
        self.renew();
        let by_miner = number % 2 == 1;
        let peer = ["--peer", &self.other.address()];
        vec![if by_miner { self.home.start_miner(&peer).into_process() } else { self.sync() }]
    }

    fn span(&self) -> Duration {
        self.whole
    }

    fn judge(&mut self, _: &mut [Process], tip: BlockRef) {
        let is_old = self.ours.1.last() == Some(&tip);
        assert!(is_old || self.theirs.contains(&tip), "{tip} is on neither branch");
    }
}

#[test]
fn behaviour_51_a_reorganisation_that_is_killed_leaves_the_old_branch_or_the_new_one() {
    run("reorganisation", &mut Reorganisation::new());
}
