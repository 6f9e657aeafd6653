//! The ledger against a naive model of it, over random histories of payments, blocks, forks,
//! orders of arrival, reorganisations, invalid blocks, restarts.
//!
//! | command | runs |
//! |---|---|
//! | `cargo test -p cairn-ledger --test model` | a few hundred histories |
//! | `CAIRN_HISTORIES=10000 cargo test --release -p cairn-ledger --test model` | so many |
//! | `CAIRN_SEED=7 ...` | others: those of seed 7 instead of 1 |
//! | `CAIRN_SEED=7 CAIRN_HISTORY=42 ...` | that one alone, as the failure of a run names it |
//!
//! A seed and a number make a history, and nothing else does. One that fails is shrunk, in at most
//! `CAIRN_SHRINK_STEPS`, and told step by step. `.ci/planted` shows that bugs are found.
//!
//! | module | is |
//! |---|---|
//! | `model`, `accounts`, `difficulty` | the model: docs/PROTOCOL.md, sections 8 to 11, once more |
//! | `history` | what can happen, as plain data, and how it is drawn |
//! | `purse`, `miner`, `world` | how it happens: blocks are mined, and given to ledger and model |
//! | `found` | what histories found in the ledger, as tests with names |
//! | `compare`, `story`, `coverage` | what is compared, told and counted |

mod accounts;
mod compare;
mod coverage;
mod difficulty;
mod found;
mod history;
#[allow(dead_code, reason = "the other tests use the rest of it")]
#[path = "../ledger/kit.rs"]
mod kit;
mod miner;
mod model;
mod purse;
mod story;
mod world;

use std::cell::OnceCell;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use coverage::Coverage;
use history::{History, histories};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use story::Story;

/// How many histories run, which ones, and how long the search for a short one goes on.
const HISTORIES: u64 = 500;
const SEED: u64 = 1;
const SHRINK_STEPS: u32 = 20_000;

#[test]
fn the_ledger_is_what_the_model_says() {
    let seed = setting("CAIRN_SEED").unwrap_or(SEED);
    let numbers = match setting("CAIRN_HISTORY") {
        Some(number) => number..number + 1,
        None => 0..setting("CAIRN_HISTORIES").unwrap_or(HISTORIES),
    };
    let mut coverage = Coverage::default();
    for number in numbers {
        coverage.add(&run_history(seed, number));
    }
    say(&format!("seed {seed}: {coverage}"));
    let lacks = coverage.lacks();
    assert!(lacks.is_empty(), "the histories of seed {seed} lack: {lacks:?}");
}

/// Runs one history; if it fails, the shortest like it that was found is told.
fn run_history(seed: u64, number: u64) -> Coverage {
    let config = Config {
        max_shrink_iters: setting("CAIRN_SHRINK_STEPS")
            .map_or(SHRINK_STEPS, |steps| u32::try_from(steps).unwrap_or(u32::MAX)),
        failure_persistence: None,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let tree = histories().new_tree(&mut runner).expect("nothing is filtered");
    let drawn = tree.current().steps.len();

    let coverage = OnceCell::new();
    let done = runner.run_one(tree, |history| {
        let seen = world::run(&history, &mut Story::untold()).map_err(TestCaseError::fail)?;
        coverage.get_or_init(|| seen);
        Ok(())
    });
    match done {
        Ok(_) => coverage.into_inner().expect("it ran"),
        Err(TestError::Fail(difference, shrunk)) => {
            fail(seed, number, drawn, &shrunk, difference.message())
        }
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

fn fail(seed: u64, number: u64, drawn: usize, shrunk: &History, difference: &str) -> ! {
    let mut story = Story::told();
    // It fails again, perhaps by a panic; what counts is the story up to there.
    let _ = catch_unwind(AssertUnwindSafe(|| world::run(shrunk, &mut story)));
    panic!(
        "model and ledger differ: history {number} of seed {seed}, shrunk from {drawn} to {} \
         steps\n\n{}\n\n{difference}\n\nagain: CAIRN_SEED={seed} CAIRN_HISTORY={number} \
         cargo test -p cairn-ledger --test model\n",
        shrunk.steps.len(),
        story.text(),
    )
}

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}; it takes a number")))
}

/// Writes past the test harness, which shows what is printed only if a test fails.
fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("a standard error");
}
