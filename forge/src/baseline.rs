//! What no download of a chain can be faster than: the baseline of benchmarks.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cairn_protocol::{NetworkId, Transaction, VerifiedBlock};

/// Signatures that are checked together.
const BATCH: usize = 1_024;

/// Verifies the signatures of all payments of these blocks in batches, on all cores, and nothing
/// else. Returns how long that took.
pub fn verify_signatures(blocks: &[VerifiedBlock], network: NetworkId) -> Duration {
    let payments = blocks.iter().flat_map(VerifiedBlock::payments);
    let payments: Vec<Transaction> = payments.map(|one| one.transaction().clone()).collect();
    let batches: Vec<_> = payments.chunks(BATCH).collect();
    let next = AtomicUsize::new(0);
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let begin = Instant::now();
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                    Transaction::verify_all(batch.to_vec(), network).expect("they are verified");
                }
            });
        }
    });
    begin.elapsed()
}
