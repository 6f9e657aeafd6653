//! The first download of a chain over loopback TCP, between two processes of one machine:
//! `cargo bench -p cairn-network --bench download`, all or those whose names follow after `--`.
//!
//! | name | chain | baseline of the same run |
//! |---|---|---|
//! | `payments` | blocks of 500 payments, 1,000 accounts | the same signatures, in batches, on all cores |
//! | `rewards` | blocks with nothing but their reward | a ledger that is given the same blocks |
//!
//! `CAIRN_BLOCKS` makes the chains shorter or longer. Both processes share the cores.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "results are for reading")]

mod baseline;
mod client;
mod server;

use std::path::Path;
use std::time::Duration;

use cairn_forge::{Chain, Recipe, batches};
use cairn_ledger::Ledger;
use cairn_protocol::{Network, VerifiedBlock};
use tempfile::TempDir;

use crate::server::Server;

/// Of a download and its baseline, in turns.
const ROUNDS: usize = 3;
/// Payments of each block.
const PAYMENTS: u32 = 500;
/// A million payments; the first block has none.
const PAYMENT_BLOCKS: u32 = 2_001;
const REWARD_BLOCKS: u32 = 100_000;

/// A chain that is downloaded, and what the time is compared with.
struct Subject {
    name: &'static str,
    /// What is counted.
    unit: &'static str,
    recipe: Recipe,
    count: u64,
    baseline: fn(&Network, &[VerifiedBlock]) -> Duration,
}

fn main() {
    if server::serves_here() {
        return;
    }
    // Cargo adds an option of its own.
    let names: Vec<_> = std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    for subject in [payments(), rewards()] {
        if names.is_empty() || names.iter().any(|wanted| wanted == subject.name) {
            subject.measure();
        }
    }
}

fn payments() -> Subject {
    let blocks = blocks(PAYMENT_BLOCKS);
    let recipe = Recipe { blocks, payments: PAYMENTS, accounts: 1_000, ..Recipe::default() };
    let count = recipe.total_payments();
    let baseline = baseline::signatures;
    Subject { name: "payments", unit: "payments", recipe, count, baseline }
}

fn rewards() -> Subject {
    let recipe = Recipe { blocks: blocks(REWARD_BLOCKS), ..Recipe::default() };
    let count = recipe.blocks.into();
    Subject { name: "rewards", unit: "blocks", recipe, count, baseline: baseline::ledger }
}

fn blocks(usual: u32) -> u32 {
    let set = std::env::var("CAIRN_BLOCKS").ok();
    set.map_or(usual, |blocks| blocks.parse().expect("CAIRN_BLOCKS is a number"))
}

impl Subject {
    fn measure(&self) {
        let network = cairn_forge::network(0);
        let source = TempDir::new().expect("a folder");
        let chain: Vec<_> = Chain::new(&network, &self.recipe).expect("possible").collect();
        store(source.path(), &network, &chain, &self.recipe);
        let tip = chain.last().expect("a block").block_ref();
        let server = Server::start(source.path());
        let (mut downloads, mut baselines) = (Vec::new(), Vec::new());
        for round in 1..=ROUNDS {
            downloads.push(client::download(&network, server.port(), tip));
            baselines.push((self.baseline)(&network, &chain));
            eprintln!("{}: round {round} of {ROUNDS}", self.name);
        }
        let (download, baseline) = (median(downloads), median(baselines));
        #[expect(clippy::cast_precision_loss, reason = "far less than 2^52")]
        let rate = self.count as f64 / download;
        println!(
            "{}: {} {} in {download:.2} s, {rate:.0} a second; {:.2} times the baseline of {baseline:.2} s",
            self.name,
            self.count,
            self.unit,
            download / baseline,
        );
    }
}

fn store(folder: &Path, network: &Network, chain: &[VerifiedBlock], recipe: &Recipe) {
    let mut ledger = Ledger::open(folder, network).expect("a disk");
    for blocks in batches(chain.iter().cloned()) {
        let added = ledger.add_blocks(&blocks, recipe.end()).expect("a disk");
        assert_eq!(added.refused, []);
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}
