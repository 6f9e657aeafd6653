//! What reaches the chain of a kernel's speed: `cargo bench -p cairn-miner --bench engine`, all or
//! those whose names follow after `--`. Each table's ratios are taken within one run, interleaved.
//! For machines with Linux that have nothing else to do.

#![expect(clippy::print_stdout, reason = "tables are for reading")]
#![cfg_attr(not(target_os = "linux"), allow(dead_code, unused_imports))]

#[cfg(target_os = "linux")]
mod arrival;
#[cfg(target_os = "linux")]
mod bare;
#[cfg(target_os = "linux")]
#[path = "../shared/clocks.rs"]
mod clocks;
#[cfg(target_os = "linux")]
mod look;
#[cfg(target_os = "linux")]
mod observed;
#[path = "../shared/mod.rs"]
mod shared;
#[cfg(target_os = "linux")]
mod threads;
#[cfg(target_os = "linux")]
mod whole;

use std::num::NonZeroUsize;

use cairn_miner::engine::Search;
use cairn_pow::Kernel;

/// The search that the miner runs.
fn kernel() -> impl Search + 'static {
    Kernel::fastest()
}

/// As many threads as the miner has by default.
fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

#[cfg(target_os = "linux")]
fn main() {
    let benches: [(&str, fn()); 4] = [
        ("arrival", arrival::run),
        ("look", look::run),
        ("threads", threads::run),
        ("whole", whole::run),
    ];
    // Cargo adds an option of its own.
    let names: Vec<_> = std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    for (name, run) in benches {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            run();
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: the clocks of this bench are those of Linux");
}

/// The middle one of an odd number of values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn mean(values: &[f64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few values")]
    let number = values.len() as f64;
    values.iter().sum::<f64>() / number
}
