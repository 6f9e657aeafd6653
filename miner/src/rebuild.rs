//! `miner rebuild`: a new database of the blocks that are stored in this data directory.
//!
//! The ledger reads and connects, on this thread; blocks are verified on one thread for each core.

use std::time::{Duration, Instant};

use cairn_home::{Config, DataDir, Exit, Failure, Output};
use cairn_ledger::{LedgerError, Rebuild, RebuildError, Rebuilt};
use serde::Serialize;

use crate::chain;
use crate::cli::Arguments;
use crate::interrupt::Interrupt;
use crate::progress::{StageLine, seconds};
use crate::threads::Threads;
use crate::verifiers::Verifiers;

/// Makes the chain of the configured network anew.
///
/// # Errors
/// [`Failure`] if there is no chain, if nothing of it can be read, or if it is in use.
pub(crate) fn run(arguments: &Arguments, threads: Threads, output: Output) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let config = Config::load(&arguments.common)?;
    let network = config.network();
    let folder = DataDir::resolve(&arguments.common)?.network_folder(network);
    if !folder.exists() {
        return Err(LedgerError::NotFound(folder).into());
    }
    let (_lock, rebuild) = chain::take(&folder, || Rebuild::begin(&folder, network))?;
    let begin = Instant::now();
    let mut line = StageLine::on_stderr(output);
    let rebuilt = std::thread::scope(|scope| {
        let mut verifiers = Verifiers::start(scope, threads.number(), network)
            .map_err(|error| threads.refused(&error))?;
        let mut progress = |progress| {
            line.show(progress);
            interrupt.check()
        };
        Ok::<_, Failure>(rebuild.run(&mut verifiers, &mut progress))
    })?;
    let answer = Answer::new(&rebuilt.map_err(failure)?, begin.elapsed());
    output.result(&answer, || answer.text())
}

fn failure(error: RebuildError) -> Failure {
    match error {
        RebuildError::Ledger(error) => error.into(),
        RebuildError::Nothing(_) => {
            Failure::new(Exit::Unexpected, "damaged_chain", error.to_string())
        }
        RebuildError::Interrupted => Interrupt::failure("the chain is as it was"),
    }
}

/// What was rebuilt, as it is printed.
#[derive(Debug, Serialize)]
struct Answer {
    height: u64,
    tip: String,
    blocks: u64,
    payments: u64,
    left_out: u64,
    kept: Option<String>,
    seconds: f64,
}

impl Answer {
    fn new(rebuilt: &Rebuilt, took: Duration) -> Self {
        Self {
            height: rebuilt.tip.block.height.get(),
            tip: rebuilt.tip.block.hash.to_string(),
            blocks: rebuilt.blocks,
            payments: rebuilt.payments,
            left_out: rebuilt.left_out,
            kept: rebuilt.kept.as_ref().map(|file| file.display().to_string()),
            seconds: seconds(took),
        }
    }

    fn text(&self) -> String {
        let Self { height, tip, blocks, payments, left_out, seconds, .. } = self;
        let rebuilt = format!(
            "rebuilt the chain up to height {height}, block {tip}: {blocks} blocks, {payments} \
             payments, in {seconds:.1} s"
        );
        let Some(kept) = &self.kept else { return rebuilt };
        format!(
            "{rebuilt}\nleft out {left_out} stored blocks that cannot be read or have lost their \
             parent: `miner` or `wallet sync` download what is missing from height {next} on\nthe \
             old database is kept as {kept}; when nothing is missing any more, delete it",
            next = height + 1
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told() {
        let whole = Answer {
            height: 7,
            tip: "00ab".to_owned(),
            blocks: 8,
            payments: 3,
            left_out: 0,
            kept: None,
            seconds: 0.25,
        };
        let line = "rebuilt the chain up to height 7, block 00ab: 8 blocks, 3 payments, in 0.2 s";
        assert_eq!(whole.text(), line);
        let part = Answer { left_out: 5, kept: Some("old".to_owned()), ..whole };
        let text = part.text();
        for words in [line, "left out 5 stored blocks", "from height 8 on", "kept as old"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}
