//! Blocks that are found at once, each committed and announced.

use std::time::Instant;

use cairn_forge::{Chain, Recipe};
use cairn_ledger::Ledger;
use cairn_protocol::VerifiedBlock;
use tempfile::TempDir;

use crate::{Miner, clocks, longest, median, shared};

const ROUNDS: usize = 3;
const DIFFICULTY: u8 = 1;
/// Of the shorter chains.
const LENGTHS: [u32; 2] = [1_000, 10_000];

/// What a block took.
#[derive(Clone, Copy, Debug)]
struct Took {
    /// Seconds by the clock on the wall.
    wall: f64,
    /// Seconds of processor time, all threads together.
    cpu: f64,
}

pub(crate) fn run() {
    let lengths = LENGTHS.into_iter().chain([longest(100_000)]);
    let mut all: Vec<_> = lengths.map(|blocks| (blocks, Vec::new(), Vec::new())).collect();
    for round in 1..=ROUNDS {
        for (blocks, mined, given) in &mut all {
            mined.push(mine(*blocks));
            given.push(give(*blocks));
            eprintln!("blocks: {blocks} in round {round} of {ROUNDS}");
        }
    }
    println!("\nminer --blocks N at difficulty {DIFFICULTY}, medians of {ROUNDS}");
    println!("      N  blocks/s  us of processor time a block  times the ledger's");
    for (blocks, mined, given) in all {
        let of = |value: fn(&Took) -> f64| median(mined.iter().map(value).collect());
        let (rate, cpu) = (1.0 / of(|took| took.wall), of(|took| took.cpu));
        println!("{blocks:>7} {rate:>9.0} {:>29.0} {:>19.2}", cpu * 1e6, cpu / median(given));
    }
}

/// Lets the program mine so many blocks.
fn mine(blocks: u32) -> Took {
    let folder = TempDir::new().expect("a folder");
    let difficulty = format!("rules.difficulty={DIFFICULTY}");
    let settings = ["rules.name=bench", &difficulty, "rules.block_interval_seconds=0"];
    let mut command = shared::miner(folder.path(), &settings);
    command.args(["--blocks", &blocks.to_string()]);
    let mut miner = Miner::start(command);
    // It waits a second to hear of others before the first.
    miner.next("block_mined").expect("it mines");
    let (begin, before) = (Instant::now(), clocks::of_process(miner.id()));
    let last = (1..blocks).filter_map(|_| miner.next("block_mined")).last();
    let (took, cpu) = (begin.elapsed(), clocks::of_process(miner.id()) - before);
    assert_eq!(last.expect("it mines")["height"], blocks);
    let count = f64::from(blocks - 1);
    Took { wall: took.as_secs_f64() / count, cpu: cpu / count }
}

/// Gives a new ledger as many blocks one by one; returns the seconds of processor time that each
/// took.
fn give(blocks: u32) -> f64 {
    let (folder, network) = (TempDir::new().expect("a folder"), cairn_forge::network(DIFFICULTY));
    let recipe = Recipe { blocks, accounts: 1, ..Recipe::default() };
    let mut ledger = Ledger::open(folder.path(), &network).expect("a disk");
    let took: f64 = Chain::new(&network, &recipe)
        .expect("possible")
        .map(|block: VerifiedBlock| {
            let begin = clocks::of_this_thread();
            let added = ledger.add_blocks(&[block], recipe.end()).expect("a disk");
            assert!(added.change.is_some(), "{:?}", added.refused);
            clocks::of_this_thread() - begin
        })
        .sum();
    took / f64::from(blocks)
}
