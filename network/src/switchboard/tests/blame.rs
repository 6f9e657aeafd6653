//! Who suffers for what somebody did: whoever did it, and nobody else.

use cairn_protocol::TransactionError;

use super::*;
use crate::limits::SHUN_FOR;

fn misbehaved() -> LinkEnd {
    LinkEnd::Misbehaved("a second hello".to_owned())
}

#[tokio::test(start_paused = true)]
async fn rule_n9_who_misbehaves_is_left_alone_for_a_while() {
    let mut test = Board::new();
    let link = test.found(2_001, 200);
    test.board.ask(QuestionId(1), link.peer, REQUEST);
    test.inputs();
    test.board.receive(Incoming::LinkDown { link: link.id, end: misbehaved() });
    assert_eq!(test.failures(), [(QuestionId(1), Failure::Unreachable)]);
    test.hear(2_001, 200);
    test.board.ask(QuestionId(2), link.peer, REQUEST);
    assert_eq!(test.inputs().len(), 1, "its status is not heard, and the question fails");
    tokio::time::sleep(SHUN_FOR).await;
    test.hear(2_001, 200);
    assert!(matches!(test.inputs()[..], [Input::Status { .. }]));
}

#[tokio::test]
async fn an_invalid_transaction_cuts_its_sender_and_nobody_else() {
    let mut test = Board::new();
    let (bad, good) = (test.inbound(2_001, 1), test.inbound(2_002, 2));
    let error = TransactionError::Signature;
    test.board.receive(Incoming::BadTransaction { peer: bad.peer, error });
    assert!(bad.is_released() && !good.is_released());
    assert_eq!(test.board.link_count(), 1);
}

/// It may have named any port, and does not shut out who is there.
#[tokio::test]
async fn rule_n9_who_connected_to_us_shuns_nobody_by_its_misbehaviour() {
    let mut test = Board::new();
    let impostor = test.inbound(2_001, 1);
    test.board.receive(Incoming::LinkDown { link: impostor.id, end: misbehaved() });
    test.inputs();
    test.hear(2_001, 200);
    let honest = test.peer(2_001);
    let heard = Input::Status { peer: honest, status: status(200, 2_001) };
    assert_eq!(test.inputs(), [heard]);
    assert!(test.board.dialling.contains(&honest));
    assert_ne!(
        honest, impostor.peer,
        "what the node holds against one, it does not against the other"
    );
}

#[tokio::test]
async fn rule_n9_a_peer_that_the_node_drops_is_shunned_only_if_we_reached_it() {
    let mut test = Board::new();
    let (theirs, ours) = (test.inbound(2_001, 201), test.found(2_002, 202));
    for link in [&theirs, &ours] {
        test.board.cut(link.peer, "its headers start from nowhere");
        assert!(link.is_released());
    }
    test.inputs();
    test.hear(2_001, 201);
    test.hear(2_002, 202);
    let peer = test.peer(2_001);
    assert_eq!(test.inputs(), [Input::Status { peer, status: status(201, 2_001) }]);
}

#[tokio::test]
async fn rule_n9_who_names_the_port_of_a_linked_peer_is_another_peer() {
    for is_ours in [true, false] {
        let mut test = Board::new();
        let honest = if is_ours { test.found(2_001, 200) } else { test.inbound(2_001, 200) };
        let impostor = test.inbound(2_001, 1);
        assert_ne!(impostor.peer, honest.peer);
        let error = TransactionError::Signature;
        test.board.receive(Incoming::BadTransaction { peer: impostor.peer, error });
        assert!(impostor.is_released() && !honest.is_released());
        test.board.ask(QuestionId(1), honest.peer, REQUEST);
        assert_eq!(test.failures(), []);
    }
}

#[tokio::test]
async fn rule_n9_a_peer_that_we_reach_takes_its_place_from_whoever_named_it() {
    let mut test = Board::new();
    test.hear(2_001, 200);
    let peer = test.peer(2_001);
    let impostor = test.inbound(2_001, 1);
    assert_eq!(impostor.peer, peer, "nobody else was there");
    test.inputs();
    let opened = Opened::ByUs(Goal::Found(peer));
    let honest = test.link(opened, 2_001, status(200, 2_001)).expect("wanted");
    assert!(impostor.is_released() && !honest.is_released());
    let inputs = test.inputs();
    assert!(matches!(inputs[..], [Input::LinkDown { .. }, Input::LinkUp { .. }]), "{inputs:?}");
}

/// A verdict on what it gave may come late.
#[tokio::test]
async fn what_an_impostor_did_is_not_held_against_who_is_reached_at_its_place() {
    let mut test = Board::new();
    test.hear(2_001, 200);
    let impostor = test.inbound(2_001, 1);
    let opened = Opened::ByUs(Goal::Found(impostor.peer));
    let honest = test.link(opened, 2_001, status(200, 2_001)).expect("wanted");
    assert_eq!(test.peer(2_001), honest.peer);
    assert_ne!(honest.peer, impostor.peer);
    test.board.cut(impostor.peer, "it sent an invalid block");
    assert!(!honest.is_released());
}

#[tokio::test]
async fn a_static_peer_that_took_its_place_is_not_called_again() {
    let mut test = Board::new();
    let impostor = test.inbound(2_001, 1);
    let opened = Opened::ByUs(Goal::Static(0));
    let named = test.link(opened, 2_001, status(200, 2_001)).expect("wanted");
    assert!(impostor.is_released() && !named.is_released());
    let far_off = Instant::now() + Duration::from_secs(3_600);
    assert_eq!(test.board.statics.due(far_off), [], "its link stands");
}

/// What a peer that we reached did is held against it although its link is gone by now.
#[tokio::test]
async fn rule_n9_who_closes_in_time_is_shunned_all_the_same() {
    let mut test = Board::new();
    let link = test.found(2_001, 200);
    test.board.receive(Incoming::LinkDown { link: link.id, end: LinkEnd::Released });
    test.board.cut(link.peer, "it sent an invalid block");
    test.inputs();
    test.hear(2_001, 200);
    assert_eq!(test.inputs(), []);
}
