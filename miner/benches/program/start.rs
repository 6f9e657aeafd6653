//! From nothing to `started`, on chains of several lengths.

use std::time::Instant;

use cairn_forge::{Chain, Recipe, batches};
use cairn_ledger::Ledger;
use tempfile::TempDir;

use crate::{Miner, longest, median, shared};

/// Starts of a miner on each chain, in turns.
const ROUNDS: usize = 21;
/// Blocks that a miner finds before its memory is looked at once more.
const MINED: u32 = 1_000;

/// A data directory with a chain.
struct Home {
    folder: TempDir,
    blocks: u32,
}

pub(crate) fn run() {
    let homes = [0, 10_000, longest(1_000_000)].map(Home::forge);
    let mut starts = homes.each_ref().map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (home, starts) in homes.iter().zip(&mut starts) {
            starts.push(home.start());
        }
    }
    println!("\nminer, from its start to the event `started`, medians of {ROUNDS}");
    println!("  blocks       ms  times no blocks  MiB then  MiB after {MINED} more blocks");
    let of = |starts: &[(f64, f64)], value: fn(&(f64, f64)) -> f64| -> f64 {
        median(starts.iter().map(value).collect())
    };
    let empty = of(&starts[0], |start| start.0);
    for (home, starts) in homes.iter().zip(&starts) {
        let (ms, memory) = (of(starts, |start| start.0), of(starts, |start| start.1));
        let (blocks, ratio, later) = (home.blocks, ms / empty, home.memory_at_work());
        println!("{blocks:>8} {ms:>8.1} {ratio:>16.2} {memory:>9.1} {later:>29.1}");
    }
}

impl Home {
    fn forge(blocks: u32) -> Self {
        eprintln!("start: forging {blocks} blocks");
        let (folder, network) = (TempDir::new().expect("a folder"), cairn_forge::network(0));
        let chain = folder.path().join("data").join(network.folder_name());
        let mut ledger = Ledger::open(&chain, &network).expect("a disk");
        let recipe = Recipe { blocks, ..Recipe::default() };
        for blocks in batches(Chain::new(&network, &recipe).expect("possible")) {
            let added = ledger.add_blocks(&blocks, recipe.end()).expect("a disk");
            assert_eq!(added.refused, []);
        }
        Self { folder, blocks }
    }

    /// Starts a miner and ends it before it mines; returns the milliseconds until it was ready and
    /// its memory then.
    fn start(&self) -> (f64, f64) {
        let begin = Instant::now();
        let mut miner = self.miner(&[]);
        let started = miner.next("started").expect("it starts");
        let took = begin.elapsed().as_secs_f64() * 1e3;
        assert_eq!(started["height"], self.blocks);
        (took, memory(miner.id()))
    }

    /// The memory of a miner that has found some blocks.
    fn memory_at_work(&self) -> f64 {
        let mut miner = self.miner(&["--blocks", "1000000000"]);
        for _ in 0..MINED {
            miner.next("block_mined").expect("it mines");
        }
        memory(miner.id())
    }

    fn miner(&self, options: &[&str]) -> Miner {
        let settings = ["rules.name=forge", "rules.difficulty=0", "rules.block_interval_seconds=0"];
        let mut command = shared::miner(self.folder.path(), &settings);
        command.args(options);
        Miner::start(command)
    }
}

/// The resident memory of a process, in MiB.
fn memory(id: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("a child of ours");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it lives");
    let kib = line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number");
    kib / 1_024.0
}
