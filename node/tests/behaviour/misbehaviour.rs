//! Misbehaviour: what no honest peer sends ends the link (rule L6), and what it may send does not.

use cairn_node::{Failure, Input, QuestionId, Verified};
use cairn_protocol::messages::{Request, Status};
use cairn_protocol::{BlockError, Header, Network, ProvenHeader, Rules, Target, VerifiedBlock};

use crate::forge::{Forge, SECOND, child_of, key, network, payment, rules, seal, start};
use crate::puppet::{Reply, honest};
use crate::world::{World, settings};

/// Whether a fresh node drops a peer that answers with these headers.
fn is_dropped_for(network: &Network, headers: Vec<ProvenHeader>, status: Status) -> bool {
    let mut world = World::new(network);
    world.add_node(false);
    let peer = world.add_puppet(move |request| match request {
        Request::Headers(_) => Reply::Answer(Verified::Headers(headers.clone())),
        _ => Reply::Silence,
    });
    world.say(peer, 0, status);
    world.run(SECOND);
    assert_eq!(world.tip(0), network.genesis_ref());
    let dropped = world.player(0).dropped();
    assert!(dropped.is_empty() || dropped == [peer]);
    !dropped.is_empty()
}

#[test]
fn behaviour_31_headers_that_do_not_hang_together_end_the_link() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(10);
    let all = chain.headers();
    let status = chain.status(200, start());
    assert!(!is_dropped_for(&network, all.clone(), status));
    let gap = all.iter().copied().filter(|one| one.header().height.get() != 4).collect();
    assert!(is_dropped_for(&network, gap, status));
    let reversed = all.iter().copied().rev().collect();
    assert!(is_dropped_for(&network, reversed, status));
}

#[test]
fn rule_l6_headers_from_a_block_that_we_do_not_know_end_the_link() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(10);
    let status = chain.status(200, start());
    assert!(is_dropped_for(&network, chain.headers()[3..].to_vec(), status));
    assert!(!is_dropped_for(&network, chain.headers()[..3].to_vec(), status));
}

/// A child of this block that differs from an honest one.
fn odd_child(
    network: &Network,
    parent: &VerifiedBlock,
    change: impl FnOnce(Header) -> Header,
) -> VerifiedBlock {
    let honest = child_of(network, parent, key(2).account());
    seal(network, change(*honest.header().header()), *honest.reward(), &[])
}

#[test]
fn rule_l6_a_header_that_breaks_a_rule_of_section_9_ends_the_link() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(3);
    let status = chain.status(200, start());
    let last = chain.blocks.last().expect("three");
    let harder = Target::from_be_bytes(&[0x3f; 32]).expect("in range");
    let wrong_target = odd_child(&network, last, |header| Header { target: harder, ..header });
    let old = odd_child(&network, last, |header| Header { time: start(), ..header });
    for bad in [wrong_target, old] {
        let mut headers = chain.headers();
        headers.push(*bad.header());
        assert!(is_dropped_for(&network, headers, status));
    }
}

/// C1 and C5 are no fault: the clock may be ours.
#[test]
fn rule_l6_a_header_ahead_of_our_clock_ends_no_link() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.add(start().after(3_600 * SECOND), &[]);
    let status = chain.status(200, start());
    assert!(!is_dropped_for(&network, chain.headers(), status));
}

/// Whether a node that has all blocks but the last drops the peer that gives this one.
fn drops_giver_of(chain: &Forge, last: &VerifiedBlock) -> bool {
    let mut world = World::new(&chain.network);
    world.add_node_with(settings(0, false), &chain.blocks);
    let mut theirs = Forge::new(&chain.network, 2);
    theirs.blocks = [chain.blocks.as_slice(), std::slice::from_ref(last)].concat();
    let place = last.block_ref();
    let work = chain.ledger.tip().work.plus(last.header().work());
    let status = chain.status(200, start());
    let status = Status { height: place.height, tip: place.hash, work, ..status };
    let peer = world.add_puppet(honest(&theirs));
    world.say(peer, 0, status);
    world.run(SECOND);
    let is_dropped = world.player(0).dropped() == [peer];
    assert_eq!(is_dropped, world.tip(0) != place);
    is_dropped
}

#[test]
fn rule_l6_a_block_that_breaks_a_rule_of_section_9_ends_the_link() {
    let two = Network::new(Rules { min_block_transactions: 2, ..rules() }).expect("possible");
    let mut chain = Forge::new(&two, 1);
    chain.grow(1);
    let paid = |sequence: u64| payment(&two, 1, sequence, 0);
    let next = |payments: &[_]| chain.next(start(), payments);
    assert!(!drops_giver_of(&chain, &next(&[paid(0)])), "an honest block");
    assert!(drops_giver_of(&chain, &next(&[])), "C6");
    assert!(drops_giver_of(&chain, &next(&[paid(1)])), "C7");
    assert!(drops_giver_of(&chain, &next(&[payment(&two, 77, 0, 0)])), "C8");
}

#[test]
fn rule_l6_a_block_that_is_invalid_by_itself_ends_the_link() {
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

#[test]
fn rule_l6_an_answer_of_another_variant_ends_the_link() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(3);
    let mut world = World::new(&network);
    world.add_node(false);
    let confused = world.add_puppet(|_| Reply::Answer(Verified::MempoolIds(Vec::new())));
    world.say(confused, 0, chain.status(7, start()));
    world.run(SECOND);
    assert_eq!(world.player(0).dropped(), [confused]);
}

#[test]
fn answers_and_failures_of_questions_that_were_never_asked_are_ignored() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(3);
    let mut world = World::new(&network);
    world.add_node(false);
    for question in [0, 77, u64::MAX] {
        let question = QuestionId(question);
        let answer = Verified::Blocks(chain.blocks.clone());
        world.send(0, Input::Answered { question, answer });
        let failure = Failure::Misbehaved("nothing".to_owned());
        world.send(0, Input::Failed { question, failure });
    }
    assert_eq!(world.tip(0), network.genesis_ref());
    assert_eq!(world.node(0).ledger().best_header(), world.node(0).tip());
}
