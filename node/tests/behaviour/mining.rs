//! Templates, when to rest, and what a node says of itself.

use std::time::Duration;

use cairn_node::{Event, Input, Output, RestReason};
use cairn_protocol::messages::{Announcement, Datagram, InstanceId};
use cairn_protocol::{
    AccountId, Memo, Network, Payment, Rules, Sequence, Timestamp, VerifiedTransaction,
};
use proptest::prelude::*;

use crate::forge::{Forge, SECOND, key, micros, network, payment, rules, start};
use crate::player::Player;
use crate::world::{World, settings, solve};

fn seconds_after(times: &[Timestamp], first: Timestamp) -> Vec<f64> {
    times.iter().map(|time| time.since(first).as_secs_f64()).collect()
}

#[test]
fn a_node_without_an_account_for_rewards_does_not_mine() {
    let mut world = World::new(&network());
    world.add_node(false);
    world.run(30 * SECOND);
    let rests = |player: &Player| {
        player.outputs().filter(|output| matches!(output, Output::Rest(_))).count()
    };
    assert_eq!(world.player(0).rests(), Some(&RestReason::NotMining));
    assert_eq!(rests(world.player(0)), 1, "it is said once");
}

#[test]
fn rule_n12_a_joiner_that_hears_nothing_better_mines_after_a_second() {
    let mut world = World::of_miners(&network(), 1);
    let joiner = world.add_node(true);
    world.run(SECOND);
    assert_eq!(world.player(joiner).rests(), Some(&RestReason::Joining));
    world.run(Duration::from_millis(1));
    assert_eq!(world.player(joiner).rests(), None);
}

#[test]
fn a_template_is_renewed_for_a_tip_at_once_for_payments_each_second_and_for_the_time() {
    let mut world = World::of_miners(&network(), 1);
    world.mine(0);
    let since = world.now;
    world.player(0).log.clear();
    for sequence in 0..20 {
        let paid = payment(&world.network, 1, sequence % 9, sequence * 10);
        world.submit(0, paid);
        world.run(Duration::from_millis(100));
    }
    world.run(12 * SECOND);
    let times = seconds_after(&world.player(0).templates(), since);
    assert_eq!(times.len(), 4, "{times:?}");
    assert!(times[0] < 1.0 && times[1] - times[0] >= 1.0, "{times:?}");
    assert!(times[3] - times[2] >= 5.0, "{times:?}");

    world.player(0).log.clear();
    let (before, block) = (world.now, world.mine(0));
    assert_eq!(world.player(0).templates().first(), Some(&before));
    assert_eq!(block.transaction_count(), 10);
    let template = world.player(0).template.clone().expect("it mines");
    assert_eq!(template.header().parent, block.block_ref().hash);
    assert_eq!(template.transaction_count(), 1);
}

#[test]
fn behaviour_50_a_block_of_an_old_template_changes_nothing() {
    let network = network();
    let mut world = World::of_miners(&network, 1);
    let old = world.player(0).template.clone().expect("it mines");
    let tip = world.mine(0).block_ref();
    // Another one of the same height.
    let mut proofs = (0..).map(|nonce| cairn_protocol::Proof { salt: [7; 16], nonce });
    let late = proofs.find_map(|proof| old.seal(proof, &network).ok()).expect("easy");
    world.send(0, Input::Mined(late));
    assert_eq!(world.tip(0), tip);
    let counters = world.node(0).counters();
    assert_eq!((counters.mined, counters.stale), (1, 1));
    let events = world.player(0).events();
    assert_eq!(events.filter(|event| matches!(event, Event::BlockMined { .. })).count(), 1);
}

#[test]
fn a_node_rests_when_it_has_mined_as_many_blocks_as_it_was_to() {
    let network = network();
    let mut world = World::of_miners(&network, 1);
    world.send(0, Input::MineAtMost(2));
    let twin = world.player(0).template.clone().expect("it mines");
    world.mine(0);
    let mut proofs = (0..).map(|nonce| cairn_protocol::Proof { salt: [7; 16], nonce });
    let late = proofs.find_map(|proof| twin.seal(proof, &network).ok()).expect("easy");
    world.send(0, Input::Mined(late));
    assert_eq!(world.player(0).rests(), None, "what came too late does not count");
    world.mine(0);
    assert_eq!(world.player(0).rests(), Some(&RestReason::Enough));
    world.player(0).log.clear();
    world.submit(0, payment(&network, 1, 0, 0));
    world.run(30 * SECOND);
    assert!(world.player(0).templates().is_empty(), "neither payments nor time change that");
}

