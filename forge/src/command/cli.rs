//! The command line.

use std::path::PathBuf;

use cairn_forge::Recipe;
use cairn_home::CommonArgs;
use clap::Parser;

/// Forges a chain for tests and benchmarks. The same arguments give the same blocks everywhere.
#[derive(Debug, Parser)]
#[command(name = "forge", version)]
pub(crate) struct Cli {
    /// How many blocks follow genesis
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) blocks: u32,
    /// How many payments each block holds; the first has none, because nobody could pay
    #[arg(long, value_name = "M", default_value_t = 0)]
    pub(crate) payments: u32,
    /// How many accounts pay each other, and get the rewards in turn
    #[arg(long, value_name = "K", default_value_t = 10)]
    pub(crate) accounts: u32,
    /// What keys and payments are drawn from
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Zero bits that each block's hash starts with, at most 16: another number, another network
    #[arg(long, value_name = "BITS", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u8).range(..=16))]
    pub(crate) difficulty: u8,
    /// Where to write the chain; without it, the blocks are made and counted only
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Writes the accounts' keys too, as account-1, account-2 and so on
    #[arg(long, requires = "data_dir")]
    pub(crate) keys: bool,
    /// Writes result and errors as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Shows neither notes nor progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

impl Cli {
    /// What the chain is made of.
    pub(crate) fn recipe(&self) -> Recipe {
        Recipe {
            seed: self.seed,
            blocks: self.blocks,
            payments: self.payments,
            accounts: self.accounts,
            ..Recipe::default()
        }
    }

    /// The options that it shares with the programs.
    pub(crate) fn common(&self) -> CommonArgs {
        let (data_dir, json, quiet) = (self.data_dir.clone(), self.json, self.quiet);
        CommonArgs { data_dir, json, quiet, ..CommonArgs::default() }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
