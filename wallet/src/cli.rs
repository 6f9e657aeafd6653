//! The command line.

use std::path::PathBuf;

use cairn_home::{CommonArgs, NetworkArgs};
use clap::{Args, Parser, Subcommand};

/// Makes addresses, shows balances, pays, keeps a copy of the chain, and backs up.
#[derive(Debug, Parser)]
#[command(name = "wallet", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a new address and the key file that owns it
    NewAddress(NewAddress),
    /// Shows each address with its name, its balance and what is under way
    ListAddresses,
    /// Shows what this wallet's keys received and sent, the newest first
    ///
    /// A payment between two of them is told for each. Payments that no block holds yet come first.
    /// The history is an index (history.db) that is made from the blocks: for a key that is new here
    /// all of them are looked through, once.
    ///
    /// With --json: `{"network", "height", "tip", "entries"}`, each entry as
    /// `{"height", "time", "kind", "name", "address", "amount", "fee", "counterparty",
    /// "counterparty_name", "memo", "txid"}`: `height` and `time` (milliseconds since 1970) are null
    /// until a block holds it, `kind` is "reward", "received" or "sent", `amount` has a sign and leaves
    /// out the `fee`, which is null unless this key paid it. `memo` is text, or null where there is none.
    History(History),
    /// Pays somebody
    Send(Send),
    /// Keeps the copy of the chain up to date, until Ctrl-C
    Sync(Sync),
    /// Writes all keys and recorded payments of the data directory to one file
    ///
    /// Whoever has that file can spend the coins: only its owner may read it, and it is not encrypted.
    /// It holds what nothing else gives back: every key file, and the payments made here in any
    /// network (wallet.db); not the chain, which is downloaded again. Other programs may use the data
    /// directory meanwhile. Make a new backup after each `wallet new-address`. One that is killed may
    /// leave a draft, .FILE.*.new, beside the file, as secret as the file: remove it.
    ///
    /// With --json: `{"file", "keys", "networks", "payments", "bytes"}`.
    Backup(Backup),
    /// Brings keys and recorded payments back from a file of `wallet backup`
    ///
    /// Refused, with nothing written, if a key would get the name of another one, or if payments
    /// would come beside others. With --force, keys that are in the way are kept beside the new ones
    /// as NAME.pem.before-restore-N (rename one to OTHER.pem to use it), and payments are added to
    /// those that are there, none of which goes; one whose sequence another payment has used here is
    /// left out and told. A damaged file is refused as a whole. If it is cut short, the same command
    /// again does the rest. A miner that runs goes on with the key that it started with.
    ///
    /// A backup does not know the payments that were made after it: run `wallet sync --once` before
    /// you pay again, so that the chain tells which sequences are used. Should such a payment still
    /// wait for a block, a new one gets the same sequence: only one of the two is made, and you are
    /// told if it is the other.
    ///
    /// With --json: `{"file", "keys", "networks", "payments", "kept", "passed_over"}`: how much was
    /// written, the files of keys that had to give way, and how many payments were left out.
    Restore(Restore),
}

#[derive(Args, Debug)]
pub(crate) struct Backup {
    /// The file to write
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Replaces a file of that name
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Restore {
    /// The file to read
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Restores also where other keys or payments are, which are kept
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct NewAddress {
    /// A name for it, known to this wallet only: letters, digits, '.', '_' and '-'
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

#[derive(Args, Debug)]
pub(crate) struct History {
    /// Only of this key: its name or its address
    #[arg(value_name = "NAME|ADDRESS")]
    pub(crate) party: Option<String>,
    /// At most so many entries
    #[arg(long, value_name = "N", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) last: u32,
}

#[derive(Args, Debug)]
pub(crate) struct Send {
    /// Who pays: the name of one of this wallet's keys
    #[arg(value_name = "FROM")]
    pub(crate) from: String,
    /// How many coins, such as 10 or 2.5
    #[arg(value_name = "AMOUNT", allow_negative_numbers = true)]
    pub(crate) amount: String,
    /// Who is paid: a name or an address
    #[arg(value_name = "TO")]
    pub(crate) to: String,
    /// What the miner gets in addition [default: the configured smallest fee, 0]
    #[arg(long, value_name = "COINS", allow_negative_numbers = true)]
    pub(crate) fee: Option<String>,
    /// A note that all can read, at most 512 bytes
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) memo: String,
    /// Waits until N blocks, the payment's own included, confirm it [default: 1]
    #[arg(
        long,
        value_name = "N",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub(crate) wait: Option<u32>,
    /// Seconds that --wait waits at most
    #[arg(long, value_name = "S", default_value_t = 120, requires = "wait")]
    pub(crate) timeout: u64,
    /// Only records the payment; a miner or `wallet sync` of this data directory sends it
    #[arg(long, conflicts_with_all = ["wait", "lan", "peers"])]
    pub(crate) offline: bool,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

#[derive(Args, Debug)]
pub(crate) struct Sync {
    /// Ends as soon as the copy is level with the best chain heard; a claim of a better one counts
    /// until nothing was shown of it for 60 s
    #[arg(long)]
    pub(crate) once: bool,
    /// Ends after so many seconds
    #[arg(long, value_name = "S")]
    pub(crate) timeout: Option<u64>,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn send(line: &str) -> Result<Send, clap::Error> {
        let cli = Cli::try_parse_from(format!("wallet send {line}").split(' '))?;
        let Command::Send(send) = cli.command else { panic!("another command") };
        Ok(send)
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wait_takes_a_number_only_after_an_equals_sign() {
        assert_eq!(send("a 1 b").expect("valid").wait, None);
        assert_eq!(send("--wait a 1 b").expect("valid").wait, Some(1));
        assert_eq!(send("a 1 b --wait=3 --timeout 5").expect("valid").wait, Some(3));
        for line in ["a 1 b --wait=0", "a 1 b --timeout 5", "a 1 b --wait --offline", "a 1"] {
            assert!(send(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_negative_amount_is_left_to_the_amounts_own_error() {
        assert_eq!(send("a -1 b --fee -2").expect("valid").amount, "-1");
    }
}
