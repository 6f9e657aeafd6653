//! A first download without a network: `miner import` of a chain of payments.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use cairn_forge::{Chain, Recipe, batches, verify_signatures};
use cairn_ledger::Ledger;
use cairn_protocol::{Network, VerifiedBlock};
use tempfile::TempDir;

use crate::{longest, median, shared};

const ROUNDS: usize = 3;
const PAYMENTS: u32 = 500;
/// A million payments; the first block has none.
const BLOCKS: u32 = 2_001;

pub(crate) fn run() {
    let network = cairn_forge::network(0);
    let blocks = longest(BLOCKS);
    let recipe = Recipe { blocks, payments: PAYMENTS, accounts: 1_000, ..Recipe::default() };
    let chain: Vec<_> = Chain::new(&network, &recipe).expect("possible").collect();
    let source = TempDir::new().expect("a folder");
    store(source.path(), &network, &recipe, &chain);
    let file = source.path().join("chain.cairn");
    done(in_folder(source.path()).arg("export").arg(&file));
    let (mut imports, mut signatures) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        imports.push(import(&file));
        signatures.push(verify_signatures(&chain, network.id()).as_secs_f64());
        eprintln!("import: round {round} of {ROUNDS}");
    }
    let (import, signatures) = (median(imports), median(signatures));
    #[expect(clippy::cast_precision_loss, reason = "far less than 2^52")]
    let payments = recipe.total_payments() as f64;
    println!(
        "\nminer import of {payments} payments: {import:.2} s, {:.0} a second; {:.2} times the signatures \
         alone ({signatures:.2} s)",
        payments / import,
        import / signatures,
    );
}

/// Writes the chain to where the miner of this folder has it.
fn store(folder: &Path, network: &Network, recipe: &Recipe, chain: &[VerifiedBlock]) {
    let folder = folder.join("data").join(network.folder_name());
    let mut ledger = Ledger::open(&folder, network).expect("a disk");
    for blocks in batches(chain.iter().cloned()) {
        let added = ledger.add_blocks(&blocks, recipe.end()).expect("a disk");
        assert_eq!(added.refused, []);
    }
}

fn in_folder(folder: &Path) -> Command {
    let rules = ["rules.name=forge", "rules.difficulty=0", "rules.block_interval_seconds=0"];
    shared::miner(folder, &rules)
}

/// Imports into a new data directory; returns the seconds that the whole process took.
fn import(file: &Path) -> f64 {
    let folder = TempDir::new().expect("a folder");
    let begin = Instant::now();
    done(in_folder(folder.path()).arg("import").arg(file));
    begin.elapsed().as_secs_f64()
}

fn done(command: &mut Command) {
    let output = command.output().expect("the miner starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
