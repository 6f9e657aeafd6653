//! A switchboard whose links end in the test.

mod blame;
mod dialling;

use std::net::SocketAddr;

use cairn_ledger::LedgerError;
use cairn_node::{Origin, Verified};
use cairn_protocol::messages::{Message, Request, RequestId, Status, frame};
use tokio::sync::{mpsc, oneshot};

use super::*;
use crate::inbox::{DialFailure, Incoming, NewLink, Opened};
use crate::limits::MAX_LINK_COMMANDS;
use crate::link::LinkEnd;
use crate::server::ServeError;
use crate::testing::{network, payment, settings, status, surroundings};
use crate::udp::BroadcastSocket;

const REQUEST: Request = Request::MempoolIds(None);

struct Board {
    board: Switchboard,
    /// What the tasks that it starts report.
    incoming: mpsc::Receiver<Incoming>,
}

/// A link as its task sees it.
struct TestLink {
    id: LinkId,
    peer: PeerId,
    commands: mpsc::Receiver<Command>,
}

impl Board {
    fn new() -> Self {
        let (around, incoming, _candidates) = surroundings();
        let sender = || {
            let socket = BroadcastSocket::bind("status", 0, false).expect("a free port");
            socket.split().expect("a socket").0
        };
        let broadcast = Broadcast {
            network: network().id(),
            status: sender(),
            transactions: sender(),
            lan: false,
        };
        let settings = Settings { peers: vec!["named.invalid:1".to_owned()], ..settings(0) };
        let instance = status(100, 0).instance;
        let tasks = Handle::current();
        let board = Switchboard::new(instance, &settings, Arc::new(around), broadcast, tasks);
        Self { board, incoming }
    }

    fn hear(&mut self, port: u16, instance: u8) {
        let heard = Incoming::Heard { address: at(port), status: status(instance, port) };
        self.board.receive(heard);
    }

    /// A new link; `None` if it is not wanted.
    fn link(&mut self, opened: Opened, port: u16, status: Status) -> Option<TestLink> {
        let (commands_in, commands) = mpsc::channel(MAX_LINK_COMMANDS);
        let (welcome, mut welcomed) = oneshot::channel();
        let remote = at(port);
        let link = NewLink { opened, remote, status, commands: commands_in, welcome };
        self.board.receive(Incoming::LinkUp(link));
        let (id, peer) = welcomed.try_recv().ok()?;
        Some(TestLink { id, peer, commands })
    }

    /// A link that this peer opened; its server is at the port.
    fn inbound(&mut self, port: u16, instance: u8) -> TestLink {
        self.link(Opened::ByThem, 60_000, status(instance, port)).expect("wanted")
    }

    /// A link that we opened to a peer heard at the port.
    fn found(&mut self, port: u16, instance: u8) -> TestLink {
        self.hear(port, instance);
        let peer = self.peer(port);
        let opened = Opened::ByUs(Goal::Found(peer));
        self.link(opened, port, status(instance, port)).expect("wanted")
    }

    fn peer(&mut self, port: u16) -> PeerId {
        self.board.peer_at(at(port), Instant::now())
    }

    fn inputs(&mut self) -> Vec<Input> {
        std::iter::from_fn(|| self.board.next_input()).collect()
    }

    fn failures(&mut self) -> Vec<(QuestionId, Failure)> {
        let inputs = self.inputs().into_iter();
        inputs
            .filter_map(|input| match input {
                Input::Failed { question, failure } => Some((question, failure)),
                _ => None,
            })
            .collect()
    }
}

impl TestLink {
    fn asked(&mut self) -> Option<QuestionId> {
        match self.commands.try_recv() {
            Ok(Command::Ask { question, .. }) => Some(question),
            _ => None,
        }
    }

    fn sent(&mut self) -> usize {
        std::iter::from_fn(|| self.commands.try_recv().ok()).count()
    }

