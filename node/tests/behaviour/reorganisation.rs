//! What a reorganisation makes of the payments that wait and of those that were in blocks.

use cairn_node::AdmitError;
use cairn_protocol::{Network, Payment, Rules, Sequence, Transaction, VerifiedTransaction};

use crate::forge::{Forge, SECOND, key, micros, network, payment, rules, start};
use crate::puppet::honest;
use crate::world::{World, settings};

/// A miner on three blocks of account 1 that had a branch of its own: a block with payments 0 and 1
/// of that account, behind which payment 2 waited, of money that only this branch has. The other
/// branch, which won, has payment 0, too.
fn reorganised() -> World {
    let network = network();
    let mut common = Forge::new(&network, 1);
    common.grow(3);
    let mut world = World::new(&network);
    world.add_node_with(settings(0, true), &common.blocks);
    world.add_node_with(settings(1, true), &common.blocks);
    world.run(3 * SECOND);
    world.cut(&[0], &[1]);

    world.submit(0, payment(&network, 1, 0, 0));
    world.submit(0, payment(&network, 1, 1, 0));
    world.run(2 * SECOND);
    assert_eq!(world.mine(0).transaction_count(), 3);
    world.submit(0, too_dear(&network));
    world.run(2 * SECOND);
    assert_eq!(world.node(0).counters().mempool, 1);

    world.submit(1, payment(&network, 1, 0, 0));
    world.run(2 * SECOND);
    world.mine(1);
    world.mine(1);
    world.heal();
    world.run(6 * SECOND);
    assert_eq!(world.tip(0), world.tip(1));
    world
}

/// Three rewards do not pay for it, four do.
fn too_dear(network: &Network) -> VerifiedTransaction {
    let spent =
        Payment { amount: micros(37_000_000), ..payment(network, 1, 2, 0).payment().clone() };
    key(1).sign(spent, network.id()).verify(network.id()).expect("valid")
}

fn waiting(world: &World) -> Vec<VerifiedTransaction> {
    world.node(0).mempool().cloned().collect()
}

#[test]
fn behaviour_44_what_the_new_branch_has_leaves_the_pool() {
    let world = reorganised();
    assert!(!waiting(&world).contains(&payment(&world.network, 1, 0, 0)));
}

#[test]
fn behaviour_45_what_only_the_old_branch_had_returns_and_is_mined() {
    let mut world = reorganised();
    let returned = [payment(&world.network, 1, 1, 0)];
    assert_eq!(waiting(&world), returned);
    assert_eq!(world.mine(0).payments(), returned);
}

#[test]
fn behaviour_46_what_the_new_branch_cannot_pay_for_leaves_the_pool() {
    let world = reorganised();
    assert!(!waiting(&world).contains(&too_dear(&world.network)));
}

#[test]
fn attack_14_a_payment_of_both_branches_counts_once_and_cannot_be_replayed() {
    let mut world = reorganised();
    let (network, now) = (world.network.clone(), world.now);
    let account = world.node(0).ledger().account(&key(1).account()).expect("in memory");
    assert_eq!(account.sequence, Sequence::from(1_u32));
    let replayed = world.player(0).node.admit(now, payment(&network, 1, 0, 0));
    assert!(matches!(replayed, Err(AdmitError::Refused(error)) if error.rule() == "M1"));
    assert_eq!(world.mine(0).payments(), [payment(&network, 1, 1, 0)]);
}

#[test]
fn attack_15_a_payment_of_a_reward_that_is_gone_leaves_the_pool_and_the_chain() {
    let mut world = reorganised();
    let gone = too_dear(&world.network);
    for _ in 0..3 {
        assert!(!world.mine(0).payments().contains(&gone));
    }
}

/// The payer mined on the old branch only, so what had matured there is not on the new one.
#[test]
fn attack_15_a_payment_of_a_reward_that_is_mature_on_one_branch_only_leaves_the_pool() {
    let network = Network::new(Rules { reward_maturity: 3, ..rules() }).expect("possible");
    let mut common = Forge::new(&network, 2);
    common.grow(3);
    let (mut ours, mut theirs) = (common.branch(1, 3), common.branch(2, 3));
    ours.grow(4);
    theirs.grow(6);
    let mut world = World::new(&network);
    world.add_node_with(settings(0, true), &ours.blocks);
    world.run(3 * SECOND);
    world.submit(0, payment(&network, 1, 0, 0));
    assert_eq!(waiting(&world).len(), 1, "block 7 has credited the reward of block 4");
    let puppet = world.add_puppet(honest(&theirs));
    world.say(puppet, 0, theirs.status(200, world.now));
    world.run(SECOND);
    assert_eq!(world.tip(0), theirs.tip());
    assert_eq!(waiting(&world), []);
    assert_eq!(world.mine(0).payments(), []);
}

#[test]
fn a_deep_reorganisation_returns_only_so_many_payments() {
    let network = network();
    let mut ours = Forge::new(&network, 1);
    ours.grow(1);
    let sign = |sequence: u32| {
        let payment = Payment {
            amount: micros(1),
            sequence: Sequence::from(sequence),
            ..payment(&network, 1, 0, 0).payment().clone()
        };
        key(1).sign(payment, network.id())
    };
    for block in 0..3 {
        let signed = (3_400 * block..3_400 * (block + 1)).map(sign).collect();
        let verified = Transaction::verify_all(signed, network.id()).expect("valid");
        ours.add(start(), &verified);
    }
    let mut theirs = ours.branch(2, 1);
    theirs.grow(4);
    let mut world = World::new(&network);
    world.add_node_with(settings(0, false), &ours.blocks);
    let puppet = world.add_puppet(honest(&theirs));
    world.say(puppet, 0, theirs.status(200, start()));
    world.run(SECOND);
    assert_eq!(world.tip(0), theirs.tip());
    let counters = world.node(0).counters();
    assert_eq!(counters.admitted + counters.refused, 10_000);
    assert_eq!(counters.mempool, 64, "as many as an account may have");
}
