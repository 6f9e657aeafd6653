//! A link against a hand-made peer, with the test in the driver's place.

mod load;
mod misbehaviour;
mod patience;

use std::net::SocketAddr;

use cairn_protocol::messages::Hello;
use cairn_protocol::{Bounded, TransactionId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;
use crate::connect::accept_links;
use crate::inbox::Opened;
use crate::intake::Candidate;
use crate::limits::MAX_LINK_COMMANDS;
use crate::testing::{child, network, payment, status, surroundings};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A node without a driver: the test is the driver.
struct Undriven {
    address: SocketAddr,
    incoming: mpsc::Receiver<Incoming>,
    candidates: mpsc::Receiver<Candidate>,
}

impl Undriven {
    async fn new() -> Self {
        Self::with_silence(Duration::from_secs(30)).await
    }

    async fn with_silence(silence: Duration) -> Self {
        let (around, incoming, candidates) = surroundings();
        let around = Surroundings { silence, ..around };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(accept_links(listener, Arc::new(around)));
        Self { address, incoming, candidates }
    }

    async fn next(&mut self) -> Incoming {
        let wait = timeout(PATIENCE, self.incoming.recv());
        wait.await.expect("in time").expect("tasks run")
    }

    /// The next link, welcomed under this number.
    async fn welcome(&mut self, id: u64) -> mpsc::Sender<Command> {
        let Incoming::LinkUp(link) = self.next().await else { panic!("no link") };
        assert_eq!(link.opened, Opened::ByThem);
        link.welcome.send((LinkId(id), PeerId(id))).expect("the task waits");
        link.commands
    }

    async fn end(&mut self) -> LinkEnd {
        match self.next().await {
            Incoming::LinkDown { end, .. } => end,
            other => panic!("{other:?}"),
        }
    }
}

/// A hand-made peer.
struct Peer {
    stream: TcpStream,
}

impl Peer {
    async fn connect(address: SocketAddr) -> Self {
        let mut peer = Self::silent(address).await;
        let hello = Hello::new(network().rules().clone(), status(2, 0));
        peer.send(&Message::Hello(hello)).await;
        assert!(matches!(peer.receive().await, Message::Hello(_)));
        peer
    }

    async fn silent(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.expect("accepted") }
    }

    async fn send(&mut self, message: &Message) {
        self.stream.write_all(&frame(message)).await.expect("sent");
    }

    async fn receive(&mut self) -> Message {
        // One frame at a time: the reader must not swallow what comes after it.
        let mut prefix = [0; 4];
        self.stream.read_exact(&mut prefix).await.expect("a prefix");
        let length = usize::try_from(u32::from_le_bytes(prefix)).expect("small");
        let mut content = vec![0; length];
        self.stream.read_exact(&mut content).await.expect("a content");
        Message::decode(&content).expect("a message")
    }

    async fn sees_the_end(mut self) -> bool {
        let mut rest = Vec::new();
        timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await.is_ok()
    }
}

fn ask(question: u64, request: Request) -> Command {
    let deadline = Instant::now() + crate::limits::QUESTION_TIMEOUT;
    Command::Ask { question: QuestionId(question), request, deadline }
}

fn headers_request() -> Request {
    Request::Headers(Bounded::default())
}

#[tokio::test]
async fn a_link_carries_statuses_transactions_questions_and_answers() {
    let mut node = Undriven::new().await;
    let mut peer = Peer::connect(node.address).await;
    let commands = node.welcome(4).await;

    peer.send(&Message::Status(status(2, 0))).await;
    let told = node.next().await;
    assert!(matches!(told, Incoming::LinkStatus { link: LinkId(4), .. }), "{told:?}");

    peer.send(&Message::Transaction(payment(&network(), 1, 0))).await;
    assert!(node.candidates.recv().await.is_some());

    peer.send(&Message::Request(RequestId(9), Request::MempoolIds(None))).await;
    let told = node.next().await;
    assert!(matches!(told, Incoming::Asked { request: RequestId(9), .. }), "{told:?}");
    let answer = Answer::MempoolIds(Bounded::default());
    let command = Command::Answer { request: RequestId(9), answer: answer.clone() };
    commands.send(command).await.expect("the task runs");
    assert_eq!(peer.receive().await, Message::Answer(RequestId(9), answer));

    peer.send(&Message::Request(RequestId(10), headers_request())).await;
    let none = Answer::Headers(Bounded::default());
    assert_eq!(peer.receive().await, Message::Answer(RequestId(10), none));

    commands.send(ask(77, headers_request())).await.expect("the task runs");
    let asked = peer.receive().await;
    let Message::Request(id, Request::Headers(_)) = asked else { panic!("{asked:?}") };
    let first = child(&network(), network().genesis_ref());
    let headers = Answer::Headers(Bounded::first([*first.header().sealed()]));
    peer.send(&Message::Answer(id, headers)).await;
    let told = node.next().await;
    let Incoming::Answered { question, answer, .. } = told else { panic!("{told:?}") };
    assert_eq!(question, QuestionId(77));
    assert_eq!(answer, Verified::Headers(vec![*first.header()]));

    commands.send(Command::Send(frame(&Message::Status(status(1, 5))).into())).await.expect("runs");
    assert_eq!(peer.receive().await, Message::Status(status(1, 5)));
    drop(commands);
    assert!(matches!(node.end().await, LinkEnd::Released));
    assert!(peer.sees_the_end().await);
}

#[tokio::test]
async fn rule_l1_a_hello_comes_at_once_and_nothing_else_before_theirs() {
    let node = Undriven::new().await;
    let mut peer = Peer::silent(node.address).await;
    assert!(matches!(peer.receive().await, Message::Hello(_)));
    let further = timeout(Duration::from_millis(50), peer.stream.read_u8()).await;
    assert!(further.is_err(), "{further:?}");
    assert!(node.incoming.is_empty(), "it is no link yet");
}

#[tokio::test]
async fn a_link_that_is_let_go_writes_what_it_was_handed() {
    let mut node = Undriven::new().await;
    let mut peer = Peer::connect(node.address).await;
    let commands = node.welcome(1).await;
    // More than sockets hold: most of it waits to be written when the link is let go.
    let count = MAX_LINK_COMMANDS - 1;
    let answer = Answer::MempoolIds(Bounded::first([TransactionId([7; 32]); 30]));
    let message = Message::Answer(RequestId(0), answer);
    let large: Frame = frame(&message).into();
    for _ in 0..count {
        commands.try_send(Command::Send(large.clone())).expect("room");
    }
    drop(commands);
    for _ in 0..count {
        assert_eq!(peer.receive().await, message);
    }
    assert!(peer.sees_the_end().await);
    assert!(matches!(node.end().await, LinkEnd::Released));
}

#[tokio::test]
async fn a_link_that_the_driver_does_not_want_is_closed() {
    let mut node = Undriven::new().await;
    let peer = Peer::connect(node.address).await;
    let Incoming::LinkUp(link) = node.next().await else { panic!("no link") };
    drop(link.welcome);
    assert!(peer.sees_the_end().await);
}
