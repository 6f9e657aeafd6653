//! What a payment costs the mempool, and what a template of 1,000 payments costs, both with
//! 10,000 payments waiting. Signatures are checked before; the chain is in memory.

use std::time::Duration;

use cairn_ledger::Ledger;
use cairn_node::{Input, MempoolLimits, Node, Output, Settings};
use cairn_protocol::messages::InstanceId;
use cairn_protocol::{
    AccountId, Memo, Network, Payment, Rules, SecretKey, Sequence, Timestamp, Transaction,
    VerifiedBlock, VerifiedTransaction,
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

#[allow(dead_code, reason = "the tests use the rest of it")]
#[allow(unreachable_pub, reason = "everything in a benchmark is private")]
#[path = "../tests/behaviour/forge.rs"]
mod forge;

use forge::{Forge, key, micros, rules, start};

const WAITING: usize = 10_000;
const PAYMENTS_EACH: u32 = 50;
const SENDERS: u32 = 2 * 10_000 / PAYMENTS_EACH;
const MINER: u8 = 1;

fn sender(number: u32) -> SecretKey {
    let mut seed = [7; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    SecretKey::from_seed(seed)
}

fn sign(
    network: &Network,
    from: &SecretKey,
    to: AccountId,
    amount: u64,
    sequence: u32,
) -> Transaction {
    let payment = Payment {
        sender: from.account(),
        recipient: to,
        amount: micros(amount),
        // All different, so that the template has something to choose.
        fee: micros(u64::from(sequence) + u64::from(from.account().0[0])),
        sequence: Sequence::from(sequence),
        memo: Memo::default(),
    };
    from.sign(payment, network.id())
}

fn verify(network: &Network, signed: Vec<Transaction>) -> Vec<VerifiedTransaction> {
    Transaction::verify_all(signed, network.id()).expect("valid")
}

/// Blocks after which each sender has 20,000 micro-coins.
fn blocks(network: &Network) -> Vec<VerifiedBlock> {
    let mut chain = Forge::new(network, MINER);
    chain.grow(1);
    let miner = key(MINER);
    let fund = |number| sign(network, &miner, sender(number).account(), 20_000, number);
    let funding = verify(network, (0..SENDERS).map(fund).collect());
    chain.add(start(), &funding);
    chain.blocks
}

/// Twice as many payments as wait, in the order of the sequences.
fn payments(network: &Network) -> Vec<VerifiedTransaction> {
    let senders: Vec<_> = (0..SENDERS).map(sender).collect();
    let signed = (0..PAYMENTS_EACH).flat_map(|sequence| {
        senders.iter().map(move |from| sign(network, from, AccountId([9; 32]), 1, sequence))
    });
    verify(network, signed.collect())
}

/// A miner for whom these payments wait.
fn node(network: &Network, blocks: &[VerifiedBlock], waiting: &[VerifiedTransaction]) -> Node {
    let mut ledger = Ledger::in_memory(network).expect("memory");
    ledger.add_blocks(blocks, start()).expect("memory");
    let settings = Settings {
        instance: InstanceId([1; 16]),
        reward_to: Some(key(MINER).account()),
        blocks_port: 0,
        status_interval: Duration::from_secs(5),
        mempool: MempoolLimits::default(),
    };
    let mut node = Node::new(ledger, settings, start());
    for payment in waiting {
        node.admit(start(), payment.clone()).expect("admitted");
    }
    node
}

fn admit(criterion: &mut Criterion) {
    let network = Network::new(rules()).expect("possible");
    let (blocks, payments) = (blocks(&network), payments(&network));
    let (waiting, new) = payments.split_at(WAITING);
    let new = &new[..1_000];
    let mut group = criterion.benchmark_group("admit");
    group.sample_size(20).throughput(Throughput::Elements(new.len() as u64));
    group.bench_function("1000 payments to 10000 others", |bencher| {
        bencher.iter_batched(
            || (node(&network, &blocks, waiting), new.to_vec()),
            |(mut node, new)| {
                for payment in new {
                    node.admit(start(), payment).expect("admitted");
                }
                node
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn template(criterion: &mut Criterion) {
    // 192 bytes, and 160 for each of 1,000 payments.
    let small = Rules { max_block_bytes: 160_192, ..rules() };
    let network = Network::new(small).expect("possible");
    let (blocks, payments) = (blocks(&network), payments(&network));
    let mut node = node(&network, &blocks, &payments[..WAITING]);
    let mut now = start().after(Duration::from_secs(10));
    let tick = |node: &mut Node, now: &mut Timestamp| {
        *now = now.after(Duration::from_secs(5));
        let outputs = node.handle(*now, Input::Tick);
        outputs.into_iter().find_map(|output| match output {
            Output::Mine(template) => Some(template),
            _ => None,
        })
    };
    // A node that has just started hears first who else is there.
    tick(&mut node, &mut now);
    assert_eq!(tick(&mut node, &mut now).map(|one| one.transaction_count()), Some(1_001));
    criterion.bench_function("template of 1000 out of 10000 payments", |bencher| {
        bencher.iter(|| tick(&mut node, &mut now).expect("it is due"));
    });
}

criterion_group!(benches, admit, template);
criterion_main!(benches);
