//! The command line.

use std::path::PathBuf;

use cairn_home::{CommonArgs, NetworkArgs};
use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand};

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
and hash; then `miner rebuild` makes the chain anew. With --json the \
result is one object with the fields height, tip, blocks, payments, accounts, headers (of all branches, \
genesis included), seconds.

Exit codes: 0 whole, 1 damaged (the code damaged_chain) or unreadable, 2 usage or configuration, 5 there is no \
chain yet, 8 without a write-ahead log (on a network file system): somebody writes the chain.";

const REBUILD: &str = "\
Makes a new chain.db of the blocks that the old one holds, and puts it in its place. Accounts, headers and all \
else are not read but made anew; each block is validated again, its signatures on --threads threads (by default all \
cores). Rows and pages that cannot be read are passed over. What comes after a lost block is left out, too: \
`miner` and `wallet sync` download it again, and the old database then stays as chain.db.damaged-N. No miner may work \
in the data directory meanwhile; it needs room for a second chain, and 16 bytes of memory for each block. Ctrl-C, a full disk \
or a kill leave the old chain as it was. With --json the result is one object with the fields height, tip, \
blocks, payments, left_out (stored blocks), kept (where the old database is, or null), seconds.

Exit codes: 0 rebuilt (see left_out), 1 nothing can be read (the code damaged_chain), the disk is full, or \
interrupted, 2 usage or configuration, 5 there is no chain yet, 8 a miner uses the data directory.";

const EXPORT: &str = "\
Writes the chain of the configured network, from its first block to the tip of this moment, to one file from \
which `miner import` starts another data directory. A miner may go on beside it. What is read is \
compared with its checksums; the file has checksums of its own. It appears complete or not at \
all; Ctrl-C ends it and leaves none. With --json the result is one object with the fields file, height, tip, \
blocks, bytes, seconds.

Exit codes: 0 written, 1 the chain is damaged (the code damaged_chain), the file cannot be written, or \
interrupted, 2 usage or configuration, 4 there is a file of that name, or no such folder, 5 there is \
no chain yet, 8 without a write-ahead log (on a network file system): somebody writes the chain.";

const IMPORT: &str = "\
Takes in the chain of a file that `miner export` has written, without any network. Nothing in the file is \
trusted: every proof of work and all signatures are checked, on --threads threads (by default all cores), and \
each block is connected like one that was downloaded. A chain that is here already stays unless the file's has \
more work; blocks that are known are skipped, so that the same import may run again, also after it was \
killed: it goes on where it was. Ctrl-C ends it within about a second and keeps the blocks that were written by then. A \
damaged file or a bad block ends it, too; what came before that is kept. With --json the result is one \
object with the fields file, blocks (in the file), new (that were not known), payments (in those), height, \
tip (of the chain afterwards), seconds.

Exit codes: 0 imported, 1 unexpected, or interrupted, 2 usage or configuration, 4 the file: missing (the \
code not_found), damaged or not of an export (bad_export), of another network (other_rules, which it \
names), with a block that breaks a rule (bad_block), 8 a miner uses the data directory.";

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
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Measures how fast each kernel searches, on one thread and on more
    #[command(after_long_help = BENCHMARK)]
    Benchmark,
    /// Checks that the chain of this data directory is whole, from the first block on
    #[command(after_long_help = CHECK)]
    Check,
    /// Makes the chain of this data directory anew from its blocks, when it is damaged
    #[command(after_long_help = REBUILD)]
    Rebuild,
    /// Writes the whole chain of this data directory to one file
    #[command(after_long_help = EXPORT)]
    Export(ExportFile),
    /// Takes in the chain of a file, without any network
    #[command(after_long_help = IMPORT)]
    Import {
        /// The file to read
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Where an export goes.
#[derive(Args, Clone, Debug)]
pub(crate) struct ExportFile {
    /// The file to write
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Replaces a file of that name
    #[arg(long)]
    pub(crate) force: bool,
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
