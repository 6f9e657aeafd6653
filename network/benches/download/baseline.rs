//! What a download cannot be faster than.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cairn_forge::batches;
use cairn_ledger::Ledger;
use cairn_protocol::{Network, Transaction, VerifiedBlock};
use tempfile::TempDir;

/// Signatures of a batch.
const BATCH: usize = 1_024;

/// Verifies the signatures of all payments in batches, on all cores.
pub(crate) fn signatures(network: &Network, chain: &[VerifiedBlock]) -> Duration {
    let payments = chain.iter().flat_map(VerifiedBlock::payments);
    let payments: Vec<Transaction> = payments.map(|one| one.transaction().clone()).collect();
    let batches: Vec<_> = payments.chunks(BATCH).collect();
    let next = AtomicUsize::new(0);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                    Transaction::verify_all(batch.to_vec(), network.id()).expect("valid");
                }
            });
        }
    });
    begin.elapsed()
}

/// Gives the blocks to a new ledger on disk.
pub(crate) fn ledger(network: &Network, chain: &[VerifiedBlock]) -> Duration {
    let folder = TempDir::new().expect("a folder");
    let batches: Vec<_> = batches(chain.iter().cloned()).collect();
    let now = chain.last().expect("a block").header().header().time;
    let begin = Instant::now();
    let mut ledger = Ledger::open(folder.path(), network).expect("a disk");
    for blocks in &batches {
        ledger.add_blocks(blocks, now).expect("a disk");
    }
    begin.elapsed()
}
