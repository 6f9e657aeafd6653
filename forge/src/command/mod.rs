//! What the command does: it forges on one thread and stores on another.

mod cli;
mod report;
mod storage;

use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use cairn_forge::{Chain, Recipe, RecipeError, batches, network};
use cairn_home::{Exit, Failure, Output, Pace, ProgressLine};
use cairn_protocol::{BlockRef, Timestamp, VerifiedBlock};

pub(crate) use cli::Cli;
use report::Report;
use storage::Storage;

/// Forges, stores and reports.
pub(crate) fn run(cli: &Cli) -> Result<(), Failure> {
    let started = Instant::now();
    let (recipe, network) = (cli.recipe(), network(cli.difficulty));
    recipe.check(&network).map_err(impossible)?;
    check_end(&recipe, now())?;
    let storage = match cli.data_dir {
        Some(_) => Some(Storage::create(cli, &network, &recipe)?),
        None => None,
    };
    let folder = storage.as_ref().map(|storage| storage.folder().to_owned());

    let chain = Chain::new(&network, &recipe).map_err(impossible)?;
    let output = Output::new(&cli.common());
    let tip = forge(chain, recipe.blocks.into(), storage, output);
    let report = Report::new(cli, &network, tip?, started.elapsed(), folder.as_deref())?;
    report.print(output)
}

/// Makes the blocks on a thread of its own and stores them, if they are to be stored. Returns the
/// last one.
fn forge(
    chain: Chain,
    blocks: u64,
    mut storage: Option<Storage>,
    output: Output,
) -> Result<BlockRef, Failure> {
    let (mut line, pace) = (ProgressLine::on_stderr(output), Pace::from(0));
    let mut tip = chain.tip();
    thread::scope(|scope| {
        // One portion is stored, one waits, one is made.
        let (made, to_store) = sync_channel::<Vec<VerifiedBlock>>(1);
        scope.spawn(move || {
            // Nobody receives after the first error; then there is no more to do.
            batches(chain).try_for_each(|batch| made.send(batch))
        });
        for batch in to_store {
            if let Some(storage) = &mut storage {
                storage.add(&batch)?;
            }
            tip = batch.last().map_or(tip, VerifiedBlock::block_ref);
            let height = tip.height.get();
            line.show(|| {
                let (rate, left) = (pace.per_second(height), pace.left(height, blocks));
                format!("block {height} of {blocks}, {rate} blocks/s{left}")
            });
        }
        Ok(tip)
    })
}

/// A chain that ends in the future would be of no use yet.
fn check_end(recipe: &Recipe, now: Timestamp) -> Result<(), Failure> {
    if recipe.end() <= now {
        return Ok(());
    }
    let message = "the last blocks would lie in the future, by this machine's clock; ask for \
                   fewer blocks";
    Err(Failure::new(Exit::Usage, "future", message))
}

fn now() -> Timestamp {
    Timestamp::ZERO.after(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn impossible(error: RecipeError) -> Failure {
    Failure::new(Exit::Usage, "recipe", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_must_not_end_after_the_clock() {
        let recipe = Recipe { blocks: 1_000, ..Recipe::default() };
        assert_eq!(check_end(&recipe, recipe.end()), Ok(()));
        let longer = Recipe { blocks: 1_001, ..recipe.clone() };
        let failure = check_end(&longer, recipe.end()).expect_err("a second too long");
        assert_eq!((failure.exit(), failure.code()), (Exit::Usage, "future"));
    }
}
