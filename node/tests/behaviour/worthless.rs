//! Headers that are worth nothing: with less work than ours, again and again, or of a branch that is
//! known to be invalid.

use cairn_node::{Input, QuestionId, Verified};
use cairn_protocol::limits::MAX_HEADERS;
use cairn_protocol::messages::{InstanceId, Request, Status};
use cairn_protocol::{BlockRef, ProvenHeader, VerifiedBlock, Work};

use crate::forge::{Forge, SECOND, child_of, key, network, payment, start};
use crate::puppet::{Reply, honest};
use crate::world::{World, settings};

/// A node with 2,500 blocks to whom somebody shows another branch of 2,400, claiming more work; and
/// that branch.
fn spammed() -> (World, Forge) {
    let network = network();
    let (mut ours, mut spam) = (Forge::new(&network, 1), Forge::new(&network, 2));
    ours.grow(2_500);
    spam.grow(2_400);
    let mut world = World::new(&network);
    world.add_node_with(settings(0, false), &ours.blocks);
    let spammer = world.add_puppet(honest(&spam));
    let work = ours.ledger.tip().work.plus(spam.ledger.tip().work);
    world.say(spammer, 0, Status { work, ..spam.status(200, start()) });
    world.run(5 * SECOND);
    assert_eq!(world.tip(0), ours.tip());
    (world, spam)
}

/// How many of a branch's headers a node has stored.
fn stored(world: &World, branch: &Forge) -> usize {
    let ledger = world.node(0).ledger();
    let is_stored = |one: &ProvenHeader| ledger.has_header(one.block_ref()).expect("in memory");
    branch.headers().iter().filter(|one| is_stored(one)).count()
}

#[test]
fn behaviour_30_headers_with_less_work_than_ours_are_not_stored() {
    let (mut world, spam) = spammed();
    assert_eq!(world.player(0).asked().count(), 3, "all pages were looked at");
    assert_eq!(stored(&world, &spam), 0);
}

#[test]
fn behaviour_35_bodies_of_a_branch_with_less_work_are_not_asked_for_nor_taken() {
    let (mut world, spam) = spammed();
    let bodies = world.player(0).asked().filter(|(_, one)| matches!(one, Request::Blocks(_)));
    assert_eq!(bodies.count(), 0);
    // Whoever sends one all the same gives an answer to a question that was never asked.
    let answer = Verified::Blocks(vec![spam.blocks[0].clone()]);
    let question = QuestionId(u64::MAX);
    world.send(0, Input::Answered { question, answer });
    assert_eq!(stored(&world, &spam), 0);
}

/// As much work is not more, whatever is claimed.
#[test]
fn rule_n4_headers_of_a_branch_with_as_much_work_are_not_stored() {
    let (mut world, spam) = spammed();
    let mut equal = spam.branch(3, 2_400);
    equal.grow(100);
    let puppet = world.add_puppet(honest(&equal));
    let work = Work::from_be_bytes(&[1; 32]);
    world.say(puppet, 0, Status { work, ..equal.status(201, world.now) });
    world.run(5 * SECOND);
    assert!(world.player(0).asked().any(|(peer, _)| peer == puppet));
    assert_eq!(stored(&world, &equal), 0);
}

#[test]
fn rule_n4_headers_are_stored_once_their_branch_shows_more_work() {
    let (mut world, spam) = spammed();
    let mut heavier = spam.branch(3, 2_400);
    heavier.grow(101);
    let puppet = world.add_puppet(honest(&heavier));
    world.say(puppet, 0, heavier.status(201, world.now));
    world.run(5 * SECOND);
    assert_eq!(stored(&world, &heavier), 2_501);
    assert_eq!(world.tip(0), heavier.tip());
}

