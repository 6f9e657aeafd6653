//! A link against a hand-made peer, with the test in the driver's place.

use std::net::SocketAddr;
use std::time::Instant as WallInstant;

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
        let wait = timeout(Duration::from_secs(20), self.incoming.recv());
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
        timeout(Duration::from_secs(20), self.stream.read_to_end(&mut rest)).await.is_ok()
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
async fn what_no_honest_node_sends_cuts_the_link() {
    let hello = Hello::new(network().rules().clone(), status(2, 0));
    let cases = [
        (frame(&Message::Hello(hello)), "a second hello"),
        (frame(&Message::Status(status(3, 0))), "a status of another node"),
        (
            frame(&Message::Answer(RequestId(0), Answer::MempoolIds(Bounded::default()))),
            "an answer that was not asked for",
        ),
        (u32::MAX.to_le_bytes().to_vec(), "a frame of 4294967295 bytes"),
        (vec![5, 0, 0, 0, 9, 9, 9, 9, 9], "malformed"),
    ];
    let mut node = Undriven::new().await;
    for (bytes, text) in cases {
        let mut peer = Peer::connect(node.address).await;
        let _commands = node.welcome(1).await;
        peer.stream.write_all(&bytes).await.expect("sent");
        let end = node.end().await;
        assert!(end.is_misbehaviour() && end.to_string().contains(text), "{end}");
        assert!(peer.sees_the_end().await);
    }
}

#[tokio::test]
async fn a_bad_answer_fails_its_question_and_cuts_the_link() {
    let mut node = Undriven::new().await;
    let mut peer = Peer::connect(node.address).await;
    let commands = node.welcome(1).await;
    commands.send(ask(5, headers_request())).await.expect("the task runs");
    let Message::Request(id, _) = peer.receive().await else { panic!("no question") };
    let genesis = *network().genesis();
    peer.send(&Message::Answer(id, Answer::Headers(Bounded::first([genesis])))).await;
    let told = node.next().await;
    let Incoming::Failed { question, failure, .. } = told else { panic!("{told:?}") };
    assert_eq!(question, QuestionId(5));
    assert_eq!(failure, Failure::Misbehaved("header: a second genesis block".to_owned()));
    assert!(node.end().await.is_misbehaviour());
    assert!(peer.sees_the_end().await);
}

#[tokio::test]
async fn rule_l5_a_stalled_question_fails_and_its_late_answer_is_ignored() {
    let mut node = Undriven::new().await;
    let mut peer = Peer::connect(node.address).await;
    let commands = node.welcome(1).await;
    let asked = WallInstant::now();
    commands.send(ask(5, Request::MempoolIds(None))).await.expect("the task runs");
    let Message::Request(id, _) = peer.receive().await else { panic!("no question") };
    let told = node.next().await;
    let Incoming::Failed { failure, .. } = told else { panic!("{told:?}") };
    assert_eq!(failure, Failure::Unreachable);
    assert!(asked.elapsed() >= crate::limits::QUESTION_STALL);
    let answer = Answer::MempoolIds(Bounded::default());
    peer.send(&Message::Answer(id, answer.clone())).await;
    peer.send(&Message::Answer(id, answer)).await;
    let end = node.end().await;
    assert!(end.to_string().contains("not asked for"), "only the first is excused: {end}");
}

#[tokio::test]
async fn a_silent_link_is_closed() {
    let mut node = Undriven::with_silence(Duration::from_millis(200)).await;
    let peer = Peer::connect(node.address).await;
    let _commands = node.welcome(1).await;
    assert!(matches!(node.end().await, LinkEnd::Silent(_)));
    assert!(peer.sees_the_end().await);
}

#[tokio::test]
async fn attack_20_idle_and_greedy_clients_block_nobody() {
    let mut node = Undriven::new().await;
    let mut idle = Vec::new();
    for _ in 0..10 {
        idle.push(Peer::silent(node.address).await);
    }
    // It asks and asks, and reads nothing.
    let mut greedy = Peer::connect(node.address).await;
    let _greedy_commands = node.welcome(1).await;
    for number in 0..100 {
        greedy.send(&Message::Request(RequestId(number), headers_request())).await;
    }
    let mut peer = Peer::connect(node.address).await;
    let _commands = node.welcome(2).await;
    peer.send(&Message::Request(RequestId(1), headers_request())).await;
    let answer = timeout(Duration::from_secs(5), peer.receive()).await.expect("in time");
    assert!(matches!(answer, Message::Answer(RequestId(1), _)));
}

#[tokio::test]
async fn rule_l4_at_most_four_questions_of_a_link_are_taken_at_a_time() {
    let mut node = Undriven::new().await;
    let mut peer = Peer::connect(node.address).await;
    let commands = node.welcome(1).await;
    for number in 0..10 {
        peer.send(&Message::Request(RequestId(number), Request::MempoolIds(None))).await;
    }
    for number in 0..10 {
        let told = node.next().await;
        let Incoming::Asked { request, .. } = told else { panic!("{told:?}") };
        assert_eq!(request, RequestId(number));
        if number >= 3 {
            let further = timeout(Duration::from_millis(20), node.incoming.recv()).await;
            assert!(further.is_err() || number == 9, "{further:?}");
            let answer = Answer::MempoolIds(Bounded::default());
            let command = Command::Answer { request: RequestId(number - 3), answer };
            commands.send(command).await.expect("the task runs");
        }
    }
}

