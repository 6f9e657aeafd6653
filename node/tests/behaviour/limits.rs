//! What peers cannot make grow, and what they cannot make us do.

use std::collections::BTreeSet;
use std::time::Duration;

use cairn_node::{Failure, Input, Output, PeerId, Verified};
use cairn_protocol::messages::{Answer, InstanceId, Request, RequestId, Status};
use cairn_protocol::{Bounded, TransactionId, Work};

use crate::forge::{Forge, SECOND, network, payment, start};
use crate::puppet::{Reply, honest};
use crate::world::{World, peer};

fn numbered(status: Status, number: u64) -> Status {
    let mut instance = [0; 16];
    instance[..8].copy_from_slice(&number.to_le_bytes());
    Status { instance: InstanceId(instance), ..status }
}

/// A flood of spoofed statuses, each of another peer with another claim.
#[test]
fn a_flood_of_peers_is_forgotten_and_those_with_links_are_not() {
    let network = network();
    let mut world = World::new(&network);
    world.add_node(false);
    let mut lie = Forge::new(&network, 5);
    lie.grow(3);
    let status = lie.status(7, start());
    world.send(0, Input::LinkUp { peer: PeerId(1_000_000), status: world.node(0).status(start()) });
    let link = PeerId(1_000_001);
    world.send(0, Input::LinkUp { peer: link, status: numbered(status, 1) });
    for number in 2..1_500 {
        let peer = PeerId(number);
        world.send(0, Input::Status { peer, status: numbered(status, number) });
        assert!(world.node(0).counters().peers <= 1_024);
        assert!(world.node(0).counters().questions <= 8);
    }
    assert_eq!(world.node(0).counters().peers, 1_024);
    assert_eq!(world.node(0).counters().links, 1);

    // Ten intervals later only the link is left.
    world.run(51 * SECOND);
    assert_eq!(world.node(0).counters().peers, 1);
    world.send(0, Input::LinkDown { peer: link });
    world.run(SECOND);
    assert_eq!(world.node(0).counters().peers, 0);
}

#[test]
fn many_peers_are_not_asked_for_more_than_the_window() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(3_000);
    let mut world = World::new(&network);
    world.add_node(false);
    let first = world.add_puppet(honest(&chain));
    let status = chain.status(7, start().after(30 * SECOND));
    for number in 100..300 {
        let peer = PeerId(number);
        let status = Status { work: Work::ZERO, ..numbered(status, number) };
        world.send(0, Input::Status { peer, status });
    }
    world.say(first, 0, status);
    let mut most = 0;
    for _ in 0..400 {
        world.run(Duration::from_millis(5));
        most = most.max(world.node(0).counters().questions);
    }
    // A window of 1,024 blocks in questions of at least 16.
    assert!((32..=64 + 8).contains(&most), "{most}");
}

#[test]
fn one_peer_owes_no_more_than_two_answers_with_blocks() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(200);
    let mut world = World::new(&network);
    world.add_node(false);
    let mut answer = honest(&chain);
    let slow = world.add_puppet(move |request| match request {
        Request::Blocks(_) => Reply::Never,
        request => answer(request),
    });
    world.say(slow, 0, chain.status(200, start()));
    world.run(SECOND);
    assert_eq!(world.node(0).counters().questions, 2);
    let bodies = world.player(0).asked().filter(|(_, one)| matches!(one, Request::Blocks(_)));
    assert_eq!(bodies.count(), 2);
}

#[test]
fn a_peer_that_never_answers_is_asked_ever_more_rarely() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(3);
    let mut world = World::new(&network);
    world.add_node(true);
    let dead = world.add_puppet(|_| Reply::Fail(Failure::Unreachable));
    for _ in 0..300 {
        world.say(dead, 0, chain.status(7, world.now));
        world.run(SECOND);
    }
    // Three at once, then after 10, 20, 40, 80 and 160 s: 310 s would be one more.
    assert_eq!(world.player(0).asked().count(), 7);
    assert!(world.node(0).is_level(), "nobody who answers claims more");
    world.mine(0);
}

fn id(number: u64) -> TransactionId {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&number.to_be_bytes());
    TransactionId(id)
}

/// Ids without end, none of which anybody has.
#[test]
fn rule_l9_a_mempool_without_end_is_left_after_as_many_ids_as_ours_may_have() {
    let network = network();
    let mut world = World::new(&network);
    world.add_node(false);
    let endless = world.add_puppet(|request| match request {
        Request::MempoolIds(after) => {
            let first = after
                .map_or(1, |id| u64::from_be_bytes(id.0[..8].try_into().expect("eight bytes")) + 1);
            Reply::Answer(Verified::MempoolIds((first..first + 16_384).map(id).collect()))
        }
        _ => Reply::Answer(Verified::Transactions(Vec::new())),
    });
    let status = numbered(world.node(0).status(start()), 9);
    world.send(0, Input::LinkUp { peer: peer(endless), status });
    world.run(5 * SECOND);
    let (mut pages, mut asked) = (0, 0);
    for (_, request) in world.player(0).asked() {
        match request {
            Request::MempoolIds(_) => pages += 1,
            Request::Transactions(ids) => asked += ids.len(),
            _ => panic!("nothing else"),
        }
    }
    assert_eq!((pages, asked), (4, 4 * 16_384));
    assert_eq!(world.node(0).counters().questions, 0);
}

