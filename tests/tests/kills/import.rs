//! `miner import`, from a file of `miner export`.

use std::path::PathBuf;
use std::time::Duration;

use cairn_protocol::BlockRef;
use cairn_tests::{Home, Process, Program, TestNetwork, path_text};

use crate::scenario::{Scenario, are_many, is_end, recipe, run, time_of};

struct Import {
    network: TestNetwork,
    chain: Vec<BlockRef>,
    /// Whose folder the file is in.
    _source: Home,
    file: PathBuf,
    home: Home,
    whole: Duration,
    is_done: bool,
    /// How many kills left a part of the chain.
    parts: u32,
}

impl Import {
    fn new() -> Self {
        let network = TestNetwork::forged();
        let source = network.home();
        let chain = source.forge(&recipe());
        let file = source.path().join("chain.export");
        assert_eq!(source.miner_outcome(&["export", &path_text(&file)]).code, 0);
        let home = network.home();
        let whole = Duration::ZERO;
        let mut import =
            Self { network, chain, _source: source, file, home, whole, is_done: true, parts: 0 };
        import.whole = time_of(|| assert!(import.import().wait().success()));
        import
    }

    fn import(&self) -> Process {
        let mut command = self.home.command(Program::Miner, &["import", &path_text(&self.file)]);
        Process::start(&mut command)
    }
}

impl Scenario for Import {
    fn home(&self) -> &Home {
        &self.home
    }

    fn start(&mut self, _: u32) -> Vec<Process> {
        if self.is_done {
            self.home = self.network.home();
        }
        vec![self.import()]
    }

    /// Some kills hit one import, so that it is also one that was killed before.
    fn span(&self) -> Duration {
        self.whole / 2
    }

    fn judge(&mut self, _: &mut [Process], tip: BlockRef) {
        self.is_done = is_end(&self.chain, tip);
        self.parts += u32::from(!self.is_done && tip.height.get() > 0);
    }
}

#[test]
fn behaviour_51_an_import_that_is_killed_goes_on_from_a_right_state() {
    let mut import = Import::new();
    run("import", &mut import);
    assert!(!are_many() || import.parts > 0, "no kill fell between two commits");
    assert!(import.import().wait().success());
    let tip = import.home.reader().tip().expect("readable").block;
    assert!(is_end(&import.chain, tip), "it ends where it would have ended");
}
