//! Whom a node follows, and what it does with what comes out of turn.

use std::time::Duration;

use cairn_node::{Input, QuestionId, Verified};
use cairn_protocol::limits::MAX_HEADERS;
use cairn_protocol::messages::Request;

use crate::forge::{Forge, SECOND, network, start};
use crate::puppet::{Reply, honest};
use crate::world::{World, settings};

#[test]
fn rule_n3_one_peer_is_asked_another_after_two_seconds_and_eight_at_most() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(3);
    let mut world = World::new(&network);
    world.add_node(false);
    for instance in 100..112 {
        let puppet = world.add_puppet(|_| Reply::Never);
        world.say(puppet, 0, chain.status(instance, start()));
    }
    let questions = |world: &World| world.node(0).counters().questions;
    for asked in 1..=8 {
        assert_eq!(questions(&world), asked);
        world.run(Duration::from_millis(1_999));
        assert_eq!(questions(&world), asked);
        world.run(Duration::from_millis(1));
    }
    world.run(10 * SECOND);
    assert_eq!(questions(&world), 8);
}

#[test]
fn rule_n3_a_peer_that_does_not_come_up_to_its_claim_is_asked_again_for_another_tip_only() {
    let network = network();
    let mut world = World::new(&network);
    world.add_node(false);
    let liar = world.add_puppet(|_| Reply::Answer(Verified::Headers(Vec::new())));
    let mut lie = Forge::new(&network, 5);
    for tips in 1..=2 {
        lie.grow(1);
        for _ in 0..5 {
            world.say(liar, 0, lie.status(200, world.now));
            world.run(SECOND);
        }
        assert_eq!(world.player(0).asked().count(), tips);
    }
}

#[test]
fn rule_n3_pages_are_asked_for_until_the_claim_is_met() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(2 * MAX_HEADERS);
    let mut world = World::new(&network);
    world.add_node(false);
    let puppet = world.add_puppet(honest(&chain));
    world.say(puppet, 0, chain.status(200, start()));
    world.run(60 * SECOND);
    let asked = world.player(0).asked();
    let pages = asked.filter(|(_, request)| matches!(request, Request::Headers(_))).count();
    assert_eq!((pages, world.tip(0)), (2, chain.tip()));
}

/// A peer that first gives the second half of what it is asked for.
#[test]
fn behaviour_07_blocks_that_come_before_their_parents_wait_and_connect() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(10);
    let mut world = World::new(&network);
    world.add_node(false);
    let (mut answer, late) = (honest(&chain), chain.blocks[5..].to_vec());
    let mut is_first = true;
    let puppet = world.add_puppet(move |request| match request {
        Request::Blocks(_) if std::mem::take(&mut is_first) => {
            Reply::Answer(Verified::Blocks(late.clone()))
        }
        request => answer(request),
    });
    world.say(puppet, 0, chain.status(200, start()));
    world.run_until(SECOND, |world| world.node(0).counters().connected > 0);
    assert_eq!(world.tip(0), chain.tip(), "those that had waited came with the others");
    let asked: Vec<_> = world
        .player(0)
        .asked()
        .filter_map(|(_, request)| match request {
            Request::Blocks(places) => Some(places.len()),
            _ => None,
        })
        .collect();
    assert_eq!(asked, [10, 5], "what waits is not asked for again");
}

/// Its header is not known yet, and nobody was asked for it: it is let go, and comes when it is
/// announced.
#[test]
fn behaviour_07_a_block_that_nobody_asked_for_comes_in_its_turn() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(3);
    let mut world = World::new(&network);
    world.add_node_with(settings(0, false), &chain.blocks[..1]);
    let answer = Verified::Blocks(chain.blocks[2..].to_vec());
    let question = QuestionId(9);
    world.send(0, Input::Answered { question, answer });
    assert_eq!(world.node(0).ledger().best_header(), world.node(0).tip());
    let puppet = world.add_puppet(honest(&chain));
    world.say(puppet, 0, chain.status(200, start()));
    world.run(SECOND);
    assert_eq!(world.tip(0), chain.tip());
}
