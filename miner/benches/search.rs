//! Hashes a second of each search on one core: the baseline for faster kernels.

use std::hint::black_box;

use cairn_miner::engine::{Search, Sha2Search};
use cairn_protocol::Target;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Nonces of one measured call.
const NONCES: u32 = 100_000;

fn searches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("search");
    group.throughput(Throughput::Elements(NONCES.into()));
    group.bench_function("sha2", |bencher| {
        let mut search = Sha2Search;
        let (digest, salt, target) = ([1; 32], [2; 16], Target::HARDEST);
        bencher.iter(|| search.search(black_box(&digest), &salt, 0..=NONCES - 1, &target));
    });
    group.finish();
}

criterion_group!(benches, searches);
criterion_main!(benches);
