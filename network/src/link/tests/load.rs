//! Slow, greedy and flooding peers: they get what they can take, and nobody else waits for them.

use super::*;

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
    let answer = timeout(PATIENCE, peer.receive()).await.expect("in time");
    assert!(matches!(answer, Message::Answer(RequestId(1), _)));
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
        for number in 0..20 {
            peer.send(&Message::Request(RequestId(number), headers_request())).await;
            let answer = timeout(PATIENCE, peer.receive()).await.expect("in time");
            assert!(matches!(answer, Message::Answer(..)));
        }
        peer
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
    answering.await.expect("no panic");
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

/// It takes nothing of what it is sent.
#[tokio::test]
async fn attack_20_a_slow_reader_loses_its_link_and_blocks_nobody() {
    let mut node = Undriven::new().await;
    let _slow = Peer::connect(node.address).await;
    let commands = node.welcome(1).await;
    let mut peer = Peer::connect(node.address).await;
    let _commands = node.welcome(2).await;
    // More than sockets hold and may wait.
    let large: Frame = vec![0; 1 << 20].into();
    for _ in 0..100 {
        commands.try_send(Command::Send(large.clone())).expect("room");
    }
    peer.send(&Message::Request(RequestId(1), headers_request())).await;
    let answer = timeout(PATIENCE, peer.receive()).await.expect("in time");
    assert!(matches!(answer, Message::Answer(RequestId(1), _)));
    assert!(matches!(node.end().await, LinkEnd::SlowReader(_)));
}
