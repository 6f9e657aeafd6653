//! One measurement: how many hashes a second a kernel does on so many threads.

use std::num::NonZeroUsize;
use std::thread::{available_parallelism, scope};
use std::time::Duration;

use cairn_pow::Kernel;

use super::spans::{Spans, WrongHits};
use crate::thread_time;

/// The processor time that each thread spends on a measurement.
pub(super) const SLICE: Duration = Duration::from_millis(100);

/// The hashes of each thread for a second of its processor time, all threads together: what they do in a
/// second of an otherwise idle machine. Of more threads than cores, only as many count as run at once.
pub(super) fn hashes_per_second(
    kernel: Kernel,
    threads: NonZeroUsize,
    spans: &Spans,
) -> Result<u64, WrongHits> {
    let all: u64 = scope(|scope| {
        let start = |_| scope.spawn(|| hashes_per_second_of_one(kernel, spans));
        let workers: Vec<_> = (0..threads.get()).map(start).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or(Err(WrongHits)))
            .sum::<Result<_, _>>()
    })?;
    let at_once = available_parallelism().unwrap_or(threads).min(threads);
    Ok(all / threads.get() as u64 * at_once.get() as u64)
}

fn hashes_per_second_of_one(kernel: Kernel, spans: &Spans) -> Result<u64, WrongHits> {
    let start = thread_time::now();
    for number in 0.. {
        spans.check(kernel, number)?;
        let took = thread_time::now().saturating_sub(start);
        if took >= SLICE {
            let hashes = Spans::NONCES * (number as u64 + 1);
            let per_second = u128::from(hashes) * 1_000_000_000 / took.as_nanos();
            return Ok(u64::try_from(per_second).unwrap_or(u64::MAX));
        }
    }
    unreachable!("time passes")
}