/// Four answers are owed and more are asked for; what comes behind those questions is read.
#[tokio::test]
async fn rule_l4_answers_to_us_do_not_wait_for_those_that_we_owe() {
    let mut node = Undriven::new().await;
    let mut peer = Peer::connect(node.address).await;
    let commands = node.welcome(1).await;
    let owed = u32::try_from(MAX_ANSWERING + MAX_WAITING - 1).expect("few");
    for number in 0..owed {
        peer.send(&Message::Request(RequestId(number), Request::MempoolIds(None))).await;
    }
    commands.send(ask(5, headers_request())).await.expect("the task runs");
    let Message::Request(id, _) = peer.receive().await else { panic!("no question") };
    peer.send(&Message::Answer(id, Answer::Headers(Bounded::default()))).await;
    for _ in 0..MAX_ANSWERING {
        assert!(matches!(node.next().await, Incoming::Asked { .. }));
    }
    let told = node.next().await;
    assert!(matches!(told, Incoming::Answered { question: QuestionId(5), .. }), "{told:?}");

    // One more is too much: what comes behind it waits until an answer is written.
    peer.send(&Message::Request(RequestId(owed), Request::MempoolIds(None))).await;
    peer.send(&Message::Status(status(2, 0))).await;
    let further = timeout(Duration::from_millis(50), node.incoming.recv()).await;
    assert!(further.is_err(), "{further:?}");
    let answer = Answer::MempoolIds(Bounded::default());
    commands.send(Command::Answer { request: RequestId(0), answer }).await.expect("runs");
    assert!(matches!(node.next().await, Incoming::Asked { request: RequestId(4), .. }));
    assert!(matches!(node.next().await, Incoming::LinkStatus { .. }));
}

#[tokio::test]
async fn rule_l5_a_link_that_owes_too_many_answers_is_closed_however_much_it_says() {
    let mut node = Undriven::new().await;
    let mut peer = Peer::connect(node.address).await;
    let commands = node.welcome(1).await;
    let over = Instant::now();
    for number in 0..=crate::limits::MAX_OVERDUE_ANSWERS as u64 {
        let (question, request) = (QuestionId(number), Request::MempoolIds(None));
        let command = Command::Ask { question, request, deadline: over };
        commands.send(command).await.expect("the task runs");
    }
    let talking = tokio::spawn(async move {
        let status = frame(&Message::Status(status(2, 0)));
        while peer.stream.write_all(&status).await.is_ok() {}
    });
    let mut failed = 0;
    loop {
        match node.next().await {
            Incoming::Failed { failure: Failure::Unreachable, .. } => failed += 1,
            Incoming::LinkStatus { .. } => {}
            Incoming::LinkDown { end, .. } => {
                assert!(matches!(end, LinkEnd::Unresponsive), "{end}");
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(failed, crate::limits::MAX_OVERDUE_ANSWERS + 1);
    talking.await.expect("no panic");
}

#[tokio::test]
async fn attack_20_messages_in_single_bytes_are_understood() {
    let mut node = Undriven::new().await;
    let mut peer = Peer::connect(node.address).await;
    peer.stream.set_nodelay(true).expect("a socket");
    let _commands = node.welcome(1).await;
    for byte in frame(&Message::Status(status(2, 0))) {
        peer.stream.write_all(&[byte]).await.expect("sent");
        peer.stream.flush().await.expect("sent");
    }
    assert!(matches!(node.next().await, Incoming::LinkStatus { .. }));
}

#[tokio::test]
async fn behaviour_38_eighty_junk_messages_of_full_size_delay_nobody() {
    let mut node = Undriven::new().await;
    let mut peer = Peer::connect(node.address).await;
    let _commands = node.welcome(1).await;
    let mut junk = u32::try_from(MAX_MESSAGE_BYTES).expect("fits").to_le_bytes().to_vec();
    junk.resize(4 + MAX_MESSAGE_BYTES, 0xee);
    let address = node.address;
    let junking = tokio::spawn(async move {
        for _ in 0..80 {
            let mut one = Peer::connect(address).await;
            let _ = one.stream.write_all(&junk).await;
        }
    });
    let answering = tokio::spawn(async move {
        let started = WallInstant::now();
        for number in 0..20 {
            peer.send(&Message::Request(RequestId(number), headers_request())).await;
            assert!(matches!(peer.receive().await, Message::Answer(..)));
        }
        (started.elapsed(), peer)
    });
    let (mut ended, mut id) = (0, 2);
    while ended < 80 {
        match node.next().await {
            Incoming::LinkUp(link) => {
                link.welcome.send((LinkId(id), PeerId(id))).expect("the task waits");
                // Kept, so that the link ends by its own fault.
                std::mem::forget(link.commands);
                id += 1;
            }
            Incoming::LinkDown { end, .. } => {
                assert!(end.is_misbehaviour(), "{end}");
                ended += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    junking.await.expect("no panic");
    let (took, _peer) = answering.await.expect("no panic");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn a_link_that_the_driver_does_not_want_is_closed() {
    let mut node = Undriven::new().await;
    let peer = Peer::connect(node.address).await;
    let Incoming::LinkUp(link) = node.next().await else { panic!("no link") };
    drop(link.welcome);
    assert!(peer.sees_the_end().await);
}
