//! How nodes come to one chain, and how they fare with peers that lie.

use std::time::Duration;

use cairn_node::{Event, Failure, RestReason, Verified};
use cairn_protocol::limits::MAX_HEADERS;
use cairn_protocol::messages::Request;
use cairn_protocol::{BlockError, Work};

use crate::forge::{Forge, key, network, payment, start};
use crate::world::{Reply, World, settings};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_fresh_miner_rests_mines_alone_and_tells_its_blocks() {
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
fn equal_work_displaces_nobody() {
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

/// Attack 17, and the predecessor's fault 7.
#[test]
fn a_lying_tip_changes_nothing_and_is_asked_about_once() {
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
fn a_stalling_peer_holds_nobody_up() {
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
fn withheld_bodies_stop_a_miner_for_a_minute_at_most() {
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

/// A puppet that has this chain.
fn honest(chain: &Forge) -> impl FnMut(&Request) -> Reply + 'static {
    let (blocks, headers) = (chain.blocks.clone(), chain.headers());
    move |request| match request {
        Request::Headers(locator) => {
            let known = headers.iter().rposition(|header| locator.contains(&header.block_ref()));
            let from = known.map_or(0, |index| index + 1);
            let page = headers[from..].iter().take(MAX_HEADERS).copied().collect();
            Reply::Answer(Verified::Headers(page))
        }
        Request::Blocks(places) => {
            let wanted = blocks.iter().filter(|block| places.contains(&block.block_ref()));
            Reply::Answer(Verified::Blocks(wanted.cloned().collect()))
        }
        Request::MempoolIds(_) => Reply::Answer(Verified::MempoolIds(Vec::new())),
        Request::Transactions(_) => Reply::Answer(Verified::Transactions(Vec::new())),
    }
}

/// Behaviour 9.
#[test]
fn a_deep_reorganisation_to_a_heavier_chain_succeeds() {
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
fn headers_that_do_not_hang_together_end_the_link() {
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
fn blocks_that_were_not_asked_for_end_the_link() {
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
        blocks.push(child_of(&network, blocks.last().expect("one")));
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

/// A block without payments on another one, whatever the ledger thinks of that.
fn child_of(
    network: &cairn_protocol::Network,
    parent: &cairn_protocol::VerifiedBlock,
) -> cairn_protocol::VerifiedBlock {
    let height = parent.block_ref().height.next();
    let reward = cairn_protocol::Reward {
        height,
        recipient: key(1).account(),
        amount: network.subsidy(height),
    };
    let header = cairn_protocol::Header {
        height,
        parent: parent.block_ref().hash,
        content: cairn_protocol::block::content_root_of(&reward, &[]),
        time: parent.header().header().time.after(SECOND),
        ..*parent.header().header()
    };
    crate::forge::seal(network, header, reward, &[])
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
fn a_mutated_twin_does_not_condemn_the_block() {
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
