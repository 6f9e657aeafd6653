//! `miner check`: whether the chain of this data directory is whole.
//!
//! The ledger walks and compares, on this thread; blocks are verified on one thread for each core.

use std::time::{Duration, Instant};

use cairn_home::{Config, DataDir, Failure, Output};
use cairn_ledger::{Checked, LedgerReader};
use serde::Serialize;

use crate::cli::Arguments;
use crate::progress::{StageLine, seconds};
use crate::threads::Threads;
use crate::verifiers::Verifiers;

/// A chain that is whole, as it is printed.
#[derive(Debug, Serialize)]
struct Whole {
    height: u64,
    tip: String,
    blocks: u64,
    payments: u64,
    accounts: u64,
    headers: u64,
    seconds: f64,
}

/// Checks the chain of the configured network, and prints what it found whole.
///
/// # Errors
/// [`Failure`] if there is no chain, if it is damaged, or if it cannot be read.
pub(crate) fn run(arguments: &Arguments, threads: Threads, output: Output) -> Result<(), Failure> {
    let config = Config::load(&arguments.common)?;
    let network = config.network();
    let folder = DataDir::resolve(&arguments.common)?.network_folder(network);
    let reader = LedgerReader::open(&folder, network)?;
    let begin = Instant::now();
    let mut line = StageLine::on_stderr(output);
    let checked = std::thread::scope(|scope| {
        let mut verifiers = Verifiers::start(scope, threads.number(), network)
            .map_err(|error| threads.refused(&error))?;
        Ok::<_, Failure>(reader.check(&mut verifiers, &mut |progress| line.show(progress))?)
    });
    let whole = Whole::new(&checked?, begin.elapsed());
    output.result(&whole, || whole.text())
}

impl Whole {
    fn new(checked: &Checked, took: Duration) -> Self {
        Self {
            height: checked.tip.block.height.get(),
            tip: checked.tip.block.hash.to_string(),
            blocks: checked.blocks,
            payments: checked.payments,
            accounts: checked.accounts,
            headers: checked.headers,
            seconds: seconds(took),
        }
    }

    fn text(&self) -> String {
        format!(
            "the chain is whole up to height {}, block {}: {} blocks, {} payments, {} accounts, \
             {} headers, checked in {:.1} s",
            self.height,
            self.tip,
            self.blocks,
            self.payments,
            self.accounts,
            self.headers,
            self.seconds
        )
    }
}
