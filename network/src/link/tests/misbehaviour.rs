//! What ends a link as misbehaviour: the list of rule L6, as far as a link can tell by itself.

use cairn_protocol::codec::encode;
use cairn_protocol::messages::EncodedBlock;
use cairn_protocol::{BlockRef, SealedHeader, Target, VerifiedBlock};

use super::*;
use crate::testing::greedy;

/// Says this on a link and sees it end as misbehaviour; returns why.
async fn end_by(bytes: &[u8]) -> String {
    let mut node = Undriven::new().await;
    let mut peer = Peer::connect(node.address).await;
    let _commands = node.welcome(1).await;
    peer.stream.write_all(bytes).await.expect("sent");
    let end = node.end().await;
    assert!(end.is_misbehaviour(), "{end}");
    assert!(peer.sees_the_end().await);
    end.to_string()
}

/// Answers a question with this, and sees the question fail and the link end as misbehaviour.
async fn fail_by(question: Request, answer: Answer) -> Failure {
    let mut node = Undriven::new().await;
    let mut peer = Peer::connect(node.address).await;
    let commands = node.welcome(1).await;
    commands.send(ask(5, question)).await.expect("the task runs");
    let Message::Request(id, _) = peer.receive().await else { panic!("no question") };
    peer.send(&Message::Answer(id, answer)).await;
    let told = node.next().await;
    let Incoming::Failed { question, failure, .. } = told else { panic!("{told:?}") };
    assert_eq!(question, QuestionId(5));
    assert!(node.end().await.is_misbehaviour());
    assert!(peer.sees_the_end().await);
    failure
}

fn misbehaved(what: &str) -> Failure {
    Failure::Misbehaved(what.to_owned())
}

fn ids(answer: &[u8]) -> Answer {
    Answer::MempoolIds(Bounded::first(answer.iter().map(|byte| TransactionId([*byte; 32]))))
}

fn blocks(all: &[VerifiedBlock]) -> Answer {
    let encoded = all.iter().map(|block| EncodedBlock::new(encode(&block.to_block())));
    Answer::Blocks(Bounded::first(encoded.map(|one| one.expect("small"))))
}

#[tokio::test]
async fn rule_l6_a_frame_of_no_possible_length_ends_the_link() {
    for length in [0, (1 << 20) + 1, u32::MAX] {
        let said = end_by(&u32::to_le_bytes(length)).await;
        assert!(said.contains(&format!("a frame of {length} bytes")), "{said}");
    }
}

#[tokio::test]
async fn rule_l6_a_message_that_breaks_a_rule_of_the_encoding_ends_the_link() {
    let status = frame(&Message::Status(status(2, 0)));
    let length = |bytes: usize| u32::try_from(bytes).expect("small").to_le_bytes().to_vec();
    let cut = [length(status.len() - 5), status[4..status.len() - 1].to_vec()].concat();
    let longer = [length(status.len() - 3), status[4..].to_vec(), vec![0]].concat();
    for (bytes, text) in [(cut, "malformed"), (longer, "too many at the end")] {
        let said = end_by(&bytes).await;
        assert!(said.contains(text), "{said}");
    }
}

#[tokio::test]
async fn rule_l6_a_second_hello_ends_the_link() {
    let hello = Hello::new(network().rules().clone(), status(2, 0));
    assert_eq!(end_by(&frame(&Message::Hello(hello))).await, "a second hello");
}

#[tokio::test]
async fn rule_l6_a_status_with_another_instance_ends_the_link() {
    assert_eq!(end_by(&frame(&Message::Status(status(3, 0)))).await, "a status of another node");
}

#[tokio::test]
async fn rule_l6_an_answer_to_what_was_never_asked_ends_the_link() {
    let said = end_by(&frame(&Message::Answer(RequestId(0), ids(&[])))).await;
    assert_eq!(said, "an answer that was not asked for");
}

#[tokio::test]
async fn rule_l6_a_second_answer_ends_the_link() {
    let mut node = Undriven::new().await;
    let mut peer = Peer::connect(node.address).await;
    let commands = node.welcome(1).await;
    commands.send(ask(5, Request::MempoolIds(None))).await.expect("the task runs");
    let Message::Request(id, _) = peer.receive().await else { panic!("no question") };
    peer.send(&Message::Answer(id, ids(&[1]))).await;
    assert!(matches!(node.next().await, Incoming::Answered { .. }));
    peer.send(&Message::Answer(id, ids(&[1]))).await;
    let end = node.end().await;
    assert!(end.is_misbehaviour() && end.to_string().contains("not asked for"), "{end}");
}

#[tokio::test]
async fn rule_l6_an_answer_of_another_variant_ends_the_link() {
    let failure = fail_by(headers_request(), ids(&[])).await;
    assert_eq!(failure, misbehaved("its answer is of another kind than the question"));
}

