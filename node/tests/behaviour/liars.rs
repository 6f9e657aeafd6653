//! Peers that lie, withhold, stall and send what is invalid.

use cairn_node::{Failure, RestReason, Verified};
use cairn_protocol::BlockError;
use cairn_protocol::messages::Request;

use crate::forge::{Forge, SECOND, network, start};
use crate::puppet::{Reply, honest};
use crate::world::{World, settings};

#[test]
fn attack_17_a_lying_tip_changes_nothing_and_is_asked_about_once() {
    let network = network();
    let mut world = World::of_miners(&network, 1);
    world.mine(0);
    let liar = world.add_puppet(|_| Reply::Answer(Verified::Headers(Vec::new())));
    let mut lie = Forge::new(&network, 5);
    lie.grow(3);
    let status = lie.status(200, world.now);
    let tip = world.tip(0);
    for _ in 0..10 {
        world.say(liar, 0, status);
        world.run(SECOND);
    }
    assert_eq!(world.tip(0), tip);
    assert_eq!(world.player(0).asked().filter(|(peer, _)| *peer == liar).count(), 1);
    assert!(world.node(0).is_level());
    world.mine(0);
}

/// One that lies anew all the time is asked ever more rarely.
#[test]
fn a_notorious_liar_is_left_alone() {
    let network = network();
    let mut world = World::of_miners(&network, 1);
    let liar = world.add_puppet(|_| Reply::Answer(Verified::Headers(Vec::new())));
    let mut lie = Forge::new(&network, 5);
    for _ in 0..300 {
        lie.grow(1);
        let status = lie.status(200, world.now);
        world.say(liar, 0, status);
        world.run(SECOND);
    }
    let asked = world.player(0).asked().count();
    // Three at once, then after 10, 20, 40, 80 and 160 s.
    assert_eq!(asked, 7);
}

#[test]
fn behaviour_34_a_stalling_peer_holds_nobody_up() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(200);
    let mut world = World::new(&network);
    world.add_node_with(settings(0, false), &chain.blocks);
    let silent = world.add_puppet(|_| Reply::Silence);
    let late = world.add_node(false);
    // It claims more than the honest one, so it is asked first.
    let mut lie = Forge::new(&network, 5);
    lie.grow(300);
    world.say(silent, late, lie.status(200, start()));
    world.run(SECOND);
    assert_eq!(world.player(late).asked().next().map(|(peer, _)| peer), Some(silent));
    world.run_until(10 * SECOND, |world| world.tip(late) == chain.tip());
}

/// A peer that gives headers and no bodies.
#[test]
fn rule_f6_withheld_bodies_stop_a_miner_for_a_minute_at_most() {
    let network = network();
    let mut world = World::of_miners(&network, 1);
    let mut hidden = Forge::new(&network, 5);
    hidden.grow(2);
    let headers = hidden.headers();
    let withholder = world.add_puppet(move |request| match request {
        Request::Headers(_) => Reply::Answer(Verified::Headers(headers.clone())),
        _ => Reply::Answer(Verified::Blocks(Vec::new())),
    });
    for second in 0..75 {
        let status = hidden.status(200, world.now);
        world.say(withholder, 0, status);
        world.run(SECOND);
        let catches_up = matches!(world.player(0).rests(), Some(RestReason::CatchingUp { .. }));
        assert_eq!(catches_up, second < 60, "after {second} s");
    }
    let asked = world.player(0).asked().count();
    assert!((6..12).contains(&asked), "one question every ten seconds, not {asked}");
    assert!(world.player(0).asked().all(|(peer, _)| peer == withholder));
    world.mine(0);
    world.mine(0);
    let tip = world.mine(0);
    assert_eq!(world.tip(0), tip.block_ref());

    // Once the bodies are there, that branch is as good as any.
    hidden.grow(2);
    let blocks = hidden.blocks.clone();
    let forge_status = hidden.status(201, world.now);
    let headers = hidden.headers();
    let giver = world.add_puppet(move |request| match request {
        Request::Headers(_) => Reply::Answer(Verified::Headers(headers.clone())),
        Request::Blocks(places) => {
            let wanted = blocks.iter().filter(|block| places.contains(&block.block_ref()));
            Reply::Answer(Verified::Blocks(wanted.cloned().collect()))
        }
        _ => Reply::Silence,
    });
    world.say(giver, 0, forge_status);
    world.run(SECOND);
    assert_eq!(world.tip(0), hidden.tip());
}

/// Somebody shows a much better chain and leaves before he gave it away: the others go on
/// together.
#[test]
fn rule_n4_a_better_chain_whose_owner_left_does_not_part_the_others() {
    let network = network();
    let mut world = World::of_miners(&network, 3);
    let mut gone = Forge::new(&network, 5);
    gone.grow(50);
    let headers = gone.headers();
    let owner = world.add_puppet(move |request| match request {
        Request::Headers(_) => Reply::Answer(Verified::Headers(headers.clone())),
        _ => Reply::Silence,
    });
    for index in 0..3 {
        world.say(owner, index, gone.status(200, world.now));
    }
    world.run(SECOND);
    assert!(matches!(world.player(0).rests(), Some(RestReason::CatchingUp { .. })));
    world.run(61 * SECOND);
    for round in 0..9 {
        let block = world.mine(round % 3);
        for index in 0..3 {
            assert_eq!(world.tip(index), block.block_ref());
            assert!(world.node(index).is_level());
        }
    }

    // He comes back, and has what he promised.
    let owner = world.add_puppet(honest(&gone));
    for index in 0..3 {
        world.say(owner, index, gone.status(201, world.now));
    }
    world.run(15 * SECOND);
    for index in 0..3 {
        world.say(owner, index, gone.status(201, world.now));
    }
    world.run(SECOND);
    for index in 0..3 {
        assert_eq!(world.tip(index), gone.tip());
    }
}

/// A content that the header does not commit to says nothing about the block.
#[test]
fn behaviour_21_a_mutated_twin_does_not_condemn_the_block() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(2);
    let (headers, block) = (chain.headers(), chain.blocks[0].block_ref());
    let mut world = World::new(&network);
    world.add_node(false);
    let mutant = world.add_puppet(move |request| match request {
        Request::Headers(_) => Reply::Answer(Verified::Headers(headers.clone())),
        _ => Reply::Fail(Failure::InvalidBlock(block, BlockError::ContentRoot)),
    });
    world.say(mutant, 0, chain.status(200, start()));
    world.run(SECOND);
    let good = world.add_puppet(honest(&chain));
    world.say(good, 0, chain.status(201, start()));
    world.run(SECOND);
    assert_eq!(world.tip(0), chain.tip());
    assert_eq!(world.player(0).warnings(), [""; 0]);
}
