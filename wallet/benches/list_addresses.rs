//! `wallet list-addresses` as a whole process, from its start to its end, in data directories with ten
//! keys: over 1,000 blocks and over 1,000,000 (`CAIRN_BLOCKS` asks for fewer), each with one payment
//! in `wallet.db`, and over the latter with 10,000 payments. The runs of the three take turns; the
//! ratios are to the first.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cairn_forge::{Chain, Draft, NAME, Recipe, batches, network};
use cairn_home::outbox::Recorded;
use cairn_home::{CommonArgs, DataDir, Fate, KeyName, Outbox};
use cairn_ledger::Ledger;
use cairn_protocol::{Amount, Memo, Network, Payment, SecretKey, Sequence, VerifiedTransaction};
use tempfile::TempDir;

const ROUNDS: usize = 51;
/// Blocks after the forged ones, which hold what the first key has paid.
const PAYING_BLOCKS: u32 = 20;
const PAYMENTS_EACH: u32 = 500;
const PAYMENTS: u32 = PAYING_BLOCKS * PAYMENTS_EACH;

fn main() {
    let asked = std::env::var("CAIRN_BLOCKS").map_or(Ok(1_000_000), |text| text.parse());
    let blocks: u32 = asked.expect("CAIRN_BLOCKS is a number");
    let homes = [(1_000, 1), (blocks, 1), (blocks, PAYMENTS)];
    let homes = homes.map(|(blocks, recorded)| Home::new(blocks, recorded as usize));
    let mut times = [const { Vec::new() }; 3];
    for round in 0..ROUNDS {
        // None of them is always the first.
        for turn in 0..homes.len() {
            let at = (round + turn) % homes.len();
            times[at].push(homes[at].run());
        }
    }
    report(blocks, &times.map(median));
}

/// A data directory with a chain.
struct Home(TempDir);

impl Home {
    fn new(blocks: u32, recorded: usize) -> Self {
        let home = Self(tempfile::tempdir().expect("a folder"));
        let args = CommonArgs { data_dir: Some(home.path().into()), ..CommonArgs::default() };
        let (data_dir, network) = (DataDir::resolve(&args).expect("named"), network(0));
        let folder = data_dir.create_network_folder(&network).expect("created");
        let recipe = Recipe { blocks, ..Recipe::default() };
        let keys = recipe.keys();
        for (number, key) in keys.iter().enumerate() {
            let name: KeyName = format!("account-{number}").parse().expect("plain");
            data_dir.keys().add(&name, key).expect("new");
        }
        let payments = store(&folder, &network, &recipe, &keys);
        let made = |one: VerifiedTransaction| Recorded {
            transaction: one.transaction().clone(),
            made: None,
            fate: Some(Fate::Made),
        };
        let recorded: Vec<_> = payments.into_iter().take(recorded).map(made).collect();
        Outbox::open(&folder).expect("new").merge(&recorded).expect("written");
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// How long the wallet runs.
    fn run(&self) -> Duration {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wallet"));
        command.current_dir(self.path()).env_remove("CAIRN_CONFIG").env("HOME", self.path());
        command.env("XDG_CONFIG_HOME", self.path()).arg("--data-dir").arg(self.path());
        let name = format!("rules.name={NAME}");
        for setting in [&name, "rules.difficulty=0", "rules.block_interval_seconds=0"] {
            command.args(["--set", setting]);
        }
        command.arg("list-addresses").stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let status = command.status().expect("it runs");
        let took = start.elapsed();
        assert!(status.success());
        took
    }
}

/// Writes the forged chain, and on its tip the blocks in which the first key pays the second. Returns
/// those payments.
fn store(
    folder: &Path,
    network: &Network,
    recipe: &Recipe,
    keys: &[SecretKey],
) -> Vec<VerifiedTransaction> {
    let mut ledger = Ledger::open(folder, network).expect("a new chain");
    for batch in batches(Chain::new(network, recipe).expect("possible")) {
        ledger.add_blocks(&batch, recipe.end()).expect("written");
    }
    let mut all = Vec::new();
    for number in 0..PAYING_BLOCKS {
        let sequences = (0..PAYMENTS_EACH).map(|at| number * PAYMENTS_EACH + at);
        let payments: Vec<_> = sequences.map(|at| pay(network, keys, at)).collect();
        all.extend(payments.clone());
        let time = recipe.end().after(Duration::from_secs(u64::from(number) + 1));
        let (parent, target) = (ledger.tip().block, network.rules().floor());
        let draft = Draft { parent, time, target, recipient: keys[2].account(), payments };
        let block = draft.seal(network).expect("possible");
        let added = ledger.add_blocks(&[block], time).expect("written");
        assert_eq!(added.refused, []);
    }
    all
}

fn pay(network: &Network, keys: &[SecretKey], sequence: u32) -> VerifiedTransaction {
    let payment = Payment {
        sender: keys[0].account(),
        recipient: keys[1].account(),
        amount: Amount::from_micros(1).expect("small"),
        fee: Amount::ZERO,
        sequence: Sequence::from(sequence),
        memo: Memo::default(),
    };
    keys[0].sign(payment, network.id()).verify(network.id()).expect("valid")
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[allow(clippy::print_stdout, reason = "a benchmark's result")]
fn report(blocks: u32, medians: &[Duration; 3]) {
    println!("wallet list-addresses, medians of {ROUNDS} runs");
    let names = [
        "1000 blocks".to_owned(),
        format!("{blocks} blocks"),
        format!("{blocks} blocks, {PAYMENTS} payments recorded"),
    ];
    for (name, median) in names.iter().zip(medians) {
        let ratio = median.as_secs_f64() / medians[0].as_secs_f64();
        println!("{name}: {:.2} ms, {ratio:.2}", median.as_secs_f64() * 1_000.0);
    }
}