#[test]
fn the_target_of_a_template_eases_with_time() {
    let moving = Rules {
        difficulty: 1,
        block_interval_seconds: 10,
        half_life_seconds: 20,
        ..Rules::default()
    };
    let mut world = World::of_miners(&Network::new(moving).expect("possible"), 1);
    for _ in 0..12 {
        world.mine(0);
    }
    let target = |world: &mut World| {
        let template = world.player(0).template.clone().expect("it mines");
        template.header().target
    };
    let hard = target(&mut world);
    world.run(300 * SECOND);
    assert_eq!(target(&mut world), hard, "30 intervals of patience");
    world.run(26 * SECOND);
    let easier = target(&mut world);
    assert!(easier > hard);
    let block = world.mine(0);
    assert_eq!(block.header().header().target, easier);
    assert_eq!(world.tip(0), block.block_ref());
}

#[test]
fn rule_n12_a_block_waits_for_as_many_transactions_as_it_needs() {
    let classic = Rules { min_block_transactions: 3, ..rules() };
    let network = Network::new(classic).expect("possible");
    let mut world = World::of_miners(&network, 1);
    world.mine(0);
    let too_few = |have| RestReason::TooFewTransactions { have, need: 3 };
    assert_eq!(world.player(0).rests(), Some(&too_few(1)), "only block 1 is exempt");
    world.submit(0, payment(&network, 1, 0, 0));
    world.run(SECOND);
    assert_eq!(world.player(0).rests(), Some(&too_few(2)));
    world.submit(0, payment(&network, 1, 1, 0));
    world.run(SECOND);
    assert_eq!(world.player(0).rests(), None);
    assert_eq!(world.mine(0).transaction_count(), 3);

    let found = world.node(0).tip().time;
    world.run(599 * SECOND);
    assert_eq!(world.player(0).rests(), Some(&too_few(1)));
    world.run_until(2 * SECOND, |world| world.now >= found.after(600 * SECOND));
    assert_eq!(world.player(0).rests(), None, "no chain dies of too few payments");
    assert_eq!(world.mine(0).transaction_count(), 1);
}

#[test]
fn rule_n1_the_status_is_told_on_each_tip_and_each_interval() {
    let mut world = World::of_miners(&network(), 2);
    world.player(0).log.clear();
    world.run(20 * SECOND);
    assert_eq!(world.player(0).announced().len(), 4);
    world.player(0).log.clear();
    let before = world.now;
    world.mine(0);
    assert_eq!(world.player(0).announced(), [before]);
}

/// Solicited ten times in one second: answered twice, the last time not lost.
#[test]
fn rule_n2_who_is_solicited_tells_its_status_once_a_second() {
    let mut world = World::of_miners(&network(), 2);
    world.mine(0);
    world.run(3 * SECOND);
    world.player(0).log.clear();
    let since = world.now;
    for _ in 0..10 {
        world.send(0, Input::Solicited);
        world.run(Duration::from_millis(90));
    }
    world.run(SECOND);
    assert_eq!(seconds_after(&world.player(0).announced(), since), [0.0, 1.0]);
}

/// Whoever asks in another's name makes nobody send more than it sends itself.
#[test]
fn attack_09_a_flood_of_solicits_gains_nothing() {
    let mut world = World::of_miners(&network(), 1);
    world.player(0).log.clear();
    for _ in 0..1_000 {
        world.send(0, Input::Solicited);
        world.run(Duration::from_millis(10));
    }
    let answers = world.player(0).announced().len();
    assert!((10..=11).contains(&answers), "one a second, not {answers}");
    let length = |announcement| Datagram::new(network().id(), announcement).encode().len();
    let status = world.node(0).status(world.now);
    let solicit = Announcement::solicit(InstanceId([9; 16]));
    assert!(length(Announcement::Status(status)) <= length(solicit));
}

