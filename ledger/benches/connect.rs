//! What a block of 1,000 payments from 100 senders costs the ledger: to connect, and to leave
//! again for a better branch. The chain is in memory, so the disk is not measured; signatures are
//! checked before.

use cairn_ledger::Ledger;
use cairn_protocol::{Network, VerifiedBlock};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

#[allow(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/ledger/kit.rs"]
mod kit;

use kit::{Branch, account, network, now, pay, pay_with_fee};

const SENDERS: u8 = 100;
const PAYMENTS_EACH: u32 = 10;
const MINER: u8 = 200;
const RECIPIENT: u8 = 201;

/// Two blocks after which each sender has coins, then the block of 1,000 payments.
fn branch_with_a_full_block(network: &Network) -> Branch {
    let mut branch = Branch::new(network, MINER);
    branch.mine_empty(1);
    let fund = |sender: u8| pay(network, MINER, (sender - 1).into(), "0.1", sender);
    branch.mine((1..=SENDERS).map(fund).collect());
    let spend = |sequence| {
        let recipient = account(RECIPIENT);
        (1..=SENDERS).map(move |sender| {
            pay_with_fee(network, sender, sequence, "0.001", "0.0001", recipient)
        })
    };
    branch.mine((0..PAYMENTS_EACH).flat_map(spend).collect());
    branch
}

/// A chain of these blocks.
fn ledger_with(network: &Network, blocks: &[VerifiedBlock]) -> Ledger {
    let mut ledger = Ledger::in_memory(network).expect("memory");
    let added = ledger.add_blocks(blocks, now()).expect("memory");
    assert_eq!(added.refused, []);
    ledger
}

fn add(mut ledger: Ledger, block: &VerifiedBlock) -> Ledger {
    let added = ledger.add_blocks(std::slice::from_ref(block), now()).expect("memory");
    assert!(added.change.is_some());
    ledger
}

fn connect(criterion: &mut Criterion) {
    let network = network(|_| {});
    let branch = branch_with_a_full_block(&network);
    criterion.bench_function("connect a block of 1000 payments", |bencher| {
        bencher.iter_batched(
            || ledger_with(&network, &branch.blocks()[..2]),
            |ledger| add(ledger, branch.block(3)),
            BatchSize::SmallInput,
        );
    });
}

fn reorganise(criterion: &mut Criterion) {
    let network = network(|_| {});
    let ours = branch_with_a_full_block(&network);
    let mut theirs = ours.fork(2, RECIPIENT);
    theirs.mine_empty(2);
    let before = [ours.blocks(), &theirs.blocks()[2..3]].concat();
    criterion.bench_function("leave a block of 1000 payments for two empty ones", |bencher| {
        bencher.iter_batched(
            || ledger_with(&network, &before),
            |ledger| add(ledger, theirs.block(4)),
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, connect, reorganise);
criterion_main!(benches);
