//! What a download cannot be faster than.

use std::time::{Duration, Instant};

use cairn_forge::{batches, verify_signatures};
use cairn_ledger::Ledger;
use cairn_protocol::{Network, VerifiedBlock};
use tempfile::TempDir;

/// Verifies the signatures of all payments in batches, on all cores.
pub(crate) fn signatures(network: &Network, chain: &[VerifiedBlock]) -> Duration {
    verify_signatures(chain, network.id())
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
