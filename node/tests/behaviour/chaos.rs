//! Whatever happens to a network, first nobody believes anything wrong, and then, once it is
//! whole again, all agree.

use std::time::Duration;

use cairn_node::Output;
use proptest::prelude::*;

use crate::forge::{SECOND, network, payment};
use crate::world::World;

const NODES: usize = 4;

/// What can happen.
#[derive(Clone, Debug)]
enum Step {
    Mine(usize),
    /// A payment of a node's account, with this sequence, given to another node.
    Pay {
        owner: u8,
        to: usize,
        sequence: u64,
        fee: u64,
    },
    /// The nodes whose bit is set are cut off from the others.
    Cut(u8),
    Heal,
    Link(usize, usize),
    Skew {
        node: usize,
        seconds: i64,
    },
    Run {
        millis: u64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..NODES).prop_map(Step::Mine),
        6 => (1..=4_u8, 0..NODES, 0..6_u64, 0..9_u64)
            .prop_map(|(owner, to, sequence, fee)| Step::Pay { owner, to, sequence, fee }),
        2 => (1..15_u8).prop_map(Step::Cut),
        2 => Just(Step::Heal),
        1 => (0..NODES, 1..NODES).prop_map(|(a, off)| Step::Link(a, (a + off) % NODES)),
        1 => (0..NODES, -300..300_i64).prop_map(|(node, seconds)| Step::Skew { node, seconds }),
        6 => (0..4_000_u64).prop_map(|millis| Step::Run { millis }),
    ];
    proptest::collection::vec(step, 10..60)
}

fn take(world: &mut World, step: &Step) {
    let network = world.network.clone();
    match *step {
        Step::Mine(index) => {
            if world.player(index).template.is_some() {
                world.mine(index);
            }
        }
        Step::Pay { owner, to, sequence, fee } => {
            world.submit(to, payment(&network, owner, sequence, fee));
        }
        Step::Cut(mask) => {
            let (left, right): (Vec<_>, Vec<_>) =
                (0..NODES).partition(|index| mask & (1 << index) != 0);
            world.cut(&left, &right);
        }
        Step::Heal => world.heal(),
        Step::Link(a, b) => world.link(a, b),
        Step::Skew { node, seconds } => world.skew(node, seconds),
        Step::Run { millis } => world.run(Duration::from_millis(millis)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_agree_in_the_end(steps in steps()) {
        let mut world = World::of_miners(&network(), NODES);
        for step in &steps {
            take(&mut world, step);
        }
        world.heal();
        for index in 0..NODES {
            world.skew(index, 0);
        }
        // Long enough for what lay in the future, and for those who were left alone for a while.
        world.run(700 * SECOND);
        world.mine(0);
        world.run(10 * SECOND);
        let tip = world.tip(0);
        for index in 0..NODES {
            prop_assert_eq!(world.tip(index), tip);
            prop_assert!(world.node(index).is_level());
            let player = world.player(index);
            prop_assert!(player.reader.supply().expect("in memory").is_right());
            prop_assert_eq!(player.dropped(), [0; 0]);
            prop_assert!(player.warnings().iter().all(|code| *code == "clock_off"));
            prop_assert!(player.template.is_some());
            let halted = player.outputs().any(|output| matches!(output, Output::Halt { .. }));
            prop_assert!(!halted);
        }
    }
}
