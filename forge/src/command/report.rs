//! [`Report`]: what was made, how fast, and how to read it.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use cairn_forge::NAME;
use cairn_home::{Failure, Output};
use cairn_protocol::{BlockRef, Network};
use serde::Serialize;

use super::cli::Cli;

/// The result of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    network: String,
    data_dir: Option<String>,
    blocks: u64,
    payments: u64,
    accounts: u32,
    seed: u64,
    difficulty: u8,
    seconds: f64,
    blocks_per_second: f64,
    payments_per_second: f64,
    bytes: Option<u64>,
    tip: String,
}

impl Report {
    /// What a run has made that took so long and left its chain in this folder.
    pub(crate) fn new(
        cli: &Cli,
        network: &Network,
        tip: BlockRef,
        elapsed: Duration,
        folder: Option<&Path>,
    ) -> Result<Self, Failure> {
        let (blocks, payments) = (tip.height.get(), cli.recipe().total_payments());
        let seconds = elapsed.as_secs_f64();
        Ok(Self {
            network: network.folder_name(),
            data_dir: cli.data_dir.as_ref().map(|path| path.display().to_string()),
            blocks,
            payments,
            accounts: cli.accounts,
            seed: cli.seed,
            difficulty: cli.difficulty,
            seconds,
            blocks_per_second: rate(blocks, seconds),
            payments_per_second: rate(payments, seconds),
            bytes: folder.map(bytes_in).transpose()?,
            tip: tip.hash.to_string(),
        })
    }

    /// Prints it, with a note how the programs read the chain.
    pub(crate) fn print(&self, output: Output) -> Result<(), Failure> {
        output.result(self, || self.to_string())?;
        if let Some(data_dir) = &self.data_dir {
            let difficulty = self.difficulty;
            output.note(
                "how_to_read",
                &format!(
                    "the programs read it with --data-dir {data_dir} --set rules.name={NAME} \
                     --set rules.difficulty={difficulty} --set rules.block_interval_seconds=0"
                ),
            );
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { blocks, payments, seconds, tip, .. } = self;
        write!(f, "{blocks} blocks, {payments} payments in {seconds:.1} s: ")?;
        write!(f, "{:.0} blocks/s, ", self.blocks_per_second)?;
        write!(f, "{:.0} payments/s, ", self.payments_per_second)?;
        match self.bytes {
            Some(bytes) => write!(f, "{bytes} bytes on disk, ")?,
            None => write!(f, "not stored, ")?,
        }
        write!(f, "tip {tip}")
    }
}

#[allow(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds.max(f64::EPSILON)
}

/// The bytes of all files of a chain.
fn bytes_in(folder: &Path) -> Result<u64, Failure> {
    let lengths = || -> io::Result<u64> {
        fs::read_dir(folder)?.map(|entry| entry?.metadata().map(|file| file.len())).sum()
    };
    lengths().map_err(|error| Failure::io("cannot read", folder, &error))
}
