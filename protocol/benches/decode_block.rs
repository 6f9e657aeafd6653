//! Decoding a block of 1,000 payments, beside copying and hashing the same bytes.

mod shared;

use std::hint::black_box;

use cairn_protocol::Block;
use cairn_protocol::codec::{decode, encode};
use cairn_protocol::hash::sha256;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use crate::shared::{PAYMENTS, block, network};

fn decode_block(criterion: &mut Criterion) {
    let bytes = encode(&block(&network(), PAYMENTS));
    let mut group = criterion.benchmark_group("decode_block");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| decode::<Block>(black_box(&bytes)).expect("decodes"));
    });
    group.bench_function("encode", |bencher| {
        let block = decode::<Block>(&bytes).expect("decodes");
        bencher.iter(|| encode(black_box(&block)));
    });
    group.bench_function("baseline: copy", |bencher| {
        bencher.iter(|| black_box(&bytes).clone());
    });
    group.bench_function("baseline: SHA-256", |bencher| {
        bencher.iter(|| sha256(&[black_box(&bytes)]));
    });
    group.finish();
}

criterion_group!(benches, decode_block);
criterion_main!(benches);
