//! How long is waited for a peer.

use std::time::Instant as WallInstant;

use super::*;
use crate::limits::{MAX_STATUS_INTERVAL, SILENCE};

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
    let started = WallInstant::now();
    loop {
        assert!(started.elapsed() < PATIENCE, "the link goes on");
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

/// Why a link ends on which nothing comes.
async fn end_of_silence() -> LinkEnd {
    let mut node = Undriven::with_silence(Duration::from_millis(200)).await;
    let peer = Peer::connect(node.address).await;
    let _commands = node.welcome(1).await;
    let end = node.end().await;
    assert!(peer.sees_the_end().await);
    end
}

#[tokio::test]
async fn behaviour_36_a_silent_link_times_out() {
    assert!(matches!(end_of_silence().await, LinkEnd::Silent(_)));
}

#[tokio::test]
async fn rule_l11_a_silent_link_is_closed_and_that_is_no_misbehaviour() {
    assert_eq!(SILENCE, 4 * MAX_STATUS_INTERVAL + Duration::from_secs(10));
    assert_eq!(SILENCE.as_secs(), 250);
    assert!(!end_of_silence().await.is_misbehaviour());
}
