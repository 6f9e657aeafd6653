//! The command line.

use cairn_home::{CommonArgs, NetworkArgs};
use clap::builder::RangedU64ValueParser;
use clap::{Parser, Subcommand};

/// The most searching threads: far more than any machine has cores.
const MAX_THREADS: u64 = 1_024;

const EVENTS: &str = "\
Each event is one line on stdout; with --json it is one object with these fields, beside \"event\" \
and \"time\" (milliseconds since the Unix epoch):
  started        network, data_dir, status_port, blocks_port, transactions_port, height, tip,
                 reward_address
  block_mined    height, hash, transactions, reward, seconds (since the tip before it)
  block_adopted  height, hash, transactions, from (null if unknown)
  reorg          disconnected, connected, height, hash
  hash_rate      hashes_per_second, height, mempool, links (every 10 s)
  warning        code, message; among the codes: catching_up and too_few_transactions (why
                 nothing is mined, once that has lasted a second), clock_off, invalid_block,
                 many_threads, other_rules, peer_unreachable, port_taken, search_failed
  stopped        height, reason (interrupted, terminated, blocks_mined, output_closed, failed)

Exit codes: 0 stopped, 1 unexpected, 2 usage or configuration, 4 unknown name or address, 6 key \
file, 8 another miner uses the data directory.";

const BENCHMARK: &str = "\
Neither mines nor reads any file. Each kernel that this CPU has is measured on 1 thread, 2, and so \
on up to --threads (by default all cores), nine times in turns; the medians are printed. All search the \
same nonces, and it is an error if one does not find what the plain loop (the kernel portable) finds. \
Rates are by the processor time of the threads, so that other programs disturb little. With --json \
each is one object with the fields kernel, threads, hashes_per_second, ratio (to the kernel portable on \
as many threads). Kernels that this CPU lacks are named on stderr.";

const CHECK: &str = "\
Reads the chain of the configured network and changes nothing; a miner may go on beside it, and what \
it adds meanwhile is not looked at. Every block of the active chain is validated again from genesis \
on, with its proof of work and all signatures, on --threads threads (by default all cores); headers of all branches, \
accounts, tip, rewards and supply are compared with what the blocks make them, and SQLite checks the pages of the file. \
It takes some hundred bytes of memory for each account. The first damage is named by table, row, height \
and hash; then move chain.db away and sync again: keys and payments are kept elsewhere. With --json the \
result is one object with the fields height, tip, blocks, payments, accounts, headers (of all branches, \
genesis included), seconds.

Exit codes: 0 whole, 1 damaged (the code damaged_chain) or unreadable, 2 usage or configuration, 5 there is no \
chain yet, 8 without a write-ahead log (on a network file system): somebody writes the chain.";

/// Mines, and keeps a network alive: listens, serves, relays and finds blocks until Ctrl-C.
#[derive(Clone, Debug, Parser)]
#[command(name = "miner", version, after_long_help = EVENTS)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// Who gets the rewards: the name of a key, or an address [default: the key mining-rewards,
    /// created on the first run]
    #[arg(long, value_name = "NAME|ADDRESS")]
    pub(crate) reward_to: Option<String>,
    /// Searching threads; 0: one for each core [default: miner.threads of the configuration, 0]
    #[arg(long, value_name = "N", global = true, allow_negative_numbers = true, value_parser = RangedU64ValueParser::<usize>::new().range(..=MAX_THREADS))]
    pub(crate) threads: Option<usize>,
    /// Stops after having mined so many blocks
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u64>::new().range(1..))]
    pub(crate) blocks: Option<u64>,
    /// What to do instead of mining
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What the program does instead of mining.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Command {
    /// Measures how fast each kernel searches, on one thread and on more
    #[command(after_long_help = BENCHMARK)]
    Benchmark,
    /// Checks that the chain of this data directory is whole, from the first block on
    #[command(after_long_help = CHECK)]
    Check,
}

impl Arguments {
    /// An option of mining, which means nothing beside a command: `miner --blocks 3 benchmark`.
    pub(crate) fn option_beside_command(&self) -> Option<&'static str> {
        let given = [
            (self.reward_to.is_some(), "--reward-to"),
            (self.blocks.is_some(), "--blocks"),
            (!self.network.peers.is_empty(), "--peer"),
            (self.network.lan, "--lan"),
        ];
        given.into_iter().find_map(|(given, option)| given.then_some(option))
    }

    /// What a newcomer does next: look at the wallet of the same data directory and network.
    pub(crate) fn next_step(&self) -> String {
        let files = [("--config", &self.common.config), ("--data-dir", &self.common.data_dir)];
        let files = files
            .into_iter()
            .filter_map(|(option, file)| Some(format!(" {option} {}", file.as_ref()?.display())));
        let settings = self.common.set.iter().map(|setting| format!(" --set {setting}"));
        let options: String = files.chain(settings).collect();
        format!("in another terminal: cargo run --release --bin wallet -- list-addresses{options}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn options_are_read() {
        let line = "miner --reward-to alice --threads 2 --blocks 3 --peer localhost:2607 --lan";
        let arguments = Arguments::try_parse_from(line.split(' ')).expect("valid");
        assert_eq!(arguments.reward_to.as_deref(), Some("alice"));
        assert_eq!((arguments.threads, arguments.blocks), (Some(2), Some(3)));
        assert_eq!(arguments.network.peers, ["localhost:2607"]);
        assert!(arguments.network.lan);
    }

    #[test]
    fn the_next_step_is_about_the_same_wallet() {
        let line = "miner --data-dir d --set rules.difficulty=8 --config c.toml";
        let arguments = Arguments::try_parse_from(line.split(' ')).expect("valid");
        let same = "list-addresses --config c.toml --data-dir d --set rules.difficulty=8";
        assert!(arguments.next_step().ends_with(same), "{}", arguments.next_step());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for option in ["--blocks 0", "--threads 1025", "--threads -1", "--peer nowhere", "extra"] {
            let line = format!("miner {option}");
            assert!(Arguments::try_parse_from(line.split(' ')).is_err(), "{option}");
        }
    }
}
