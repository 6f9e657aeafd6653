//! Whom we connect to, when, and how often.

use cairn_protocol::NetworkId;

use super::*;
use crate::limits::MAX_DIALS_PER_ADDRESS;

#[tokio::test]
async fn rule_n10_statuses_lead_to_no_more_links_than_there_are_places() {
    let mut test = Board::new();
    for (port, instance) in (2_000..2_008).zip(1..) {
        test.found(port, instance);
    }
    test.hear(2_100, 200);
    assert!(test.board.dialling.is_empty());
    assert_eq!(test.board.heard(), 9);
}

/// Whoever fills the places for those that were heard of, leaves the user's own choice alone.
#[tokio::test]
async fn rule_n10_peers_that_the_user_named_come_on_top() {
    let mut test = Board::new();
    let mut links: Vec<_> =
        (2_000..2_008).zip(1..).map(|(port, instance)| test.found(port, instance)).collect();
    assert!(!test.board.has_place());
    let named = Opened::ByUs(Goal::Static(0));
    links.push(test.link(named, 2_100, status(50, 2_100)).expect("wanted"));
    assert!(!links.iter().any(TestLink::is_released));
    assert_eq!(test.board.link_count(), 9);
}

#[tokio::test]
async fn a_question_gets_a_place_from_the_least_useful_link() {
    let mut test = Board::new();
    let mut links: Vec<_> =
        (2_000..2_008).zip(1..).map(|(port, instance)| test.found(port, instance)).collect();
    assert!(!test.board.has_place());
    test.board.ask(QuestionId(1), links[0].peer, REQUEST);
    assert!(links[0].asked().is_some());
    let target = test.peer(closed_port().await);
    test.board.ask(QuestionId(2), target, REQUEST);
    assert!(test.board.dialling.contains(&target));
    let released: Vec<_> = links.iter().map(TestLink::is_released).collect();
    assert_eq!(released.iter().filter(|released| **released).count(), 1);
    assert!(released[1], "the oldest of those that are not asked anything");
}

#[tokio::test]
async fn rule_d7_while_a_link_stands_broadcasts_in_its_name_are_not_believed() {
    let mut test = Board::new();
    let link = test.inbound(2_001, 1);
    test.inputs();
    test.hear(2_001, 1);
    assert_eq!(test.inputs(), []);
    test.board.receive(Incoming::LinkStatus { link: link.id, status: status(1, 2_001) });
    assert!(matches!(test.inputs()[..], [Input::Status { peer, .. }] if peer == link.peer));
    test.board.receive(Incoming::LinkDown { link: link.id, end: LinkEnd::Released });
    test.inputs();
    test.hear(2_001, 1);
    assert!(matches!(test.inputs()[..], [Input::Status { .. }]), "now it is looked at");
}

#[tokio::test(start_paused = true)]
async fn rule_d8_the_smaller_instance_connects_first_the_other_half_an_interval_later() {
    let mut test = Board::new();
    test.hear(2_001, 200);
    let peer = test.peer(2_001);
    assert!(test.board.dialling.contains(&peer), "we are 100");
    test.hear(2_002, 50);
    let peer = test.peer(2_002);
    assert!(!test.board.dialling.contains(&peer));
    let patience = test.board.status_interval / 2;
    tokio::time::sleep(patience * 99 / 100).await;
    test.hear(2_002, 50);
    assert!(!test.board.dialling.contains(&peer), "it has half an interval");
    tokio::time::sleep(patience / 100).await;
    test.hear(2_002, 50);
    assert!(test.board.dialling.contains(&peer), "it had its time");
}

#[tokio::test]
async fn a_peer_that_is_being_connected_to_is_not_forgotten_in_a_flood_of_forged_ones() {
    let mut test = Board::new();
    test.hear(2_000, 200);
    let peer = test.peer(2_000);
    assert!(test.board.dialling.contains(&peer));
    for port in 3_000..6_000 {
        test.hear(port, 50);
    }
    let opened = Opened::ByUs(Goal::Found(peer));
    let link = test.link(opened, 2_000, status(200, 2_000)).expect("wanted");
    assert_eq!((link.peer, test.peer(2_000)), (peer, peer), "it is still the same one");
}

#[tokio::test]
async fn a_server_is_found_where_a_node_without_one_connected_from() {
    let mut test = Board::new();
    let wallet = test.link(Opened::ByThem, 40_000, status(200, 0)).expect("wanted");
    test.board.receive(Incoming::LinkDown { link: wallet.id, end: LinkEnd::Released });
    test.hear(40_000, 201);
    let peer = test.peer(40_000);
    assert!(test.board.dialling.contains(&peer));
}

#[tokio::test]
async fn rule_d6_a_link_that_stands_is_used_instead_of_a_new_connection() {
    let mut test = Board::new();
    let mut link = test.inbound(2_001, 200);
    for question in 0..3 {
        test.hear(2_001, 200);
        test.board.ask(QuestionId(question), link.peer, REQUEST);
        assert_eq!(link.asked(), Some(QuestionId(question)));
    }
    assert!(test.board.dialling.is_empty());
}

/// A forger can invent as many networks as it likes.
#[tokio::test]
async fn rule_d6_nodes_of_foreign_networks_share_them_too() {
    let mut test = Board::new();
    for (port, number) in (3_000..).zip(1..8) {
        let network = NetworkId([number; 32]);
        test.board.receive(Incoming::Foreign { address: at(port), network });
    }
    assert!(test.board.dials.allow(at(4_000), Instant::now()), "one is left");
    test.hear(2_000, 200);
    assert!(test.board.dialling.is_empty());
}

#[tokio::test]
async fn rule_d6_statuses_and_questions_share_the_connections_of_an_interval() {
    let mut test = Board::new();
    for port in 2_000..2_004 {
        test.hear(port, 200);
    }
    let asked: Vec<_> = (3_000..3_020).map(|port| test.peer(port)).collect();
    test.board.dialling.clear();
    for (number, peer) in (0..).zip(asked) {
        test.board.ask(QuestionId(number), peer, REQUEST);
    }
    assert_eq!(test.board.dialling.len(), MAX_DIALS_PER_ADDRESS - 4);
}
