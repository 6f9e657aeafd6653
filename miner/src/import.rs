//! `miner import FILE`: a chain from a file of `miner export`, without any network.
//!
//! The ledger reads and connects, on this thread; blocks are verified on one thread for each core.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use cairn_home::{Config, DataDir, Exit, Failure, Output};
use cairn_ledger::{ImportError, Imported, Ledger, Tip, Unusable};
use cairn_network::clock;
use serde::Serialize;

use crate::chain;
use crate::cli::Arguments;
use crate::interrupt::Interrupt;
use crate::progress::{StageLine, seconds};
use crate::threads::Threads;
use crate::verifiers::Verifiers;

/// Takes the chain of a file into this data directory.
///
/// # Errors
/// [`Failure`] if the file or a block in it is not what it should be, or the chain cannot be
/// written.
pub(crate) fn run(
    arguments: &Arguments,
    path: &Path,
    threads: Threads,
    output: Output,
) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let config = Config::load(&arguments.common)?;
    let network = config.network();
    let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
    let folder = DataDir::resolve(&arguments.common)?.create_network_folder(network)?;
    let (_lock, mut ledger) = chain::take(&folder, || Ledger::open(&folder, network))?;
    let begin = Instant::now();
    let mut line = StageLine::on_stderr(output);
    let imported = std::thread::scope(|scope| {
        let mut verifiers = Verifiers::start(scope, threads.number(), network)
            .map_err(|error| threads.refused(&error))?;
        let mut progress = |progress| {
            line.show(progress);
            interrupt.check()
        };
        let (mut file, now) = (BufReader::new(file), clock::now());
        Ok::<_, Failure>(ledger.import(&mut file, now, &mut verifiers, &mut progress))
    })?;
    let tip = ledger.tip();
    let imported = imported.map_err(|error| failure(path, error, &tip))?;
    let answer = Answer::new(path, &imported, &tip, begin.elapsed());
    output.result(&answer, || answer.text())
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::NotFound {
        let message = format!("cannot read {}: {error}; check its name", path.display());
        return Failure::new(Exit::BadInput, "not_found", message);
    }
    Failure::io("cannot read", path, error)
}

/// What went wrong, how the chain stands, and what to do next.
fn failure(path: &Path, error: ImportError, tip: &Tip) -> Failure {
    let kept = format!("the chain here is valid and stands at height {}", tip.block.height);
    let bad = |code, error: &dyn std::fmt::Display, next: &str| {
        let message = format!("cannot import {}: {error}; {kept}; {next}", path.display());
        Failure::new(Exit::BadInput, code, message)
    };
    let another_copy = "take another copy of the file, and import it to go on from there";
    match error {
        ImportError::Ledger(error) => error.into(),
        ImportError::Read(error) => cannot_read(path, &error),
        ImportError::Interrupted => {
            Interrupt::failure(&format!("{kept}; the same command goes on from there"))
        }
        ImportError::BadBlock { .. } => {
            let next = "what comes after it in the file cannot be used: take the file of somebody \
                        else, or `miner` and `wallet sync` download the rest";
            bad("bad_block", &error, next)
        }
        ImportError::Unusable(why) => match why {
            Unusable::Truncated { .. } | Unusable::Changed { .. } => {
                bad("bad_export", &why, another_copy)
            }
            Unusable::OtherRules(_) => {
                let next = "name the configuration of that network by --config FILE, or its rules \
                            by --set";
                bad("other_rules", &why, next)
            }
            Unusable::Foreign | Unusable::Version(_) | Unusable::Malformed(_) => {
                bad("bad_export", &why, "name a file that `miner export` has written")
            }
        },
    }
}

/// What was imported, as it is printed.
#[derive(Debug, Serialize)]
struct Answer {
    file: String,
    blocks: u64,
    new: u64,
    payments: u64,
    height: u64,
    tip: String,
    seconds: f64,
    /// Whether the file's last block is the tip.
    #[serde(skip)]
    is_followed: bool,
}

impl Answer {
    fn new(file: &Path, imported: &Imported, tip: &Tip, took: Duration) -> Self {
        Self {
            file: file.display().to_string(),
            blocks: imported.end.height.get(),
            new: imported.new,
            payments: imported.payments,
            height: tip.block.height.get(),
            tip: tip.block.hash.to_string(),
            seconds: seconds(took),
            is_followed: imported.end == tip.block,
        }
    }

    fn text(&self) -> String {
        let Self { file, blocks, new, payments, height, tip, seconds, .. } = self;
        let more = if self.is_followed { "" } else { "; the chain that was here has more work" };
        format!(
            "{file}: {blocks} blocks, of which {new} with {payments} payments were new, imported \
             in {seconds:.1} s{more}\nthe chain stands at height {height}, block {tip}"
        )
    }
}