    fn is_released(&self) -> bool {
        self.commands.is_closed()
    }
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A port where nobody listens.
async fn closed_port() -> u16 {
    let listener = tokio::net::TcpListener::bind(at(0)).await.expect("a port");
    listener.local_addr().expect("bound").port()
}

#[tokio::test]
async fn a_question_is_answered_once_and_only_by_the_link_that_was_asked() {
    let mut test = Board::new();
    let (mut one, two) = (test.inbound(2_001, 1), test.inbound(2_002, 2));
    let question = QuestionId(5);
    test.board.ask(question, one.peer, REQUEST);
    assert_eq!(one.asked(), Some(question));
    test.inputs();
    let answer = Verified::MempoolIds(Vec::new());
    for link in [two.id, one.id, one.id] {
        test.board.receive(Incoming::Answered { link, question, answer: answer.clone() });
    }
    assert_eq!(test.inputs(), [Input::Answered { question, answer }]);
    let failure = Failure::Unreachable;
    test.board.receive(Incoming::Failed { link: one.id, question, failure });
    test.board.receive(Incoming::LinkDown { link: one.id, end: LinkEnd::Released });
    assert_eq!(test.inputs(), [Input::LinkDown { peer: one.peer }]);
}

#[tokio::test]
async fn a_question_to_nobody_fails_at_once_and_to_a_closed_door_once() {
    let mut test = Board::new();
    test.board.ask(QuestionId(1), PeerId(99), REQUEST);
    assert_eq!(test.failures(), [(QuestionId(1), Failure::Unreachable)]);

    let port = closed_port().await;
    let peer = test.peer(port);
    test.board.ask(QuestionId(2), peer, REQUEST);
    assert_eq!(test.failures(), []);
    let told = test.incoming.recv().await.expect("told");
    assert!(matches!(told, Incoming::NotReached { goal: Goal::Found(p), .. } if p == peer));
    test.board.receive(told);
    assert_eq!(test.failures(), [(QuestionId(2), Failure::Unreachable)]);
}

#[tokio::test(start_paused = true)]
async fn a_question_waits_for_a_connection_no_longer_than_for_progress() {
    let mut test = Board::new();
    let peer = test.peer(2_001);
    // As if a connection had just been opened there: no other one is allowed for now.
    assert!(test.board.dials.allow(at(2_001), Instant::now()));
    test.board.ask(QuestionId(1), peer, REQUEST);
    test.board.keep_time();
    assert_eq!(test.failures(), []);
    let mut link = test.inbound(2_001, 1);
    assert_eq!(link.asked(), Some(QuestionId(1)), "a link that comes about is used");

    drop(link);
    test.board.receive(Incoming::LinkDown { link: LinkId(0), end: LinkEnd::Released });
    test.inputs();
    test.board.ask(QuestionId(2), peer, REQUEST);
    tokio::time::sleep_until(test.board.deadline().max(Instant::now() + QUESTION_STALL)).await;
    test.board.keep_time();
    assert_eq!(test.failures(), [(QuestionId(2), Failure::Unreachable)]);
}

#[tokio::test]
async fn questions_of_a_lost_link_go_to_another_one_of_the_same_peer() {
    let mut test = Board::new();
    let mut old = test.inbound(2_001, 1);
    test.board.ask(QuestionId(1), old.peer, REQUEST);
    assert_eq!(old.asked(), Some(QuestionId(1)));
    // The same node again: of two links that it opened, the newer is kept.
    let mut new = test.inbound(2_001, 1);
    assert!(old.is_released());
    assert_eq!(new.asked(), Some(QuestionId(1)));
    let ups = test.inputs().into_iter().filter(|input| matches!(input, Input::LinkUp { .. }));
    assert_eq!(ups.count(), 1, "the node sees one link");
    test.board.receive(Incoming::LinkDown { link: new.id, end: LinkEnd::Released });
    let inputs = test.inputs();
    assert!(matches!(inputs[..], [Input::Failed { .. }, Input::LinkDown { .. }]), "{inputs:?}");
}

#[tokio::test]
async fn rule_n5_a_transaction_goes_to_all_but_the_way_it_came_by() {
    let mut test = Board::new();
    let mut heard = test.found(2_001, 1);
    let mut unheard = test.inbound(2_002, 2);
    let named_up = Opened::ByUs(Goal::Static(0));
    let mut named = test.link(named_up, 2_003, status(3, 2_003)).expect("wanted");
    // Even one that is heard by broadcast: the status may be forged.
    test.hear(2_003, 3);
    let from_unheard = Origin::Link(unheard.peer);
    let cases = [
        (Origin::Own, true, [1, 1, 1]),
        (Origin::Broadcast, false, [0, 1, 1]),
        (from_unheard, true, [0, 0, 1]),
    ];
    for (origin, by_datagram, expected) in cases {
        let delivered = test.board.relay(origin, payment(&network(), 1, 0));
        assert_eq!(delivered.broadcast, by_datagram, "{origin:?}");
        let sent = [&mut heard, &mut unheard, &mut named].map(TestLink::sent);
        assert_eq!(sent, expected, "{origin:?}");
    }
}

#[tokio::test]
async fn rule_n1_a_status_goes_out_on_every_link() {
    let mut test = Board::new();
    let named = Opened::ByUs(Goal::Static(0));
    let mut links = [
        test.found(2_001, 1),
        test.inbound(2_002, 2),
        test.link(named, 2_003, status(3, 2_003)).expect("wanted"),
    ];
    test.board.broadcast_status(status(100, 0));
    for link in &mut links {
        assert!(matches!(link.commands.try_recv(), Ok(Command::Send(_))));
        assert_eq!(link.sent(), 0, "once");
    }
}

#[tokio::test]
async fn a_link_that_takes_no_more_is_lost() {
    let mut test = Board::new();
    let stuck = test.inbound(2_001, 1);
    for _ in 0..MAX_LINK_COMMANDS {
        test.board.broadcast_status(status(100, 0));
    }
    assert_eq!(test.board.link_count(), 1);
    test.board.broadcast_status(status(100, 0));
    assert_eq!(test.board.link_count(), 0);
    assert!(stuck.is_released());
    assert!(test.inputs().contains(&Input::LinkDown { peer: stuck.peer }));
}

#[tokio::test(start_paused = true)]
async fn the_node_is_woken_when_the_clock_was_set_back() {
    let mut test = Board::new();
    test.board.keep_time();
    assert_eq!(test.inputs(), []);
    test.board.clock = clock::now().after(Duration::from_secs(3_600));
    tokio::time::sleep_until(test.board.deadline()).await;
    test.board.keep_time();
    assert_eq!(test.inputs(), [Input::Tick]);
    tokio::time::sleep_until(test.board.deadline()).await;
    test.board.keep_time();
    assert_eq!(test.inputs(), [], "once");
}

#[tokio::test]
async fn a_chain_that_cannot_be_read_for_others_is_told_once() {
    let mut test = Board::new();
    for port in [2_001, 2_002] {
        let link = test.inbound(port, 1);
        let damage = LedgerError::Damaged("/d/chain.db".into(), "a bit flipped".to_owned());
        let end = LinkEnd::Serve(ServeError::Ledger(damage));
        test.board.receive(Incoming::LinkDown { link: link.id, end });
    }
    let warnings = test.board.take_warnings();
    let [Event::Warning { code: "chain_unreadable", message }] = &warnings[..] else {
        panic!("{warnings:?}")
    };
    assert!(message.contains("/d/chain.db is damaged"), "{message}");
}

#[tokio::test]
async fn questions_of_two_links_are_answered_on_their_own() {
    let mut test = Board::new();
    let (mut one, mut two) = (test.inbound(2_001, 1), test.inbound(2_002, 2));
    test.inputs();
    for link in [one.id, two.id] {
        let asked = Incoming::Asked { link, request: RequestId(7), question: REQUEST };
        test.board.receive(asked);
    }
    let requests: Vec<_> = test
        .inputs()
        .into_iter()
        .filter_map(|input| match input {
            Input::Asked { request, .. } => Some(request),
            _ => None,
        })
        .collect();
    let answer = cairn_protocol::messages::Answer::MempoolIds(cairn_protocol::Bounded::default());
    test.board.answer(requests[1], answer.clone());
    assert!(one.commands.try_recv().is_err());
    let command = two.commands.try_recv();
    assert!(matches!(command, Ok(Command::Answer { request: RequestId(7), .. })), "{command:?}");
    test.board.receive(Incoming::LinkDown { link: one.id, end: LinkEnd::Released });
    test.board.answer(requests[0], answer);
    assert!(two.commands.try_recv().is_err());
}

#[tokio::test]
async fn a_static_peer_is_called_at_once_and_named_when_it_is_away() {
    let mut test = Board::new();
    test.board.keep_time();
    let failure = DialFailure::Unreachable("no such host".to_owned());
    test.board.receive(Incoming::NotReached { goal: Goal::Static(0), failure });
    let warnings = test.board.take_warnings();
    let [Event::Warning { code: "peer_unreachable", message }] = &warnings[..] else {
        panic!("{warnings:?}")
    };
    assert!(message.contains("named.invalid:1") && message.contains("no such host"), "{message}");
}

#[test]
fn a_status_frame_is_small() {
    // What MAX_LINK_COMMANDS of them may take.
    let bytes = frame(&Message::Status(status(1, 0))).len() * MAX_LINK_COMMANDS;
    assert!(bytes < crate::limits::MAX_WRITE_BYTES);
}
