//! Clocks that are off, and blocks from the future.

use cairn_node::{Input, PeerId, RestReason};
use cairn_protocol::messages::{InstanceId, Status};

use crate::forge::{Forge, SECOND, network, start};
use crate::puppet::honest;
use crate::world::{World, settings};

const HOURS: i64 = 3_600;

fn rests_for_its_clock(world: &mut World, index: usize) -> Option<i64> {
    match world.player(index).rests() {
        Some(RestReason::ClockOff { seconds }) => Some(*seconds),
        _ => None,
    }
}

#[test]
fn attack_16_a_miner_whose_clock_is_off_rests_and_stops_nobody() {
    for skew in [2 * HOURS, -2 * HOURS] {
        let mut world = World::of_miners(&network(), 4);
        world.link_all();
        world.mine(3);
        world.skew(3, skew);
        world.run(10 * SECOND);
        // Our own tip, some seconds old, may be the first to show it.
        let off = rests_for_its_clock(&mut world, 3).expect("it rests");
        assert!(off.abs_diff(skew) < 10, "{off} s");
        assert_eq!(world.player(3).warnings(), ["clock_off"], "once");
        for round in 0..6 {
            let block = world.mine(round % 3);
            for index in 0..3 {
                assert_eq!(world.tip(index), block.block_ref());
            }
        }
        // Who is ahead follows; who is behind lets the chain wait and calls nothing invalid.
        assert_eq!(world.tip(3) == world.tip(0), skew > 0);
        assert_eq!(world.node(3).counters().dropped, 0);

        world.skew(3, 0);
        world.run(10 * SECOND);
        assert_eq!(rests_for_its_clock(&mut world, 3), None);
        let block = world.mine(0);
        assert_eq!(world.tip(3), block.block_ref());
        let block = world.mine(3);
        assert_eq!(world.tip(0), block.block_ref());
    }
}

#[test]
fn attack_16_what_a_miner_ahead_of_us_makes_does_not_stop_us_if_enough_clocks_are_with_us() {
    let network = network();
    let mut world = World::of_miners(&network, 4);
    let mut ahead = Forge::new(&network, 9);
    ahead.add(start().after(2 * 3_600 * SECOND), &[]);
    let puppet = world.add_puppet(honest(&ahead));
    world.say(puppet, 0, ahead.status(200, start().after(2 * 3_600 * SECOND)));
    world.run(SECOND);
    assert_eq!(world.node(0).counters().deferred, 1);
    assert_eq!(rests_for_its_clock(&mut world, 0), None);
    world.mine(0);
}

/// So many statuses of nodes that say it is two hours later, as anybody can broadcast them.
fn forge_clocks(world: &mut World, count: u8) {
    let forged = world.node(1).status(world.now.after(2 * 3_600 * SECOND));
    for number in 100..100 + count {
        let status = Status { instance: InstanceId([number; 16]), ..forged };
        world.send(0, Input::Status { peer: PeerId(number.into()), status });
    }
}

#[test]
fn attack_16_forged_statuses_do_not_outvote_links() {
    let mut world = World::of_miners(&network(), 4);
    world.link_all();
    forge_clocks(&mut world, 20);
    world.run(6 * SECOND);
    assert_eq!(rests_for_its_clock(&mut world, 0), None);
    assert_eq!(world.player(0).warnings(), [""; 0]);
}

#[test]
fn attack_16_forged_statuses_make_a_node_with_few_links_warn_but_not_rest() {
    let mut world = World::of_miners(&network(), 3);
    world.link_all();
    forge_clocks(&mut world, 20);
    world.run(6 * SECOND);
    assert_eq!(rests_for_its_clock(&mut world, 0), None);
    assert_eq!(world.player(0).warnings(), ["clock_off"], "once");
    world.mine(0);

    // Those who have a link are believed, and the user hears why nothing is mined.
    for number in 100..103 {
        let clock = world.now.after(2 * 3_600 * SECOND);
        let instance = InstanceId([number; 16]);
        let status = Status { instance, ..world.node(1).status(clock) };
        world.send(0, Input::LinkUp { peer: PeerId(number.into()), status });
    }
    world.run(6 * SECOND);
    assert!(rests_for_its_clock(&mut world, 0).is_some());
    assert_eq!(world.player(0).warnings(), ["clock_off"; 2]);
}

