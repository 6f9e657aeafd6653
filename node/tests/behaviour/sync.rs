//! How nodes come to one chain.

use std::time::Duration;

use cairn_node::{Event, RestReason, Settings, Verified};
use cairn_protocol::BlockRef;
use cairn_protocol::limits::MAX_HEADERS;
use cairn_protocol::messages::Request;

use crate::forge::{Forge, SECOND, network, start};
use crate::puppet::{Reply, honest};
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

/// A miner that joins three nodes with more than two pages of headers, and has caught up.
fn late_joiner() -> (World, usize) {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(2 * MAX_HEADERS + 50);
    let mut world = World::new(&network);
    for index in 0..3 {
        world.add_node_with(settings(index, false), &chain.blocks);
    }
    let late = world.add_node(true);
    world.run_until(60 * SECOND, |world| world.tip(late) == chain.tip());
    (world, late)
}

/// The locators of the headers questions that a node asked, and whom.
fn locators(world: &mut World, index: usize) -> Vec<(usize, Vec<BlockRef>)> {
    let asked = world.player(index).asked();
    let locators = asked.filter_map(|(peer, request)| match request {
        Request::Headers(locator) => Some((peer, locator.to_vec())),
        _ => None,
    });
    locators.collect()
}

#[test]
fn behaviour_33_headers_come_from_one_peer_and_then_on_announcement_only() {
    let (mut world, late) = late_joiner();
    let asked = locators(&mut world, late);
    let pages: Vec<_> = asked.iter().filter(|(peer, _)| *peer == asked[0].0).collect();
    assert_eq!((asked.len(), pages.len()), (3, 3), "three pages, all from one peer");
    world.run(60 * SECOND);
    assert_eq!(locators(&mut world, late).len(), 3, "nobody announces anything new");
    world.mine(late);
    assert_eq!(locators(&mut world, 0).len(), 1, "somebody does");
}

#[test]
fn rule_n4_bodies_come_from_all_peers_and_then_it_mines() {
    let (mut world, late) = late_joiner();
    assert_eq!(world.player(late).rests().cloned(), None, "it mines at once");
    for peer in 0..3 {
        let asked = world.player(late).asked();
        let bodies = asked
            .filter(|(asked, request)| *asked == peer && matches!(request, Request::Blocks(_)));
        assert!(bodies.count() > 1, "bodies come from all peers");
    }
    let block = world.mine(late);
    assert_eq!(world.tip(0), block.block_ref());
}

#[test]
fn rule_l7_a_locator_names_where_we_go_on_then_ten_blocks_and_then_ever_fewer() {
    let (mut world, late) = late_joiner();
    let heads: Vec<_> = locators(&mut world, late)
        .iter()
        .map(|(_, locator)| locator.first().map(|block| block.height.get()))
        .collect();
    assert!(matches!(heads[..], [None | Some(0), Some(1_000), Some(2_000)]), "{heads:?}");
    // Who has caught up starts from its tip.
    world.mine(late);
    let (_, locator) = locators(&mut world, 0).pop().expect("asked");
    let heights: Vec<_> = locator.iter().map(|block| block.height.get()).collect();
    assert_eq!(heights[..10], (2_041..=2_050).rev().collect::<Vec<_>>());
    let steps: Vec<_> = heights[9..].windows(2).map(|pair| pair[0] - pair[1]).collect();
    // The last one is as far as there is anything.
    assert_eq!(steps[..9], [2, 4, 8, 16, 32, 64, 128, 256, 512]);
    assert_eq!((steps.len(), heights.last()), (10, Some(&0)));
}

/// Nobody can connect to the one with the chain: it connects to us.
#[test]
fn behaviour_40_blocks_come_over_a_link_that_the_other_side_opened() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(100);
    let mut world = World::new(&network);
    let without_server = Settings { blocks_port: 0, ..settings(0, false) };
    let rich = world.add_node_with(without_server, &chain.blocks);
    let late = world.add_node(false);
    world.run(20 * SECOND);
    assert_eq!(world.tip(late), network.genesis_ref(), "there is no way to it");
    world.link(rich, late);
    world.run(5 * SECOND);
    assert_eq!(world.tip(late), chain.tip());
}

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

/// One event tells of many blocks, since they share a commit.
#[test]
fn a_first_download_is_told_in_few_events() {
    let (mut world, late) = late_joiner();
    let events = world.player(late).events().filter_map(|event| match event {
        Event::BlockAdopted { blocks, .. } => Some(*blocks),
        _ => None,
    });
    let blocks: Vec<usize> = events.collect();
    assert_eq!(blocks.iter().sum::<usize>(), 2 * MAX_HEADERS + 50);
    assert!(blocks.len() <= 3, "{blocks:?}");
}

/// The rest may never come.
#[test]
fn what_is_connected_is_committed_and_told_within_a_second() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(20);
    let mut answers = honest(&chain);
    let without_the_end = move |request: &Request| match (request, answers(request)) {
        (Request::Blocks(_), Reply::Answer(Verified::Blocks(mut blocks))) => {
            blocks.retain(|block| block.block_ref().height.get() <= 10);
            Reply::Answer(Verified::Blocks(blocks))
        }
        (_, reply) => reply,
    };
    let mut world = World::new(&network);
    world.add_node(false);
    let peer = world.add_puppet(without_the_end);
    world.say(peer, 0, chain.status(200, start()));
    let middle = chain.blocks[9].block_ref();
    world.run_until(10 * SECOND, |world| world.node(0).ledger().tip().block == middle);
    let adopted = |world: &mut World| {
        let mut events = world.player(0).events();
        events.any(|event| matches!(event, Event::BlockAdopted { block, .. } if *block == middle))
    };
    assert!(!adopted(&mut world), "it waits for more");
    world.run(SECOND);
    assert!(adopted(&mut world));
}
