//! A wallet that downloads its first chain, from a miner that has it.

use std::time::Duration;

use cairn_protocol::BlockRef;
use cairn_tests::{Home, Miner, Process, TestNetwork};

use crate::scenario::{Scenario, are_many, is_end, recipe, run, time_of};

struct Download {
    network: TestNetwork,
    chain: Vec<BlockRef>,
    source: Miner,
    /// Where that one's chain is.
    _source_home: Home,
    home: Home,
    whole: Duration,
    is_done: bool,
    /// How many kills left a part of the chain.
    parts: u32,
}

impl Download {
    fn new() -> Self {
        let network = TestNetwork::forged();
        let source_home = network.home();
        let chain = source_home.forge(&recipe());
        let source = source_home.mine(&[]);
        let home = network.home();
        let mut download = Self {
            network,
            chain,
            source,
            _source_home: source_home,
            home,
            whole: Duration::ZERO,
            is_done: true,
            parts: 0,
        };
        download.whole = time_of(|| assert!(download.sync().wait().success()));
        download
    }

    fn sync(&self) -> Process {
        self.home.start_wallet(&["sync", "--once", "--peer", &self.source.address()])
    }
}

impl Scenario for Download {
    fn home(&self) -> &Home {
        &self.home
    }

    fn start(&mut self, _: u32) -> Vec<Process> {
        if self.is_done {
            self.home = self.network.home();
        }
        vec![self.sync()]
    }

    /// Some kills hit one download, so that it is also a download that was killed before.
    fn span(&self) -> Duration {
        self.whole / 2
    }

    fn judge(&mut self, _: &mut [Process], tip: BlockRef) {
        self.is_done = is_end(&self.chain, tip);
        self.parts += u32::from(!self.is_done && tip.height.get() > 0);
    }
}

#[test]
fn behaviour_51_a_first_download_that_is_killed_goes_on_from_a_right_state() {
    let mut download = Download::new();
    run("first download", &mut download);
    assert!(!are_many() || download.parts > 0, "no kill fell between two commits");
    assert!(download.sync().wait().success());
    download.is_done = false;
    let tip = download.home.reader().tip().expect("readable").block;
    download.judge(&mut [], tip);
    assert!(download.is_done, "it ends where it would have ended");
}
