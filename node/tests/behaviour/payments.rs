//! How payments travel, wait, come back after a reorganisation and meet on a new link.

use std::time::Duration;

use cairn_node::{AdmitError, Input, MempoolError, Origin, Output};
use cairn_protocol::{Amount, Network, Payment, Rules, Sequence, Transaction};

use crate::forge::{Forge, SECOND, key, micros, network, payment, rules};
use crate::world::{World, peer, settings};

/// Three miners; the first has mined so many blocks, so account 1 has money.
fn rich_world(blocks: usize) -> World {
    let mut world = World::of_miners(&network(), 3);
    for _ in 0..blocks {
        world.mine(0);
    }
    world
}

#[test]
fn rule_n5_a_payment_is_relayed_once_by_everybody_and_mined() {
    let mut world = rich_world(1);
    let paid = payment(&world.network, 1, 0, 7);
    world.submit(1, paid.clone());
    world.run(SECOND);
    for index in 0..3 {
        assert_eq!(world.node(index).counters().mempool, 1);
        assert_eq!(world.player(index).relayed(), 1, "no loops");
    }
    world.run(SECOND);
    let block = world.mine(2);
    assert_eq!(block.payments(), [paid]);
    assert_eq!(block.reward().amount, micros(10_000_007));
    for index in 0..3 {
        assert_eq!(world.node(index).counters().mempool, 0);
    }
}

#[test]
fn rule_n5_a_payment_does_not_go_back_the_way_it_came() {
    let mut world = rich_world(1);
    let transaction = payment(&world.network, 1, 0, 0);
    for origin in [Origin::Link(peer(1)), Origin::Broadcast] {
        world.send(0, Input::Transaction { origin, transaction: transaction.clone() });
    }
    let relayed: Vec<_> = world
        .player(0)
        .outputs()
        .filter_map(|output| match output {
            Output::Relay { origin, .. } => Some(*origin),
            _ => None,
        })
        .collect();
    assert_eq!(relayed, [Origin::Link(peer(1))], "the second time it is not new");
}

#[test]
fn rule_n6_its_owner_repeats_a_payment_until_a_block_has_it() {
    let mut world = rich_world(1);
    let paid = payment(&world.network, 1, 0, 0);
    for _ in 0..3 {
        world.submit(0, paid.clone());
    }
    assert_eq!(world.player(0).relayed(), 3);
    world.run(2 * SECOND);
    assert_eq!(world.player(1).relayed(), 1);
    world.mine(1);
    world.submit(0, paid);
    assert_eq!(world.player(0).relayed(), 3);
}

/// Others may be ahead of us, so that we do not know of the money yet.
#[test]
fn a_payment_of_ours_goes_out_although_we_cannot_judge_it() {
    let network = network();
    let mut world = World::new(&network);
    world.add_node(false);
    let paid = payment(&network, 1, 0, 0);
    world.submit(0, paid.clone());
    world.send(0, Input::Transaction { origin: Origin::Broadcast, transaction: paid });
    assert_eq!(world.player(0).relayed(), 1);
    assert_eq!(world.node(0).counters().mempool, 0);
}

#[test]
fn behaviour_26_a_reward_can_be_spent_when_it_is_mature_and_not_before() {
    let network = Network::new(Rules { reward_maturity: 2, ..rules() }).expect("possible");
    let mut world = World::of_miners(&network, 1);
    let paid = payment(&network, 1, 0, 0);
    for height in 1..=3 {
        assert_eq!(world.mine(0).payments(), [], "block {height}");
        world.submit(0, paid.clone());
        world.run(2 * SECOND);
        // Block 3 credits the reward of block 1.
        assert_eq!(world.node(0).counters().mempool, usize::from(height == 3));
    }
    assert_eq!(world.mine(0).payments(), [paid]);
}

