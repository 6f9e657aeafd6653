//! How long a wallet looks for ten addresses in a chain that it never looked through: 1,000,000
//! payments in blocks of 500, among a thousand accounts; `CAIRN_PAYMENTS` asks for fewer.
//!
//! The baseline, in the same rounds: the same blocks read and compared with their checksums on one
//! thread, and nothing done with them. Each round has a new index.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use cairn_forge::{Chain, Recipe, batches, network};
use cairn_home::History;
use cairn_ledger::{Ledger, LedgerReader};
use cairn_protocol::{AccountId, Height, Network, SecretKey};

const ROUNDS: usize = 11;
const PAYMENTS: u32 = 500;
const ACCOUNTS: u32 = 1_000;
/// The keys of the wallet.
const OURS: usize = 10;

fn main() {
    let asked = std::env::var("CAIRN_PAYMENTS").map_or(Ok(1_000_000), |text| text.parse());
    let payments: u32 = asked.expect("CAIRN_PAYMENTS is a number");
    let recipe = Recipe {
        blocks: payments / PAYMENTS + 1,
        payments: PAYMENTS,
        accounts: ACCOUNTS,
        ..Recipe::default()
    };
    let network = network(0);
    let folder = tempfile::tempdir().expect("a folder");
    store(folder.path(), &network, &recipe);
    let ours: Vec<_> = recipe.keys().iter().take(OURS).map(SecretKey::account).collect();
    let reader = LedgerReader::open(folder.path(), &network).expect("a chain");
    let rounds = (0..ROUNDS).map(|_| {
        let baseline = timed(|| read_all(&reader));
        (baseline, timed(|| rescan(folder.path(), &network, &ours)))
    });
    let (baseline, rescan): (Vec<_>, Vec<_>) = rounds.unzip();
    report(recipe.total_payments(), median(baseline), median(rescan));
}

fn store(folder: &Path, network: &Network, recipe: &Recipe) {
    let mut ledger = Ledger::open(folder, network).expect("a new chain");
    for batch in batches(Chain::new(network, recipe).expect("possible")) {
        let added = ledger.add_blocks(&batch, recipe.end()).expect("written");
        assert_eq!(added.refused, []);
    }
}

fn read_all(reader: &LedgerReader) {
    let read = reader.scan(Height::GENESIS, usize::MAX, &mut |block, view| {
        black_box((block, view));
        Ok(())
    });
    read.expect("a chain");
}

fn rescan(folder: &Path, network: &Network, ours: &[AccountId]) {
    History::reset(folder).expect("emptied");
    let mut history = History::open(folder, network).expect("new");
    history.catch_up(ours, &mut |_| {}).expect("readable");
    assert!(!history.newest(ours, 1).expect("readable").is_empty());
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark's result")]
fn report(payments: u64, baseline: Duration, rescan: Duration) {
    let per_million = |time: Duration| time.as_secs_f64() * 1e6 / payments as f64;
    println!(
        "{payments} payments, {OURS} addresses of {ACCOUNTS}, medians of {ROUNDS} rounds\n\
         read and compared, one thread: {:.3} s a million\n\
         a rescan: {:.3} s a million, {:.2} of that",
        per_million(baseline),
        per_million(rescan),
        rescan.as_secs_f64() / baseline.as_secs_f64()
    );
}