#[test]
fn behaviour_19_a_block_ahead_of_our_clock_waits_until_its_time_comes() {
    let network = network();
    let mut world = World::new(&network);
    world.add_node_with(settings(0, true), &[]);
    world.run(3 * SECOND);
    let mut chain = Forge::new(&network, 9);
    chain.add(world.now, &[]);
    chain.add(world.now.after(150 * SECOND), &[]);
    chain.add(world.now.after(151 * SECOND), &[]);
    let puppet = world.add_puppet(honest(&chain));
    world.say(puppet, 0, chain.status(200, world.now));
    world.run(SECOND);
    assert_eq!(world.tip(0), chain.blocks[0].block_ref(), "what is of today is taken");
    assert_eq!(world.node(0).counters().deferred, 2);
    assert_eq!(rests_for_its_clock(&mut world, 0), Some(-150));
    assert_eq!(world.player(0).warnings(), ["clock_off"]);

    // 120 s ahead is allowed.
    world.run(28 * SECOND);
    assert_eq!(world.node(0).counters().deferred, 2);
    world.run(SECOND + SECOND / 2);
    assert_eq!(world.node(0).counters().deferred, 1);
    assert_eq!(world.tip(0), chain.blocks[1].block_ref());
    world.run(SECOND);
    assert_eq!(world.tip(0), chain.tip());
    assert_eq!(rests_for_its_clock(&mut world, 0), None);
}

#[test]
fn only_so_many_headers_wait_and_only_for_an_hour() {
    let network = network();
    let mut world = World::new(&network);
    world.add_node(true);
    world.run(3 * SECOND);
    let far = world.now.after(3 * 3_600 * SECOND);
    for seed in 10..14 {
        let mut chain = Forge::new(&network, seed);
        for step in 0..40 {
            chain.add(far.after(step * SECOND), &[]);
        }
        let puppet = world.add_puppet(honest(&chain));
        world.say(puppet, 0, chain.status(seed, world.now));
        world.run(SECOND);
        assert_eq!(world.node(0).counters().deferred, 40, "the oldest branch gives way");
    }
    let mut long = Forge::new(&network, 14);
    for step in 0..100 {
        long.add(far.after(step * SECOND), &[]);
    }
    let puppet = world.add_puppet(honest(&long));
    world.say(puppet, 0, long.status(14, world.now));
    world.run(SECOND);
    assert_eq!(world.node(0).counters().deferred, 64);
    world.run(3_598 * SECOND);
    assert_eq!(world.node(0).counters().deferred, 64);
    world.run(2 * SECOND);
    assert_eq!(world.node(0).counters().deferred, 0);
}

#[test]
fn a_clock_that_is_set_back_silences_nobody() {
    let mut world = World::of_miners(&network(), 1);
    world.skew(0, 2 * HOURS);
    world.run(10 * SECOND);
    world.skew(0, -HOURS);
    world.run(5 * SECOND);
    world.player(0).log.clear();
    world.run(10 * SECOND);
    assert_eq!(world.player(0).announced().len(), 2);
    assert!(world.player(0).templates().len() >= 2);
}

/// Blocks that it makes are refused, by itself as by everybody, until its clock has come up again.
#[test]
fn a_miner_whose_clock_was_set_back_behind_its_own_chain_says_so_and_rests() {
    let mut world = World::of_miners(&network(), 1);
    world.mine(0);
    world.skew(0, -HOURS);
    world.run(6 * SECOND);
    assert!(rests_for_its_clock(&mut world, 0).is_some_and(|seconds| seconds < -3_500));
    assert_eq!(world.player(0).warnings(), ["clock_off"], "once");
    world.skew(0, -100);
    world.run(6 * SECOND);
    assert_eq!(rests_for_its_clock(&mut world, 0), None);
    let block = world.mine(0);
    assert_eq!(world.tip(0), block.block_ref());
}
