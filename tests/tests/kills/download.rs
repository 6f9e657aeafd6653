//! A wallet that downloads its first chain, from a miner that has it.

use std::time::Duration;

use cairn_forge::Recipe;
use cairn_protocol::BlockRef;
use cairn_tests::{Home, Miner, Process, TestNetwork};

use crate::scenario::{Scenario, kills, run, setting, time_of};

/// How many blocks the chain has in the short form and else.
const BLOCKS: [u32; 2] = [1_500, 20_000];

struct Download {
    network: TestNetwork,
    chain: Vec<BlockRef>,
    source: Miner,
    home: Home,
    whole: Duration,
    is_done: bool,
}

impl Download {
    fn new() -> Self {
        let network = TestNetwork::forged();
        let source = network.home();
        let blocks = setting("CAIRN_DOWNLOAD").unwrap_or(BLOCKS[usize::from(kills() > 10)]);
        let chain = source.forge(&Recipe { blocks, payments: 1, ..Recipe::default() });
        let source = source.mine(&[]);
        let home = network.home();
        let mut download =
            Self { network, chain, source, home, whole: Duration::ZERO, is_done: true };
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
        let height = usize::try_from(tip.height.get()).expect("a short chain");
        let shown = height.checked_sub(1).map(|index| self.chain[index]);
        assert!(shown.is_none_or(|shown| shown == tip), "{tip} was never shown");
        self.is_done = self.chain.last() == Some(&tip);
    }
}

#[test]
fn behaviour_51_a_first_download_that_is_killed_goes_on_from_a_right_state() {
    let mut download = Download::new();
    run("first download", &mut download);
    assert!(download.sync().wait().success());
    download.is_done = false;
    let tip = download.home.reader().tip().expect("readable").block;
    download.judge(&mut [], tip);
    assert!(download.is_done, "it ends where it would have ended");
}
