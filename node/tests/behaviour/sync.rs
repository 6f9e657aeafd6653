//! How nodes come to one chain.

use std::time::Duration;

use cairn_node::{Event, RestReason};
use cairn_protocol::limits::MAX_HEADERS;
use cairn_protocol::messages::Request;

use crate::forge::{Forge, SECOND, network, payment, start};
use crate::puppet::honest;
use crate::world::{World, settings};

#[test]
fn rule_n12_a_fresh_miner_rests_mines_alone_and_tells_its_blocks() {
    let network = network();
    let mut world = World::new(&network);
    world.add_node(true);
    world.run(Duration::from_millis(1_999));
    assert_eq!(world.player(0).rests(), Some(&RestReason::Joining));
    world.run(Duration::from_millis(1));
    let block = world.mine(0);
    assert_eq!(world.tip(0), block.block_ref());
    let mined = Event::BlockMined {
        block: block.block_ref(),
        transactions: 1,
        reward: network.rules().block_reward,
    };
    assert_eq!(world.player(0).events().collect::<Vec<_>>(), [&mined]);
}

#[test]
fn blocks_travel_to_all() {
    let mut world = World::of_miners(&network(), 3);
    for round in 0..6 {
        let block = world.mine(round % 3);
        for index in 0..3 {
            assert_eq!(world.tip(index), block.block_ref());
            assert!(world.node(index).is_level());
        }
    }
    let adopted = world.player(0).events().filter(|event| {
        matches!(event, Event::BlockAdopted { transactions: 1, blocks: 1, from: Some(_), .. })
    });
    assert_eq!(adopted.count(), 4);
}

/// Behaviours 33 and 40: headers come from one peer, over several pages, and bodies in parts.
#[test]
fn a_late_joiner_catches_up_before_it_mines() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(2 * MAX_HEADERS + 50);
    let mut world = World::new(&network);
    for index in 0..3 {
        world.add_node_with(settings(index, false), &chain.blocks);
    }
    let late = world.add_node(true);
    world.run_until(60 * SECOND, |world| world.tip(late) == chain.tip());
    assert_eq!(world.player(late).rests().cloned(), None, "it mines at once");
    let asked: Vec<_> = world.player(late).asked().collect();
    let headers = asked.iter().filter(|(_, request)| matches!(request, Request::Headers(_)));
    let mut from: Vec<_> = headers.map(|(peer, _)| *peer).collect();
    assert_eq!(from.len(), 3);
    from.dedup();
    assert_eq!(from.len(), 1, "headers come from one peer");
    for peer in 0..3 {
        let bodies = asked
            .iter()
            .filter(|(asked, request)| *asked == peer && matches!(request, Request::Blocks(_)));
        assert!(bodies.count() > 1, "bodies come from all peers");
    }
    let block = world.mine(late);
    assert_eq!(world.tip(0), block.block_ref());
}

/// Behaviours 2, 10, 45.
#[test]
fn a_partition_heals_to_the_most_work_and_no_payment_is_lost() {
    let mut world = World::of_miners(&network(), 4);
    for index in [0, 1, 2, 3, 0] {
        world.mine(index);
    }
    world.cut(&[0, 1], &[2, 3]);
    // The shorter side has a payment in a block, and one that waits.
    world.submit(0, payment(&world.network.clone(), 1, 0, 5));
    world.run(2 * SECOND);
    assert_eq!(world.mine(0).transaction_count(), 2);
    world.submit(0, payment(&world.network.clone(), 1, 1, 5));
    for index in [2, 3, 2] {
        world.mine(index);
    }
    world.run(2 * SECOND);
    world.heal();
    world.run(6 * SECOND);
    let tip = world.tip(2);
    for index in 0..4 {
        assert_eq!(world.tip(index), tip);
        let supply = world.player(index).reader.supply().expect("in memory");
        assert!(supply.is_right());
    }
    for index in [0, 1] {
        assert_eq!(world.node(index).counters().mempool, 2);
        let reorg = Event::Reorg { disconnected: 1, connected: 3, block: tip };
        let told = world.player(index).events();
        assert_eq!(
            told.filter(|event| matches!(event, Event::Reorg { .. })).collect::<Vec<_>>(),
            [&reorg]
        );
    }
    assert_eq!(world.mine(0).transaction_count(), 3, "both payments are mined");
}

/// Behaviour 1.
#[test]
fn behaviour_01_equal_work_displaces_nobody() {
    let mut world = World::of_miners(&network(), 2);
    world.cut(&[0], &[1]);
    let ours = world.mine(0);
    let theirs = world.mine(1);
    world.heal();
    world.run(12 * SECOND);
    assert_eq!(world.tip(0), ours.block_ref());
    assert_eq!(world.tip(1), theirs.block_ref());
    let next = world.mine(1);
    assert_eq!(world.tip(0), next.block_ref());
}

/// Behaviour 9.
#[test]
fn behaviour_09_a_deep_reorganisation_to_a_heavier_chain_succeeds() {
    let network = network();
    let (mut ours, mut theirs) = (Forge::new(&network, 1), Forge::new(&network, 2));
    ours.grow(2_100);
    theirs.grow(2_101);
    let mut world = World::new(&network);
    world.add_node_with(settings(0, false), &ours.blocks);
    let heavier = world.add_puppet(honest(&theirs));
    world.say(heavier, 0, theirs.status(200, start()));
    world.run(5 * SECOND);
    assert_eq!(world.tip(0), theirs.tip());
    let reorg = Event::Reorg { disconnected: 2_100, connected: 2_101, block: theirs.tip() };
    assert!(world.player(0).events().any(|event| *event == reorg));
}