/// One answer for each of L7 to L10.
#[tokio::test]
async fn rule_l6_an_answer_that_breaks_its_rule_ends_the_link() {
    let network = network();
    let first = child(&network, network.genesis_ref());
    let second = child(&network, first.block_ref());
    let third = child(&network, second.block_ref());
    let headers = [*first.header().sealed(), *third.header().sealed()];
    let wanted = Request::Blocks(Bounded::first([first.block_ref()]));
    let named = Request::Transactions(Bounded::first([TransactionId([1; 32])]));
    let paid = Answer::Transactions(Bounded::first([payment(&network, 1, 0)]));
    let cases = [
        (headers_request(), Answer::Headers(Bounded::first(headers)), "do not follow one another"),
        (wanted, blocks(&[second]), "a block that was not asked for"),
        (Request::MempoolIds(None), ids(&[2, 1]), "do not ascend"),
        (named, paid, "a transaction that was not asked for"),
    ];
    for (question, answer, text) in cases {
        let Failure::Misbehaved(what) = fail_by(question, answer).await else { panic!("{text}") };
        assert!(what.contains(text), "{what}");
    }
}

async fn refused_header(change: impl FnOnce(&mut SealedHeader)) -> Failure {
    let mut sealed = *child(&network(), network().genesis_ref()).header().sealed();
    change(&mut sealed);
    fail_by(headers_request(), Answer::Headers(Bounded::first([sealed]))).await
}

#[tokio::test]
async fn behaviour_32_a_header_without_proof_of_work_ends_the_link() {
    let failure = refused_header(|sealed| sealed.header.target = Target::HARDEST).await;
    assert_eq!(failure, misbehaved("header: its hash does not meet its target"));
}

#[tokio::test]
async fn rule_l6_a_header_that_breaks_a_rule_of_section_8_ends_the_link() {
    let genesis = *network().genesis();
    let failure = refused_header(|sealed| *sealed = genesis).await;
    assert_eq!(failure, misbehaved("header: a second genesis block"));
    let failure = refused_header(|sealed| sealed.header.version = 2).await;
    assert!(matches!(failure, Failure::Misbehaved(_)));
}

#[tokio::test]
async fn rule_l6_a_block_that_breaks_a_rule_of_section_8_ends_the_link() {
    let invalid = greedy(&network());
    let place = BlockRef { height: invalid.sealed.header.height, hash: invalid.sealed.hash() };
    let encoded = EncodedBlock::new(encode(&invalid)).expect("small");
    let question = Request::Blocks(Bounded::first([place]));
    let failure = fail_by(question, Answer::Blocks(Bounded::first([encoded]))).await;
    assert!(matches!(failure, Failure::InvalidBlock(block, _) if block == place), "{failure:?}");
}

/// The intake verifies it, and the driver cuts the link.
#[tokio::test]
async fn rule_l6_a_transaction_is_verified_under_the_name_of_who_sent_it() {
    let mut node = Undriven::new().await;
    let mut peer = Peer::connect(node.address).await;
    let _commands = node.welcome(4).await;
    let mut forged = payment(&network(), 1, 0);
    forged.signature.0[0] ^= 1;
    peer.send(&Message::Transaction(forged)).await;
    let candidate = node.candidates.recv().await.expect("handed over");
    assert_eq!(candidate.origin(), Origin::Link(PeerId(4)));
}

#[tokio::test]
async fn behaviour_37_what_is_no_message_of_ours_ends_the_link() {
    let framed = |content: &[u8]| {
        let length = u32::try_from(content.len()).expect("small").to_le_bytes();
        [&length[..], content].concat()
    };
    let status = frame(&Message::Status(status(2, 0)));
    let good = &status[4..];
    // A length, a message, a question and an answer that there are none of, and a status that is
    // cut short or goes on.
    let cases = [
        u32::MAX.to_le_bytes().to_vec(),
        framed(&good[..good.len() - 1]),
        framed(&[good, &[0]].concat()),
        framed(&[5, 0, 0, 0]),
        framed(&[3, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0]),
        framed(&[4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0]),
    ];
    for bytes in cases {
        end_by(&bytes).await;
    }
}

#[tokio::test]
async fn behaviour_37_who_does_not_speak_our_protocol_gets_no_link() {
    let mut node = Undriven::new().await;
    let good = frame(&Message::Hello(Hello::new(network().rules().clone(), status(2, 0))));
    // The magic, the version, the variant.
    for (place, is_told) in [(8, true), (12, true), (4, false)] {
        let mut bytes = good.clone();
        bytes[place] ^= 0x40;
        let mut peer = Peer::silent(node.address).await;
        peer.stream.write_all(&bytes).await.expect("sent");
        assert!(peer.sees_the_end().await);
        let told = node.incoming.try_recv();
        assert_eq!(matches!(told, Ok(Incoming::Refused { .. })), is_told, "{told:?}");
    }
}
