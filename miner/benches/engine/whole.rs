//! The whole program, with its events, templates and files, against its search alone: hashes a
//! second of processor time, all threads of the process together.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{bare, clocks, cores, median, shared};

const ROUNDS: usize = 9;
/// For each measurement of the search alone.
const SECONDS_ALONE: f64 = 0.5;
/// Seconds from block to block, so that all that a block brings happens.
const SECONDS_A_BLOCK: f64 = 3.0;

pub(crate) fn run() {
    println!("\nthe whole miner, MH a second of processor time, medians of {ROUNDS} times 10 s");
    println!(" threads      alone      miner    ratio  blocks");
    let mut numbers = vec![1, cores().get()];
    numbers.dedup();
    for threads in numbers {
        let (rounds, blocks) = measure(threads);
        let of = |value: fn(&(f64, f64)) -> f64| median(rounds.iter().map(value).collect());
        let (alone, miner) = (of(|round| round.0) / 1e6, of(|round| round.1) / 1e6);
        let ratio = of(|round| round.1 / round.0);
        println!("{threads:>8} {alone:>10.2} {miner:>10.2} {ratio:>8.4} {blocks:>7}");
    }
}

/// Rates alone and in the miner, and the blocks that it has found.
fn measure(threads: usize) -> (Vec<(f64, f64)>, usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let rate = bare::hashes_per_cpu_second(threads, SECONDS_ALONE);
    #[expect(clippy::cast_precision_loss, reason = "a few threads")]
    let bits = (rate * threads as f64 * SECONDS_A_BLOCK).log2().floor();
    let mut miner = Miner::start(folder.path(), threads, bits);
    let mut last = miner.next_sample();
    let rounds = (0..ROUNDS).map(|_| {
        // The processor is the search's own while it is measured alone.
        miner.signal(Signal::STOP);
        let alone = bare::hashes_per_cpu_second(threads, SECONDS_ALONE);
        miner.signal(Signal::CONT);
        let sample = miner.next_sample();
        let hashes = sample.hashes_per_second * (sample.at - last.at);
        let rate = hashes / (sample.cpu - last.cpu);
        last = sample;
        (alone, rate)
    });
    let rounds = rounds.collect();
    (rounds, miner.blocks)
}

struct Miner {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    blocks: usize,
}

/// What a miner's event says of the time since the one before, and its processor time until then.
#[derive(Clone, Copy)]
struct Sample {
    /// Seconds since the Unix epoch.
    at: f64,
    hashes_per_second: f64,
    cpu: f64,
}

impl Miner {
    fn start(folder: &Path, threads: usize, difficulty: f64) -> Self {
        let difficulty = format!("rules.difficulty={difficulty}");
        let settings = ["rules.name=bench", &difficulty, "rules.block_interval_seconds=0"];
        let mut command = shared::miner(folder, &settings);
        command.args(["--threads", &threads.to_string()]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the miner starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, lines, blocks: 0 }
    }

    /// Waits for the next event that tells the hash rate.
    fn next_sample(&mut self) -> Sample {
        loop {
            let line = self.lines.next().expect("the miner runs").expect("readable");
            let event: Value = serde_json::from_str(&line).expect("JSON");
            self.blocks += usize::from(event["event"] == "block_mined");
            if event["event"] == "hash_rate" {
                return Sample {
                    cpu: clocks::of_process(self.child.id()),
                    at: event["time"].as_f64().expect("milliseconds") / 1_000.0,
                    hashes_per_second: event["hashes_per_second"].as_f64().expect("a number"),
                };
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a child of ours");
    }
}

impl Drop for Miner {
    fn drop(&mut self) {
        // It may have ended by itself; its folder is thrown away.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
