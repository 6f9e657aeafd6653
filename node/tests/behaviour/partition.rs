//! A network that was cut in two, mined on both sides, and meets again.

use cairn_ledger::{Account, Ledger};
use cairn_node::Event;
use cairn_protocol::codec::decode;
use cairn_protocol::limits::MAX_HEADERS;
use cairn_protocol::{AccountId, Block};

use crate::forge::{SECOND, key, network, payment};
use crate::world::World;

/// Four miners of whom two and two were cut apart: the side of 0 and 1 has mined one block with a
/// payment, and another payment waits there; the other side has mined three. The two sides meet.
fn healed_partition() -> World {
    let mut world = World::of_miners(&network(), 4);
    for index in [0, 1, 2, 3, 0] {
        world.mine(index);
    }
    world.cut(&[0, 1], &[2, 3]);
    world.submit(0, payment(&world.network.clone(), 1, 0, 5));
    world.run(2 * SECOND);
    assert_eq!(world.mine(0).transaction_count(), 2);
    world.submit(0, payment(&world.network.clone(), 1, 1, 5));
    for index in [2, 3, 2] {
        world.mine(index);
    }
    world.run(2 * SECOND);
    assert_ne!(world.tip(0), world.tip(2));
    world.heal();
    world.run(6 * SECOND);
    world
}

#[test]
fn behaviour_02_more_work_displaces_and_the_state_is_that_of_a_replay() {
    let mut world = healed_partition();
    let tip = world.tip(2);
    for index in [0, 1] {
        assert_eq!(world.tip(index), tip);
        let reorg = Event::Reorg { disconnected: 1, connected: 3, block: tip };
        let told = world.player(index).events();
        let reorgs: Vec<_> = told.filter(|one| matches!(one, Event::Reorg { .. })).collect();
        assert_eq!(reorgs, [&reorg]);
        assert_eq!(accounts(world.node(index).ledger()), replayed(&mut world, index));
    }
}

/// The accounts of the four miners and of the one that is paid.
fn accounts(ledger: &Ledger) -> Vec<Account> {
    let miners = (1..=4).map(|seed| key(seed).account());
    let all = miners.chain([AccountId([9; 32])]);
    all.map(|account| ledger.account(&account).expect("in memory")).collect()
}

/// The same accounts of a fresh ledger that takes the blocks of a node's active chain.
fn replayed(world: &mut World, index: usize) -> Vec<Account> {
    let (network, now) = (world.network.clone(), world.now);
    let reader = &world.player(index).reader;
    let headers = reader.headers_after(&[], MAX_HEADERS).expect("in memory");
    let blocks: Vec<_> = headers
        .into_iter()
        .map(|header| {
            let place = header.prove(&network).expect("proven").block_ref();
            let bytes = reader.block_bytes(place).expect("in memory").expect("complete");
            let block: Block = decode(&bytes).expect("stored");
            block.verify(&network).expect("verified")
        })
        .collect();
    let mut ledger = Ledger::in_memory(&network).expect("memory");
    assert_eq!(ledger.add_blocks(&blocks, now).expect("in memory").refused, []);
    assert_eq!(ledger.tip().block, world.tip(index));
    accounts(&ledger)
}

#[test]
fn behaviour_10_a_partition_heals_to_the_most_work() {
    let mut world = healed_partition();
    let tip = world.tip(2);
    for index in 0..4 {
        assert_eq!(world.tip(index), tip);
        assert!(world.node(index).is_level());
        let supply = world.player(index).reader.supply().expect("in memory");
        assert!(supply.is_right());
    }
    let block = world.mine(1);
    for index in 0..4 {
        assert_eq!(world.tip(index), block.block_ref());
    }
}

#[test]
fn behaviour_45_payments_of_the_side_that_gave_way_are_mined_again() {
    let mut world = healed_partition();
    for index in [0, 1] {
        assert_eq!(world.node(index).counters().mempool, 2);
    }
    assert_eq!(world.mine(0).transaction_count(), 3, "both payments are mined");
}
