//! What hostile and broken peers can do to a whole node: nothing much.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::support::chain::{build, payment};
use crate::support::wire::{Peer, boast, broadcast, status};
use crate::support::{PATIENCE, Place, TestNode, deaf, eventually, miner, network, open, same_tip};
use cairn_network::Settings;
use cairn_network::limits::{MAX_DIALS_PER_ADDRESS, MAX_INBOUND_LINKS, MAX_OUTBOUND_LINKS};
use cairn_protocol::messages::{Announcement, Answer, Message, Request, RequestId, frame};
use cairn_protocol::{Bounded, Network, NetworkId, Rules};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Listens on so many ports, and reports each connection's port.
async fn listeners(count: usize) -> (Vec<u16>, mpsc::UnboundedReceiver<u16>) {
    let (sender, connections) = mpsc::unbounded_channel();
    let mut ports = Vec::new();
    for _ in 0..count {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        ports.push(port);
        let sender = sender.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                drop(connection);
                let _ = sender.send(port);
            }
        });
    }
    (ports, connections)
}

#[tokio::test]
async fn attack_09_forged_statuses_cause_few_connections_and_only_to_their_source() {
    let (network, place) = (network(), Place::new());
    let interval = Duration::from_millis(1_600);
    let settings = Settings { status_interval: interval, ..place.settings() };
    let _victim = TestNode::start(&network, settings).await;
    let (ports, mut connections) = listeners(20).await;
    let started = Instant::now();
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    while started.elapsed() < interval * 3 / 4 {
        for (port, instance) in ports.iter().zip(1..) {
            let forged = Announcement::Status(boast(instance, *port));
            broadcast(place.status_port, network.id(), forged);
            let low = Announcement::Status(boast(instance, 1_023));
            broadcast(place.status_port, network.id(), low);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    while let Ok(port) = connections.try_recv() {
        *counts.entry(port).or_default() += 1;
    }
    // One, unless the machine has held the test up.
    let intervals = usize::try_from(started.elapsed().as_millis() / interval.as_millis());
    let intervals = intervals.expect("few") + 1;
    assert!(!counts.is_empty(), "a status leads to a connection");
    assert!(counts.values().all(|count| *count <= intervals), "{intervals}: {counts:?}");
    assert!(counts.values().sum::<usize>() <= intervals * MAX_DIALS_PER_ADDRESS, "{counts:?}");
}

#[tokio::test]
async fn attack_09_an_open_link_is_used_again() {
    let (network, place) = (network(), Place::new());
    let _victim = TestNode::start(&network, place.settings()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    broadcast(place.status_port, network.id(), Announcement::Status(status(0, port)));
    // It claims the most work with its second breath, so the victim has a reason to connect.
    broadcast(place.status_port, network.id(), Announcement::Status(boast(0, port)));
    let (stream, _) = listener.accept().await.expect("a connection");
    let mut peer = Peer { stream };
    peer.greet(&network, boast(0, port)).await;
    peer.find(|message| matches!(message, Message::Request(_, Request::Headers(_))).then_some(()))
        .await;
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(900) {
        broadcast(place.status_port, network.id(), Announcement::Status(boast(0, port)));
        peer.send(&Message::Status(boast(0, port))).await;
        let again = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(again.is_err(), "a second connection beside a link that stands");
    }
}

#[tokio::test]
async fn attack_17_a_boaster_without_a_chain_changes_nothing() {
    let network = network();
    let mut node = TestNode::start(&network, miner(deaf(), 1)).await;
    node.mine_to(&network, 6).await;
    let mut liar = Peer::link(node.address(), &network, boast(9, 0)).await;
    let asked = liar
        .find(|message| match message {
            Message::Request(id, Request::Headers(_)) => Some(id),
            _ => None,
        })
        .await;
    liar.send(&Message::Answer(asked, Answer::Headers(Bounded::default()))).await;
    node.mine_to(&network, 7).await;
    assert_eq!(node.handle.counters().disconnected, 0);
}

#[tokio::test]
async fn attack_05_false_headers_cut_the_link_and_an_honest_block_comes_through() {
    let (network, place) = (network(), Place::new());
    let victim = TestNode::start(&network, place.settings()).await;
    let mut digger = TestNode::start(&network, miner(place.settings(), 1)).await;
    eventually("they are linked", || victim.handle.links() == 1).await;
    let (address, rules) = (victim.address(), network.clone());
    let (told, mut cut_off) = mpsc::unbounded_channel();
    let flood = tokio::spawn(async move {
        for instance in (10..=250).cycle() {
            let mut liar = Peer::link(address, &rules, boast(instance, 0)).await;
            let mut has_lied = false;
            while let Some(message) = liar.receive().await {
                if let Message::Request(id, Request::Headers(_)) = message {
                    let false_headers = vec![*rules.genesis(); 1_000];
                    let answer = Answer::Headers(Bounded::first(false_headers));
                    let _ = liar.stream.write_all(&frame(&Message::Answer(id, answer))).await;
                    has_lied = true;
                }
            }
            let _ = told.send(has_lied);
        }
    });
    for height in 1..=5 {
        // The flood goes on all the time.
        let was_asked = tokio::time::timeout(PATIENCE, cut_off.recv()).await.expect("cut off");
        assert_eq!(was_asked, Some(true), "only by what it answered");
        digger.mine_to(&network, height).await;
        same_tip(&[&victim, &digger]).await;
    }
    flood.abort();
    assert_eq!(victim.handle.counters().disconnected, 0);
}

#[tokio::test]
async fn attack_10_full_slots_do_not_hide_an_honest_peer() {
    let (network, place) = (network(), Place::new());
    let settings = Settings { status_interval: Duration::from_millis(300), ..place.settings() };
    let victim = TestNode::start(&network, settings).await;
    // More fakes than there are places, on links that stand and say they have nothing new.
    for instance in (1..).take(MAX_OUTBOUND_LINKS + 4) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let (rules, status_port) = (network.clone(), place.status_port);
        tokio::spawn(async move {
            let announce = async {
                loop {
                    let announcement = Announcement::Status(status(instance, port));
                    broadcast(status_port, rules.id(), announcement);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            };
            let serve = async {
                while let Ok((stream, _)) = listener.accept().await {
                    let mut fake = Peer { stream };
                    fake.greet(&rules, status(instance, port)).await;
                    while fake.receive().await.is_some() {}
                }
            };
            tokio::join!(announce, serve);
        });
    }
    eventually("all places are taken", || victim.handle.links() >= MAX_OUTBOUND_LINKS).await;
    let folder = TempDir::new().expect("a folder");
    build(&mut open(folder.path(), &network), 1, 5, 0);
    let honest = TestNode::start_in(folder, &network, place.settings()).await;
    same_tip(&[&victim, &honest]).await;
    assert_eq!(victim.height(), 5);
}

#[tokio::test]
async fn rule_n10_idle_and_half_open_links_block_nobody_and_slots_are_bounded() {
    let network = network();
    let folder = TempDir::new().expect("a folder");
    build(&mut open(folder.path(), &network), 1, 3, 0);
    let node = TestNode::start_in(folder, &network, deaf()).await;
    let mut idle = Vec::new();
    for _ in 0..MAX_INBOUND_LINKS / 2 {
        idle.push(Peer::connect(node.address()).await);
    }
    let mut half = Peer::link(node.address(), &network, status(2, 0)).await;
    // A frame that never ends.
    half.stream.write_all(&[0, 0, 16, 0, 1, 2, 3]).await.expect("sent");
    let mut peer = Peer::link(node.address(), &network, status(3, 0)).await;
    let request = Request::Headers(Bounded::default());
    for byte in frame(&Message::Request(RequestId(7), request)) {
        peer.stream.write_all(&[byte]).await.expect("sent");
    }
    let headers = peer
        .find(|message| match message {
            Message::Answer(RequestId(7), Answer::Headers(headers)) => Some(headers),
            _ => None,
        })
        .await;
    assert_eq!(headers.len(), 3);

    for _ in 0..MAX_INBOUND_LINKS {
        idle.push(Peer::connect(node.address()).await);
    }
    let mut one_too_many = Peer::connect(node.address()).await;
    assert!(one_too_many.is_turned_away().await);
}

#[tokio::test]
async fn a_flood_of_payments_is_bounded_and_the_node_answers() {
    let (network, place) = (network(), Place::new());
    let folder = TempDir::new().expect("a folder");
    build(&mut open(folder.path(), &network), 1, 3, 0);
    let node = TestNode::start_in(folder, &network, place.settings()).await;
    let mut peer = Peer::link(node.address(), &network, status(2, 0)).await;
    let good = payment(&network, 1, 0, 0);
    let mut forged = payment(&network, 1, 1, 0);
    for round in 0..3_000_u32 {
        forged.signature.0[..4].copy_from_slice(&round.to_le_bytes());
        for transaction in [&forged, &good] {
            let announcement = Announcement::Transaction(transaction.clone());
            broadcast(place.transactions_port, network.id(), announcement);
        }
    }
    peer.send(&Message::Request(RequestId(1), Request::MempoolIds(None))).await;
    peer.find(|message| matches!(message, Message::Answer(RequestId(1), _)).then_some(())).await;
    eventually("the good one came through", || node.handle.counters().mempool == 1).await;
    // Three thousand times the same in some seconds: looked at a few times.
    let refused = node.handle.counters().refused;
    assert!(refused < 20, "{refused}");
}

#[tokio::test]
async fn rule_l6_a_false_payment_on_a_link_cuts_it() {
    let network = network();
    let node = TestNode::start(&network, deaf()).await;
    let mut peer = Peer::link(node.address(), &network, status(2, 0)).await;
    let mut forged = payment(&network, 1, 1, 0);
    forged.signature.0[0] ^= 1;
    peer.send(&Message::Transaction(forged)).await;
    assert!(peer.is_cut_off().await);
}

#[tokio::test]
async fn rule_l2_other_rules_are_named_on_both_sides_and_not_talked_to() {
    let ours = network();
    let theirs = Network::new(Rules { reward_maturity: 7, ..ours.rules().clone() });
    let theirs = theirs.expect("possible");
    let mut node = TestNode::start(&ours, deaf()).await;
    let peers = vec![node.address().to_string()];
    let mut stranger = TestNode::start(&theirs, Settings { peers, ..deaf() }).await;
    let said = node.warning("other_rules").await;
    assert!(said.contains("rules.reward_maturity is 0 here and 7 there"), "{said}");
    let said = stranger.warning("other_rules").await;
    assert!(said.contains("rules.reward_maturity is 7 here and 0 there"), "{said}");
    assert_eq!((node.handle.links(), stranger.handle.links()), (0, 0));
}

#[tokio::test]
async fn rule_n8_foreign_networks_on_the_same_ports_tell_each_other_their_rules() {
    let (ours, place) = (network(), Place::new());
    let theirs = Network::new(Rules { reward_maturity: 7, ..ours.rules().clone() });
    let theirs = theirs.expect("possible");
    let mut node = TestNode::start(&ours, place.settings()).await;
    let mut stranger = TestNode::start(&theirs, place.settings()).await;
    for said in [node.warning("other_rules").await, stranger.warning("other_rules").await] {
        assert!(said.contains("rules.reward_maturity is"), "{said}");
    }
    assert_eq!((node.handle.links(), stranger.handle.links()), (0, 0));
}

#[tokio::test]
async fn rule_n8_a_foreign_network_is_asked_once() {
    let (network, place) = (network(), Place::new());
    let node = TestNode::start(&network, place.settings()).await;
    let (ports, mut connections) = listeners(1).await;
    let foreign = || Announcement::Status(status(5, ports[0]));
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(1) {
        broadcast(place.status_port, NetworkId([5; 32]), foreign());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(connections.recv().await, Some(ports[0]));
    assert!(connections.try_recv().is_err(), "asked again within the hour");
    assert_eq!(node.handle.links(), 0);
}
