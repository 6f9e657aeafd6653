//! Verifying a block of 1,000 payments, beside verifying as many signatures one by one.

mod shared;

use cairn_protocol::{Block, Network};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

use crate::shared::{PAYMENTS, block, network};

fn verify_block(criterion: &mut Criterion) {
    let network = network();
    let mut group = criterion.benchmark_group("verify_block");
    group.sample_size(20).throughput(Throughput::Elements(PAYMENTS.into()));
    for senders in [PAYMENTS, 10] {
        let block = block(&network, senders);
        group.bench_function(format!("{senders} senders"), |bencher| {
            bencher.iter_batched(
                || block.clone(),
                |block| block.verify(&network).expect("valid"),
                BatchSize::LargeInput,
            );
        });
    }
    group.bench_function("baseline: one signature at a time", |bencher| {
        let block = block(&network, PAYMENTS);
        bencher.iter_batched(
            || block.clone(),
            |block| one_by_one(block, &network),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn one_by_one(block: Block, network: &Network) {
    for payment in block.payments.into_vec() {
        payment.verify(network.id()).expect("valid");
    }
}

criterion_group!(benches, verify_block);
criterion_main!(benches);
