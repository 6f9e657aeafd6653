//! Honest peers are heard and kept, whatever happens around them.

use std::time::Duration;

use cairn_node::{Input, PeerId};
use cairn_protocol::limits::MAX_HEADERS;
use cairn_protocol::messages::{InstanceId, Request, Status};
use cairn_protocol::{Height, Work};

use crate::forge::{Forge, SECOND, network, payment, start};
use crate::puppet::{Reply, honest};
use crate::world::{World, peer, settings};

/// A page of headers is on its way that goes on from a block which only its question named, since
/// the branch is still being measured. Another question to the same peer fails just then.
#[test]
fn a_question_that_fails_does_not_make_a_lie_of_another_ones_answer() {
    let network = network();
    let (mut ours, mut theirs) = (Forge::new(&network, 1), Forge::new(&network, 2));
    ours.grow(MAX_HEADERS * 2 + 100);
    theirs.grow(MAX_HEADERS * 2 + 200);
    let mut world = World::new(&network);
    world.add_node_with(settings(0, false), &ours.blocks);
    let mut answer = honest(&theirs);
    let other = world.add_puppet(move |request| match request {
        Request::MempoolIds(_) => Reply::Silence,
        request => answer(request),
    });
    // The silence fails after two seconds; the second page is on its way from 10 ms to 20 ms after
    // the better chain is announced.
    world.send(0, Input::LinkUp { peer: peer(other), status: ours.status(200, world.now) });
    world.run(Duration::from_millis(1_990));
    world.say(other, 0, theirs.status(200, world.now));
    world.run(60 * SECOND);
    assert_eq!(world.player(0).dropped(), [0_usize; 0]);
    assert_eq!(world.tip(0), theirs.tip());
}

/// Datagrams with forged senders claim the most work, and ever more of them come.
#[test]
fn attack_10_one_honest_link_is_enough_among_any_number_of_forged_claims() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(2 * MAX_HEADERS);
    let mut world = World::new(&network);
    world.add_node(false);
    let other = world.add_puppet(honest(&chain));
    let told = chain.status(200, world.now);
    let mut numbers = 1_000..;
    let mut forge = |world: &mut World, claims: usize| {
        for number in numbers.by_ref().take(claims) {
            let instance = InstanceId(u128::from(number).to_le_bytes());
            let (height, work) = (Height::MAX, Work::from_be_bytes(&[255; 32]));
            let status = Status { instance, height, work, ..told };
            world.send(0, Input::Status { peer: PeerId(number), status });
        }
    };
    forge(&mut world, 500);
    world.send(0, Input::LinkUp { peer: peer(other), status: told });
    for _ in 0..20 {
        forge(&mut world, 20);
        world.run(SECOND / 10);
    }
    assert_eq!(world.tip(0), chain.tip());
}

/// A hundred that were only heard of are known for longer, claim more, and say nothing when asked.
#[test]
fn attack_10_one_honest_link_comes_before_all_that_were_only_heard_of() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(10);
    let told = chain.status(200, start());
    let mut world = World::new(&network);
    world.add_node(false);
    for number in 0..100 {
        let silent = world.add_puppet(|_| Reply::Silence);
        let instance = InstanceId([number; 16]);
        world.say(silent, 0, Status { instance, work: Work::from_be_bytes(&[255; 32]), ..told });
    }
    let other = world.add_puppet(honest(&chain));
    world.send(0, Input::LinkUp { peer: peer(other), status: told });
    world.run(3 * SECOND);
    assert_eq!(world.tip(0), chain.tip(), "after those that were asked before it came");
}

/// A payment is passed on once. One who could not be reached just then gets it all the same,
/// although its owner, who repeats it, is too far away.
#[test]
fn rule_n7_a_payment_that_was_lost_between_two_links_comes_within_a_minute() {
    let network = network();
    let mut world = World::of_miners(&network, 2);
    world.link(0, 1);
    world.mine(0);
    world.cut(&[0], &[1]);
    world.submit(0, payment(&network, 1, 0, 0));
    world.run(SECOND);
    world.heal();
    world.run_until(61 * SECOND, |world| world.node(1).counters().mempool == 1);
}
