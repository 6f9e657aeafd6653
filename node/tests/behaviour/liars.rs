//! Peers that lie, withhold, stall and send what is invalid.

use cairn_node::{Failure, RestReason, Verified};
use cairn_protocol::limits::MAX_HEADERS;
use cairn_protocol::messages::Request;
use cairn_protocol::{BlockError, Work};

use crate::forge::{Forge, SECOND, child_of, key, network, payment, start};
use crate::puppet::{Reply, honest};
use crate::world::{World, settings};

/// Attack 17, and the predecessor's fault 7.
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

/// Behaviour 34, and the predecessor's fault 8.
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

/// Behaviours 30 and 35, attack 6.
#[test]
fn headers_with_less_work_than_ours_are_not_stored() {
    let network = network();
    let mut ours = Forge::new(&network, 1);
    ours.grow(2_500);
    let spam = {
        let mut spam = Forge::new(&network, 2);
        spam.grow(2_400);
        spam
    };
    let mut world = World::new(&network);
    world.add_node_with(settings(0, false), &ours.blocks);
    let spammer = world.add_puppet(honest(&spam));
    let mut status = spam.status(200, start());
    status.work = ours.ledger.tip().work.plus(spam.ledger.tip().work);
    world.say(spammer, 0, status);
    world.run(5 * SECOND);
    assert_eq!(world.player(0).asked().count(), 3, "all pages were looked at");
    assert_eq!(world.tip(0), ours.tip());
    for header in spam.headers() {
        assert_eq!(world.node(0).ledger().has_header(header.block_ref()).ok(), Some(false));
    }
}

#[test]
fn a_peer_that_repeats_its_headers_is_not_asked_for_ever() {
    let network = network();
    let mut ours = Forge::new(&network, 1);
    ours.grow(1_500);
    let mut spam = Forge::new(&network, 2);
    spam.grow(MAX_HEADERS);
    let headers = spam.headers();
    let mut world = World::new(&network);
    world.add_node_with(settings(0, false), &ours.blocks);
    let spammer = world.add_puppet(move |_| Reply::Answer(Verified::Headers(headers.clone())));
    let mut status = spam.status(200, start());
    status.work = ours.ledger.tip().work.plus(Work::from_be_bytes(&[1; 32]));
    world.say(spammer, 0, status);
    world.run(5 * SECOND);
    assert_eq!(world.player(0).asked().count(), 2);
}

/// Behaviour 31.
#[test]
fn behaviour_31_headers_that_do_not_hang_together_end_the_link() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(10);
    let all = chain.headers();
    let gap: Vec<_> = all.iter().copied().filter(|one| one.header().height.get() != 4).collect();
    let rootless = all[3..].to_vec();
    for headers in [gap, rootless] {
        let mut world = World::new(&network);
        world.add_node(false);
        let peer = world.add_puppet(move |_| Reply::Answer(Verified::Headers(headers.clone())));
        world.say(peer, 0, chain.status(200, start()));
        world.run(SECOND);
        assert_eq!(world.player(0).dropped(), [peer]);
        assert_eq!(world.tip(0), network.genesis_ref());
    }
}

#[test]
fn rule_l8_blocks_that_were_not_asked_for_end_the_link() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(3);
    let mut other = Forge::new(&network, 2);
    other.grow(1);
    let (headers, foreign) = (chain.headers(), other.blocks.clone());
    let mut world = World::new(&network);
    world.add_node(false);
    let peer = world.add_puppet(move |request| match request {
        Request::Headers(_) => Reply::Answer(Verified::Headers(headers.clone())),
        _ => Reply::Answer(Verified::Blocks(foreign.clone())),
    });
    world.say(peer, 0, chain.status(200, start()));
    world.run(SECOND);
    assert_eq!(world.player(0).dropped(), [peer]);

    // The blocks come from somebody else.
    let good = world.add_puppet(honest(&chain));
    world.say(good, 0, chain.status(201, start()));
    world.run(SECOND);
    assert_eq!(world.tip(0), chain.tip());
}

/// Behaviours 5 and 8: an overspending payment in the middle of a longer branch.
#[test]
fn a_branch_with_an_invalid_block_is_left_at_that_block() {
    let network = network();
    let mut ours = Forge::new(&network, 1);
    ours.grow(2);
    let mut world = World::new(&network);
    world.add_node_with(settings(0, true), &ours.blocks);
    world.run(3 * SECOND);

    // Two valid blocks, one whose payment nobody can pay for, and two more on top of it.
    let mut forged = ours.branch(2, 2);
    let mut blocks = vec![];
    let bad = forged.next(start(), &[payment(&network, 77, 0, 0)]);
    blocks.push(bad.clone());
    for _ in 0..2 {
        blocks.push(child_of(&network, blocks.last().expect("one"), key(2).account()));
    }
    forged.blocks.extend(blocks);
    let mut status = forged.status(200, start());
    status.tip = forged.blocks[4].block_ref().hash;
    status.height = forged.blocks[4].block_ref().height;
    status.work = forged.headers().iter().map(cairn_protocol::ProvenHeader::work).sum();
    let peer = world.add_puppet(honest(&forged));
    for _ in 0..20 {
        world.say(peer, 0, status);
        world.run(SECOND);
    }
    assert_eq!(world.tip(0), ours.tip());
    assert_eq!(world.player(0).warnings().first(), Some(&"invalid_block"));
    assert!(world.player(0).dropped().contains(&peer));
    let bodies =
        world.player(0).asked().filter(|(_, request)| matches!(request, Request::Blocks(_)));
    assert_eq!(bodies.count(), 1, "it is not asked for again");
    world.mine(0);
}

#[test]
fn a_block_that_is_invalid_by_itself_condemns_its_branch() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(3);
    let (headers, bad) = (chain.headers(), chain.blocks[1].block_ref());
    let mut world = World::new(&network);
    world.add_node(true);
    world.run(3 * SECOND);
    let peer = world.add_puppet(move |request| match request {
        Request::Headers(_) => Reply::Answer(Verified::Headers(headers.clone())),
        _ => Reply::Fail(Failure::InvalidBlock(bad, BlockError::FeesTooLarge)),
    });
    world.say(peer, 0, chain.status(200, start()));
    world.run(SECOND);
    assert_eq!(world.player(0).warnings(), ["invalid_block"]);
    assert_eq!(world.player(0).dropped(), [peer]);
    assert_eq!(world.node(0).ledger().best_header().block.height.get(), 1);
}

/// Behaviour 21: a content that the header does not commit to says nothing about the block.
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
