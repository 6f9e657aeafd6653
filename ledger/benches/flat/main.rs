//! Whether a block costs at a million blocks what it costs at the chain's beginning, and what a
//! payment takes on disk: `cargo bench -p cairn-ledger --bench flat`, all or those whose names
//! follow after `--`.
//!
//! | name | what | compared with the same run's |
//! |---|---|---|
//! | `block` | one block without payments in one commit, at 1,000,000 blocks | at 10,000 |
//! | `commit` | one block of 100 payments in one commit, at 1,000,000 blocks | at 1,000 |
//! | `bytes` | the file after 1,000,000 payments in blocks of 500 | encoded payments |
//!
//! `CAIRN_BLOCKS` and `CAIRN_PAYMENTS` stand for other than a million. The files are in the system's
//! folder for such, which should be a disk.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a bench reads the clock")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "results are for reading")]

mod bytes;
mod growing;

use std::time::Duration;

use crate::growing::Growing;

/// Commits at each size, in turns.
const ROUNDS: usize = 500;
const MANY: u32 = 1_000_000;

fn main() {
    // Cargo adds an option of its own.
    let names: Vec<_> = std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    let is_wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    if is_wanted("block") || is_wanted("commit") {
        let mut long = Growing::forge(from_environment("CAIRN_BLOCKS", MANY));
        if is_wanted("block") {
            compare("a block without payments", 0, &mut Growing::forge(10_000), &mut long);
        }
        if is_wanted("commit") {
            compare("a block of 100 payments", 100, &mut Growing::forge(1_000), &mut long);
        }
    }
    if is_wanted("bytes") {
        bytes::run(from_environment("CAIRN_PAYMENTS", MANY));
    }
}

fn from_environment(name: &str, usual: u32) -> u32 {
    let set = std::env::var(name).ok();
    set.map_or(usual, |number| number.parse().expect("a number"))
}

/// Adds blocks with so many payments to two chains in turns, each in a commit of its own.
fn compare(what: &str, payments: usize, short: &mut Growing, long: &mut Growing) {
    let chains = [short, long];
    let mut times = [Vec::new(), Vec::new()];
    let from = chains.each_ref().map(|chain| chain.height());
    for round in 0..2 * ROUNDS {
        // A, B, B, A, and so on.
        let which = round.div_ceil(2) % 2;
        times[which].push(chains[which].add_block(payments));
    }
    let (medians, means) =
        (times.each_ref().map(|times| median(times)), times.map(|times| mean(&times)));
    println!(
        "{what}: {:.0} us at {} blocks, {:.0} us at {}: {:.2} times (medians of {ROUNDS}; means, \
         with what the log costs now and then: {:.0} and {:.0} us, {:.2} times)",
        medians[1],
        from[1],
        medians[0],
        from[0],
        medians[1] / medians[0],
        means[1],
        means[0],
        means[1] / means[0],
    );
}

/// In microseconds.
fn median(times: &[Duration]) -> f64 {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6
}

/// In microseconds.
fn mean(times: &[Duration]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let number = times.len() as f64;
    times.iter().sum::<Duration>().as_secs_f64() * 1e6 / number
}
