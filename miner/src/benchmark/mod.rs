//! `miner benchmark`: how fast each kernel searches on this machine, and whether it finds what is
//! there.
//!
//! Rounds are interleaved: each measures every kernel on every number of threads once, so that
//! whatever disturbs the machine disturbs all of them. Medians of the rounds are printed.

mod measure;
mod report;
mod spans;

use std::num::NonZeroUsize;
use std::time::Duration;

use cairn_home::{Exit, Failure, Output};
use cairn_pow::{Kernel, Method};

use measure::{SLICE, hashes_per_second};
use report::{Line, Report};
use spans::Spans;

/// Rounds of measurements.
const ROUNDS: u32 = 9;

/// Measures on 1 thread up to so many, and prints.
///
/// # Errors
/// [`Failure`] if a kernel finds other nonces than the plain loop, or if stdout cannot be written.
pub(crate) fn run(threads: NonZeroUsize, output: Output) -> Result<(), Failure> {
    let (kernels, missing) = kernels();
    for method in missing {
        output.note("kernel_skipped", &format!("skipped {method}: it needs {}", method.needs()));
    }
    output.note("benchmark", &format!("measuring for about {} s", seconds(&kernels, threads)));

    let spans = Spans::search();
    let mut report = Report::default();
    for _ in 0..ROUNDS {
        for threads in (1..=threads.get()).filter_map(NonZeroUsize::new) {
            for &kernel in &kernels {
                let rate = hashes_per_second(kernel, threads, &spans);
                let rate = rate.map_err(|_| wrong_hits(kernel.method()))?;
                report.add(kernel.method(), threads.get(), rate);
            }
        }
    }
    print(&report, output)
}

/// The kernels that this CPU has, and the methods that it has not.
fn kernels() -> (Vec<Kernel>, Vec<Method>) {
    let (mut kernels, mut missing) = (Vec::new(), Vec::new());
    for method in Method::ALL {
        match method.kernel() {
            Some(kernel) => kernels.push(kernel),
            None => missing.push(method),
        }
    }
    (kernels, missing)
}

fn seconds(kernels: &[Kernel], threads: NonZeroUsize) -> u64 {
    let measurements = u32::try_from(kernels.len() * threads.get()).unwrap_or(u32::MAX);
    let total = SLICE.saturating_mul(ROUNDS).saturating_mul(measurements);
    (total + Duration::from_secs(1)).as_secs()
}

fn print(report: &Report, output: Output) -> Result<(), Failure> {
    if !output.is_json() {
        output.text(Line::HEADINGS)?;
    }
    report.lines().try_for_each(|line| output.result(&line, || line.to_string()))
}

fn wrong_hits(method: Method) -> Failure {
    let message = format!(
        "the kernel {method} found other nonces than the plain loop; this machine computes wrongly, \
         or Cairn does: do not mine on it, and report this with the model of its CPU"
    );
    Failure::new(Exit::Unexpected, "wrong_hits", message)
}