#[test]
fn behaviour_42_what_cannot_be_mined_is_refused_with_its_reason() {
    let mut world = rich_world(1);
    let (network, now) = (world.network.clone(), world.now);
    let mut refused = |from, sequence, fee| {
        let one = payment(&network, from, sequence, fee);
        match world.player(0).node.admit(now, one) {
            Err(AdmitError::Refused(error)) => error.rule(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(8, 0, 0), "M4");
    assert_eq!(refused(1, 0, 9_000_001), "M4");
    assert_eq!(refused(1, 64, 0), "M2");
    assert_eq!(world.node(0).counters().refused, 3);
    world.submit(0, payment(&network, 1, 0, 0));
    world.run(2 * SECOND);
    world.mine(0);
    let stale = world.player(0).node.admit(now, payment(&network, 1, 0, 9));
    assert!(matches!(stale, Err(AdmitError::Refused(error)) if error.rule() == "M1"));
    let error = MempoolError::InsufficientFunds { needed: micros(1), balance: Amount::ZERO };
    assert!(error.to_string().contains("0.000001"), "{error}");
}

/// Somebody else's block has other payments of the same account: what has their sequences goes,
/// what comes behind them stays and is mined.
#[test]
fn behaviour_44_what_conflicts_with_anothers_block_leaves_and_the_rest_is_mined() {
    let mut world = rich_world(2);
    let network = world.network.clone();
    world.cut(&[0], &[1, 2]);
    let [ours, theirs] = [5, 9].map(|fee| [0, 1].map(|n| payment(&network, 1, n, fee)));
    let behind = payment(&network, 1, 2, 5);
    for one in ours.iter().chain([&behind]) {
        world.submit(0, one.clone());
    }
    for one in &theirs {
        world.submit(1, one.clone());
    }
    world.run(2 * SECOND);
    assert_eq!(world.node(0).counters().mempool, 3);
    assert_eq!(world.mine(1).payments(), theirs);
    world.heal();
    world.run(6 * SECOND);
    assert_eq!(world.node(0).mempool().collect::<Vec<_>>(), [&behind]);
    assert_eq!(world.mine(0).payments(), [behind]);
}

/// These never become what a node takes: only what is verified does.
#[test]
fn behaviour_42_a_false_signature_and_another_network_are_refused_before_the_mempool() {
    let network = network();
    let good = payment(&network, 1, 0, 0).transaction().clone();
    assert!(good.clone().verify(network.id()).is_ok());
    let other = Network::new(Rules { reward_maturity: 7, ..rules() }).expect("possible");
    let mut forged = good.clone();
    forged.signature.0[0] ^= 1;
    for refused in [forged.verify(network.id()), good.verify(other.id())] {
        assert_eq!(refused.expect_err("refused").rule(), "T4");
    }
}

/// The last comes first.
#[test]
fn behaviour_43_payments_in_any_order_end_up_in_one_block() {
    let mut world = rich_world(1);
    for sequence in [3, 1, 2, 0] {
        let paid = payment(&world.network, 1, sequence, 0);
        world.submit(2, paid);
        world.run(Duration::from_millis(50));
    }
    world.run(SECOND);
    let block = world.mine(1);
    let sequences: Vec<_> =
        block.payments().iter().map(|one| one.payment().sequence.get()).collect();
    assert_eq!(sequences, [0, 1, 2, 3]);
}

#[test]
fn rule_n7_a_new_link_brings_what_waits_on_the_other_side() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(10);
    let mut world = World::new(&network);
    world.add_node_with(settings(0, false), &chain.blocks);
    for sequence in (0..60).rev() {
        world.submit(0, payment(&network, 1, sequence, 0));
    }
    world.run(SECOND);
    let waiting = world.node(0).counters().mempool;
    // In reverse order, only 16 and the one that is ready find room at first.
    for sequence in 0..60 {
        world.submit(0, payment(&network, 1, sequence, 0));
    }
    assert!(waiting < 60 && world.node(0).counters().mempool == 60);

    // A late joiner knows nothing of the account until it has caught up.
    let late = world.add_node(false);
    world.link(0, late);
    world.run(SECOND);
    assert_eq!(world.tip(late), chain.tip());
    assert_eq!(world.node(late).counters().mempool, 60);
    assert_eq!(world.node(late).counters().links, 1);
}

/// Ids are in no useful order: an account's last payments come with its first ones, and more of
/// them than may be parked.
#[test]
fn a_large_mempool_comes_over_a_new_link_whole() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(1);
    for owner in 2..=30 {
        chain = chain.branch(owner, chain.blocks.len());
        chain.grow(1);
    }
    let mut world = World::new(&network);
    world.add_node_with(settings(0, false), &chain.blocks);
    let sign = |owner: u8, sequence: u32| {
        let payment = Payment {
            amount: micros(1),
            sequence: Sequence::from(sequence),
            ..payment(&network, owner, 0, 0).payment().clone()
        };
        key(owner).sign(payment, network.id())
    };
    let sign = &sign;
    let signed = (1..=30).flat_map(|owner| (0..64).map(move |sequence| sign(owner, sequence)));
    for one in Transaction::verify_all(signed.collect(), network.id()).expect("valid") {
        world.submit(0, one);
    }
    let late = world.add_node_with(settings(1, false), &chain.blocks);
    world.link(0, late);
    world.run(3 * SECOND);
    assert_eq!(world.node(0).counters().mempool, 1_920);
    assert_eq!(world.node(late).counters().mempool, 1_920);
    assert_eq!(world.node(late).counters().questions, 0);
}

#[test]
fn behaviour_48_a_payment_that_nobody_mines_expires() {
    let mut world = World::of_miners(&network(), 1);
    world.mine(0);
    let paid = payment(&world.network, 1, 0, 0);
    world.submit(0, paid);
    world.run(SECOND);
    for _ in 0..24 {
        assert_eq!(world.node(0).counters().mempool, 1);
        world.run(3_600 * SECOND);
    }
    assert_eq!(world.node(0).counters().mempool, 0);
}
