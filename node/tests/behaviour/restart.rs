//! What a node knows from an earlier run.

use std::time::Duration;

use cairn_ledger::Ledger;
use cairn_node::{Input, Node, Output, PeerId, Verified};
use cairn_protocol::VerifiedBlock;
use cairn_protocol::messages::Request;

use crate::forge::{Forge, network, start};
use crate::world::settings;

/// The run before ended after the headers had come, and before the blocks.
#[test]
fn blocks_whose_headers_are_known_from_an_earlier_run_are_asked_for() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(2);
    let mut ledger = Ledger::in_memory(&network).expect("memory");
    let now = chain.ledger.tip().time;
    assert_eq!(ledger.add_headers(&chain.headers(), now).expect("memory").new, 2);
    let mut node = Node::new(ledger, settings(0, true), now.max(start()));
    let now = now.max(start());

    let mut outputs = node.handle(now, Input::Tick);
    outputs
        .extend(node.handle(now, Input::LinkUp { peer: PeerId(1), status: chain.status(9, now) }));
    assert!(!node.is_level(), "blocks are missing");
    let wanted: Vec<_> = chain.blocks.iter().map(VerifiedBlock::block_ref).collect();
    let asked = outputs.iter().find_map(|output| match output {
        Output::Ask { question, request: Request::Blocks(places), .. } => Some((*question, places)),
        _ => None,
    });
    let (question, places) =
        asked.unwrap_or_else(|| panic!("no blocks are asked for: {outputs:?}"));
    assert_eq!(**places, *wanted);
    node.handle(now, Input::Answered { question, answer: Verified::Blocks(chain.blocks.clone()) });
    assert_eq!(node.tip().block, chain.tip());
    assert!(node.is_level());
}

/// Between its making and its first input, a node takes in what waited, which may take long.
#[test]
fn rule_n12_a_miner_that_was_slow_to_start_waits_for_others_all_the_same() {
    let ledger = Ledger::in_memory(&network()).expect("memory");
    let mut node = Node::new(ledger, settings(0, true), start());
    let begun = start().after(Duration::from_secs(10));
    let mut mines_after = |millis| {
        let outputs = node.handle(begun.after(Duration::from_millis(millis)), Input::Tick);
        outputs.iter().any(|output| matches!(output, Output::Mine(_)))
    };
    assert!(!mines_after(0));
    assert!(!mines_after(1_999));
    assert!(mines_after(2_000));
}