#[test]
fn rule_n7_mempools_are_reconciled_with_a_few_at_a_time() {
    let network = network();
    let mut world = World::new(&network);
    world.add_node(false);
    for number in 0..20 {
        let silent = world.add_puppet(|_| Reply::Silence);
        let status = numbered(world.node(0).status(start()), 100 + number);
        world.send(0, Input::LinkUp { peer: peer(silent), status });
    }
    assert_eq!(world.node(0).counters().questions, 4);
    world.run(SECOND);
    assert_eq!(world.player(0).asked().count(), 4);
    world.run(20 * SECOND);
    assert_eq!(world.player(0).asked().count(), 20, "all had their turn");
}

/// The driver answers these, but no question stays without an answer.
#[test]
fn rule_l4_every_question_has_an_answer_of_its_kind() {
    let network = network();
    let mut world = World::new(&network);
    world.add_node(false);
    let questions = [
        Request::Headers(Bounded::default()),
        Request::Blocks(Bounded::default()),
        Request::MempoolIds(None),
        Request::Transactions(Bounded::default()),
    ];
    for question in questions {
        let now = world.now;
        let node = &mut world.player(0).node;
        let asked =
            Input::Asked { peer: PeerId(1), request: RequestId(3), question: question.clone() };
        let outputs = node.handle(now, asked);
        let answer = outputs.into_iter().find_map(|output| match output {
            Output::Answer { peer: PeerId(1), request: RequestId(3), answer } => Some(answer),
            _ => None,
        });
        let is_of_its_kind = matches!(
            (question, answer),
            (Request::Headers(_), Some(Answer::Headers(_)))
                | (Request::Blocks(_), Some(Answer::Blocks(_)))
                | (Request::MempoolIds(_), Some(Answer::MempoolIds(_)))
                | (Request::Transactions(_), Some(Answer::Transactions(_)))
        );
        assert!(is_of_its_kind);
    }
}

/// Whether a node drops a linked peer that answers like this.
fn is_dropped(script: impl FnMut(&Request) -> Reply + 'static) -> bool {
    let mut world = World::new(&network());
    world.add_node(false);
    let puppet = world.add_puppet(script);
    let status = numbered(world.node(0).status(start()), 100);
    world.send(0, Input::LinkUp { peer: peer(puppet), status });
    world.run(SECOND);
    assert_eq!(world.node(0).counters().mempool, 0);
    world.player(0).dropped() == [puppet]
}

#[test]
fn rule_l9_ids_that_do_not_ascend_end_the_link() {
    for (ids, expected) in [([1, 2], false), ([2, 1], true), ([2, 2], true)] {
        let answer = move |request: &Request| match request {
            Request::MempoolIds(_) => Reply::Answer(Verified::MempoolIds(ids.map(id).to_vec())),
            _ => Reply::Answer(Verified::Transactions(Vec::new())),
        };
        assert_eq!(is_dropped(answer), expected, "{ids:?}");
    }
}

#[test]
fn rule_l10_a_transaction_that_was_not_asked_for_ends_the_link() {
    let paid = payment(&network(), 1, 0, 0);
    for (named, expected) in [(paid.id(), false), (id(1), true)] {
        let paid = paid.clone();
        let answer = move |request: &Request| match request {
            Request::MempoolIds(_) => Reply::Answer(Verified::MempoolIds(vec![named])),
            _ => Reply::Answer(Verified::Transactions(vec![paid.clone()])),
        };
        assert_eq!(is_dropped(answer), expected);
    }
}

#[test]
fn rule_l10_a_transaction_that_is_named_twice_is_answered_once() {
    let mut world = World::of_miners(&network(), 1);
    world.mine(0);
    let paid = [0, 1].map(|sequence| payment(&world.network, 1, sequence, 0));
    for one in &paid {
        world.submit(0, one.clone());
    }
    let [first, second] = [paid[0].id(), paid[1].id()];
    let named = [first, id(7), first, second, first];
    let question = Request::Transactions(Bounded::first(named));
    let asked = Input::Asked { peer: PeerId(1), request: RequestId(3), question };
    let now = world.now;
    let outputs = world.player(0).node.handle(now, asked);
    let answers: Vec<_> = outputs
        .into_iter()
        .filter_map(|output| match output {
            Output::Answer { answer: Answer::Transactions(all), .. } => Some(all.into_vec()),
            _ => None,
        })
        .collect();
    let [answer] = &answers[..] else { panic!("{answers:?}") };
    let ids: BTreeSet<_> = answer.iter().map(|one| one.payment.id(network().id())).collect();
    assert_eq!((answer.len(), ids), (2, [first, second].into()));
}