#[test]
fn rule_n2_who_hears_nobody_asks_on() {
    let mut world = World::new(&network());
    world.add_node(false);
    world.run(11 * SECOND);
    let solicits = |world: &mut World| {
        let log = world.player(0).outputs();
        log.filter(|output| matches!(output, Output::Solicit)).count()
    };
    assert_eq!(solicits(&mut world), 3);
    world.add_node(false);
    world.run(30 * SECOND);
    assert_eq!(solicits(&mut world), 3);
}

fn any_payment() -> impl Strategy<Value = (u8, u64, u64, u64, usize)> {
    (1..4_u8, 0..6_u64, 0..40_000_000_u64, 0..3_000_000_u64, 0..300_usize)
}

fn build(network: &Network, spec: (u8, u64, u64, u64, usize)) -> VerifiedTransaction {
    let (from, sequence, amount, fee, memo) = spec;
    let payment = Payment {
        sender: key(from).account(),
        recipient: AccountId([9; 32]),
        amount: micros(amount + 1),
        fee: micros(fee),
        sequence: Sequence::new(sequence).expect("small"),
        memo: Memo::new(vec![0; memo]).expect("fits"),
    };
    key(from).sign(payment, network.id()).verify(network.id()).expect("valid")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// A template always passes its own validation, and takes the best there is.
    #[test]
    fn behaviour_50_every_template_makes_a_valid_block(
        payments in proptest::collection::vec(any_payment(), 0..40),
    ) {
        let network = Network::new(Rules { max_block_bytes: 1_400, ..rules() }).expect("possible");
        let mut chain = Forge::new(&network, 1);
        chain.grow(6);
        for (block, owner) in [(6, 2), (9, 3)] {
            chain = chain.branch(owner, block);
            chain.grow(3);
        }
        let mut world = World::new(&network);
        world.add_node_with(settings(0, true), &chain.blocks);
        world.run(3 * SECOND);
        for spec in payments {
            world.submit(0, build(&network, spec));
        }
        world.run(2 * SECOND);
        let mut waiting = world.node(0).counters().mempool;
        for _ in 0..40 {
            let template = world.player(0).template.clone().expect("it mines");
            let block = solve(&template, &network);
            prop_assert!(block.encoded_len() <= 1_400);
            world.send(0, Input::Mined(block.clone()));
            prop_assert_eq!(world.tip(0), block.block_ref());
            waiting -= block.payments().len();
            prop_assert_eq!(world.node(0).counters().mempool, waiting);
            if block.payments().is_empty() {
                break;
            }
            world.run(SECOND);
        }
        prop_assert!(world.player(0).reader.supply().expect("in memory").is_right());
        prop_assert_eq!(world.player(0).warnings(), [""; 0]);
        // What is left stands behind a gap.
        for left in world.node(0).mempool() {
            let account = world.node(0).ledger().account(&left.payment().sender);
            prop_assert!(left.payment().sequence > account.expect("in memory").sequence);
        }
    }
}

#[test]
fn the_same_inputs_lead_to_the_same_outputs() {
    let mut world = World::of_miners(&network(), 3);
    world.mine(0);
    for sequence in [2, 0, 1] {
        let paid = payment(&world.network, 1, sequence, 3);
        world.submit(1, paid);
    }
    world.cut(&[0], &[1, 2]);
    world.mine(0);
    world.mine(1);
    world.mine(2);
    world.heal();
    world.run(10 * SECOND);
    let player = world.player(0);
    let (inputs, outputs): (Vec<_>, Vec<_>) =
        (player.inputs.clone(), player.outputs().cloned().collect());
    let ledger = cairn_ledger::Ledger::in_memory(&world.network).expect("memory");
    let mut replay = cairn_node::Node::new(ledger, settings(0, true), start());
    let replayed: Vec<_> =
        inputs.into_iter().flat_map(|(now, input)| replay.handle(now, input)).collect();
    assert!(outputs.len() > 20, "{}", outputs.len());
    assert_eq!(replayed, outputs);
}
