//! The miner as a program: how fast it mines where every hash will nearly do, how soon it is
//! ready, and how fast it takes in a chain: `cargo bench -p cairn-miner --bench program`, all or those whose names follow after `--`.
//!
//! | name | what | baseline of the same run |
//! |---|---|---|
//! | `blocks` | `miner --blocks N` at difficulty 1, for N of 1,000, 10,000 and 100,000 | a ledger that is given as many blocks one by one |
//! | `start` | from the start of the process to its event `started`, and its memory, at 10,000 and 1,000,000 blocks | at a chain without blocks |
//! | `import` | `miner import` of a million payments in blocks of 500 | the same signatures, in batches on all cores |
//!
//! `CAIRN_BLOCKS` stands for another length of the longest chain of either. For machines with Linux.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "results are for reading")]
#![cfg_attr(not(target_os = "linux"), allow(dead_code, unused_imports))]

#[cfg(target_os = "linux")]
mod blocks;
#[cfg(target_os = "linux")]
#[path = "../shared/clocks.rs"]
mod clocks;
#[cfg(target_os = "linux")]
mod import;
#[path = "../shared/mod.rs"]
mod shared;
#[cfg(target_os = "linux")]
mod start;

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

#[cfg(target_os = "linux")]
fn main() {
    // Cargo adds an option of its own.
    let names: Vec<_> = std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    let benches: [(&str, fn()); 3] =
        [("blocks", blocks::run), ("start", start::run), ("import", import::run)];
    for (name, run) in benches {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            run();
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: this bench reads what Linux tells of a process");
}

/// The longest chain of a bench, which is usually so long.
fn longest(usual: u32) -> u32 {
    let set = std::env::var("CAIRN_BLOCKS").ok();
    set.map_or(usual, |blocks| blocks.parse().expect("CAIRN_BLOCKS is a number"))
}

/// The middle one.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A running miner.
struct Miner {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Miner {
    fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the miner starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, lines }
    }

    fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next event of this kind; `None` when it has ended.
    fn next(&mut self, kind: &str) -> Option<Value> {
        let events = self.lines.by_ref().map_while(Result::ok);
        let mut events = events.map(|line| serde_json::from_str::<Value>(&line).expect("JSON"));
        events.find(|event| event["event"] == kind)
    }
}

impl Drop for Miner {
    fn drop(&mut self) {
        // It may have ended by itself; its folder is thrown away or left as after any kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
