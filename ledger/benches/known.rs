//! What a block of 500 payments costs a node that has them all in its mempool, without the commit:
//! `cargo bench -p cairn-ledger --bench known`. It is decoded, checked but for the signatures, and
//! connected to a chain on disk; the baseline verifies the signatures of the same block.

#![expect(clippy::print_stdout, reason = "results are for reading")]
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "a bench measures time")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cairn_forge::{Chain, Recipe};
use cairn_ledger::Ledger;
use cairn_protocol::codec::{decode, encode};
use cairn_protocol::{Block, Network, TransactionId, VerifiedBlock, VerifiedTransaction};
use tempfile::TempDir;

/// Before the blocks that are measured.
const CHAIN: usize = 200;
const MEASURED: usize = 101;
const PAYMENTS: u32 = 500;

fn main() {
    let network = cairn_forge::network(0);
    for accounts in [1_000, 20_000] {
        let blocks = u32::try_from(CHAIN + MEASURED).expect("few");
        let recipe = Recipe { blocks, payments: PAYMENTS, accounts, ..Recipe::default() };
        let chain: Vec<_> = Chain::new(&network, &recipe).expect("possible").collect();
        let (before, measured) = chain.split_at(CHAIN);
        let folder = TempDir::new().expect("a folder");
        let mut ledger = Ledger::open(folder.path(), &network).expect("a disk");
        ledger.add_blocks(before, recipe.end()).expect("a disk");
        let (mut known, mut verified) = (Vec::new(), Vec::new());
        for block in measured {
            verified.push(verify(block, &network));
            known.push(connect_known(&mut ledger, block, &network));
            ledger.commit().expect("a disk");
        }
        assert_eq!(ledger.tip().block, chain[chain.len() - 1].block_ref());
        let (known, verified) = (median(known), median(verified));
        println!(
            "{accounts} accounts: a known payment takes {:.2} us, {:.0} times less than its verification",
            known.as_secs_f64() * 1e6 / f64::from(PAYMENTS),
            verified.as_secs_f64() / known.as_secs_f64(),
        );
    }
}

fn verify(block: &VerifiedBlock, network: &Network) -> Duration {
    let block = block.to_block();
    let begin = Instant::now();
    block.verify(network).expect("valid");
    begin.elapsed()
}

fn connect_known(ledger: &mut Ledger, block: &VerifiedBlock, network: &Network) -> Duration {
    let bytes = encode(&block.to_block());
    let payments = block.payments().iter().map(|one| (one.id(), one.clone()));
    let mempool: BTreeMap<TransactionId, VerifiedTransaction> = payments.collect();
    let time = block.header().header().time;
    let begin = Instant::now();
    let block: Block = decode(&bytes).expect("just encoded");
    let known = |id: &TransactionId| mempool.get(id).cloned();
    let verified = Block::verify_unknown(vec![block], network, &known).expect("valid");
    let refused = ledger.catch_up(&verified, time).expect("a disk");
    let took = begin.elapsed();
    assert_eq!(refused, []);
    took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
