//! What the engine costs a search, and what a second thread brings.

use std::num::NonZeroUsize;
use std::time::Duration;

use cairn_miner::engine::{Engine, Job};
use cairn_protocol::Target;

use crate::observed::{Records, Step};
use crate::{bare, cores, mean, median};

const ROUNDS: usize = 11;
/// For each measurement.
const SPAN: Duration = Duration::from_millis(500);
/// Until steps have found their length.
const SETTLING: Duration = Duration::from_millis(100);

/// Hashes a second.
#[derive(Clone, Copy)]
struct Rate {
    of_cpu: f64,
    of_wall: f64,
}

pub(crate) fn run() {
    let rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            (
                bare::hashes_per_cpu_second(1, SPAN.as_secs_f64()),
                engine(NonZeroUsize::MIN),
                engine(cores()),
            )
        })
        .collect();
    let of = |value: fn(&(f64, Rate, Rate)) -> f64| median(rounds.iter().map(value).collect());
    let row = |name: &str, megahashes: f64, unit: &str, ratio: f64| {
        println!("{name:<36} {:>8.2} {unit:<14} {ratio:>7.4}", megahashes / 1e6);
    };
    println!("\nengine, medians of {ROUNDS}");
    row("search alone", of(|round| round.0), "MH a CPU s", 1.0);
    row("engine, 1 thread", of(|round| round.1.of_cpu), "MH a CPU s", of(|r| r.1.of_cpu / r.0));
    let all = format!("engine, {} threads", cores());
    row(&all, of(|round| round.2.of_cpu), "MH a CPU s", of(|r| r.2.of_cpu / r.0));
    row("engine, 1 thread", of(|round| round.1.of_wall), "MH/s", 1.0);
    row(&all, of(|round| round.2.of_wall), "MH/s", of(|r| r.2.of_wall / r.1.of_wall));
}

/// The rate of an engine that searches what it never finds.
fn engine(threads: NonZeroUsize) -> Rate {
    let records = Records::default();
    let observed = records.clone();
    let started = Engine::start(threads, move || observed.new_search(), |_| ());
    let engine = started.expect("a thread a core");
    engine.assign(Job { header_digest: rand::random(), target: Target::HARDEST });
    std::thread::sleep(SETTLING);
    records.take();
    std::thread::sleep(SPAN);
    let records = records.take();
    engine.stop();
    let rates: Vec<_> = records.iter().map(|steps| rate(steps)).collect();
    Rate {
        of_cpu: mean(&rates.iter().map(|rate| rate.of_cpu).collect::<Vec<_>>()),
        of_wall: rates.iter().map(|rate| rate.of_wall).sum(),
    }
}

/// From the end of a thread's first step to that of its last.
fn rate(steps: &[Step]) -> Rate {
    let [first, rest @ .., last] = steps else { panic!("steps of a millisecond or two") };
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let hashes = (rest.iter().map(|step| step.hashes).sum::<u64>() + last.hashes) as f64;
    Rate {
        of_cpu: hashes / (last.cpu - first.cpu),
        of_wall: hashes / last.ended.duration_since(first.ended).as_secs_f64(),
    }
}