/// It claims more than it shows, whenever it is asked, and says so under one new tip after the other.
#[test]
fn attack_06_any_number_of_cheap_headers_is_looked_at_and_let_go() {
    let (mut world, spam) = spammed();
    let work = Work::from_be_bytes(&[1; 32]);
    let (mut looked_at, count) = (0, world.node(0).counters());
    for number in 0..42 {
        let spammer = world.add_puppet(honest(&spam));
        let status = spam.status(100 + number, world.now);
        world.say(spammer, 0, Status { work, ..status });
        world.run(SECOND);
        looked_at += world.player(0).asked().filter(|(peer, _)| *peer == spammer).count();
    }
    assert_eq!(looked_at, 3 * 42, "100,800 headers");
    assert_eq!(stored(&world, &spam), 0);
    assert_eq!(world.node(0).ledger().best_header(), world.node(0).tip());
    let counters = world.node(0).counters();
    assert_eq!((counters.questions, counters.deferred), (count.questions, count.deferred));
}

#[test]
fn attack_06_a_peer_that_repeats_its_headers_is_not_asked_for_ever() {
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

/// A miner with two blocks, a longer branch on them, and where that is invalid: at its third block,
/// which has a payment that nobody can pay for. It was announced for 20 s.
fn with_invalid_branch() -> (World, Vec<VerifiedBlock>, usize) {
    let network = network();
    let mut ours = Forge::new(&network, 1);
    ours.grow(2);
    let mut world = World::new(&network);
    world.add_node_with(settings(0, true), &ours.blocks);
    world.run(3 * SECOND);

    let mut forged = ours.branch(2, 2);
    let mut blocks = vec![forged.next(start(), &[payment(&network, 77, 0, 0)])];
    for _ in 0..2 {
        blocks.push(child_of(&network, blocks.last().expect("one"), key(2).account()));
    }
    forged.blocks.extend(blocks.clone());
    let peer = world.add_puppet(honest(&forged));
    for _ in 0..20 {
        announce(&mut world, peer, &forged.blocks);
        world.run(SECOND);
    }
    assert_eq!(world.tip(0), ours.tip());
    (world, forged.blocks, peer)
}

/// A puppet with this chain tells it to node 0.
fn announce(world: &mut World, from: usize, chain: &[VerifiedBlock]) {
    let BlockRef { height, hash: tip } = chain.last().expect("not empty").block_ref();
    let work = chain.iter().map(|block| block.header().work()).sum();
    let instance = InstanceId([100 + u8::try_from(from).expect("few"); 16]);
    let clock = world.now;
    let blocks_port = 2607;
    let status = Status { instance, height, tip, work, blocks_port, clock };
    world.say(from, 0, status);
}

#[test]
fn behaviour_05_a_branch_with_an_invalid_block_is_left_at_that_block() {
    let (mut world, blocks, peer) = with_invalid_branch();
    assert_eq!(world.player(0).warnings().first(), Some(&"invalid_block"));
    assert!(world.player(0).dropped().contains(&peer));
    // Nor are valid blocks on top of it adopted, however many there are.
    let network = world.network.clone();
    let mut longer = Forge::new(&network, 3);
    longer.blocks = blocks;
    for _ in 0..5 {
        let child = child_of(&network, longer.blocks.last().expect("some"), key(3).account());
        longer.blocks.push(child);
    }
    let tip = world.tip(0);
    let other = world.add_puppet(honest(&longer));
    announce(&mut world, other, &longer.blocks);
    world.run(5 * SECOND);
    assert_eq!(world.tip(0), tip);
    world.mine(0);
}

#[test]
fn behaviour_08_descendants_of_an_invalid_block_are_not_asked_for_again() {
    let (mut world, blocks, _) = with_invalid_branch();
    let bodies = |world: &mut World| {
        let asked = world.player(0).asked();
        asked.filter(|(_, request)| matches!(request, Request::Blocks(_))).count()
    };
    assert_eq!(bodies(&mut world), 1, "once, before it was known");
    let mut same = Forge::new(&world.network, 4);
    same.blocks = blocks;
    let other = world.add_puppet(honest(&same));
    announce(&mut world, other, &same.blocks);
    world.run(20 * SECOND);
    assert_eq!(bodies(&mut world), 1, "nor from anybody else");
    assert_eq!(world.node(0).ledger().best_header(), world.node(0).tip());
}
