//! Whether a payment has left, and that it leaves before the node ends.

use std::time::Instant;

use crate::support::chain::{block, build, payment};
use crate::support::wire::{Peer, status};
use crate::support::{PATIENCE, TestNode, account, deaf, eventually, network, open};
use cairn_network::limits::FAREWELL;
use cairn_network::{Delivered, Settings};
use cairn_protocol::messages::Message;
use cairn_protocol::{SecretKey, Transaction};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// A node in whose chain account 1 is rich and has paid three times.
async fn node(settings: Settings) -> TestNode {
    let folder = TempDir::new().expect("a folder");
    build(&mut open(folder.path(), &network()), 1, 4, 1);
    TestNode::start_in(folder, &network(), settings).await
}

/// So many further payments of account 1.
fn payments(count: u64) -> Vec<Transaction> {
    (3..3 + count).map(|sequence| payment(&network(), 1, sequence, 0)).collect()
}

/// The payments that come until the link ends.
async fn received(peer: &mut Peer) -> Vec<Transaction> {
    let mut received = Vec::new();
    while let Some(message) = peer.receive().await {
        if let Message::Transaction(transaction) = message {
            received.push(transaction);
        }
    }
    received
}

#[tokio::test]
async fn what_was_submitted_right_before_the_stop_arrives() {
    let node = node(deaf()).await;
    let mut peer = Peer::link(node.address(), &network(), status(7, 0)).await;
    eventually("the link stands", || node.handle.links() == 1).await;
    let mut payments = payments(203);
    let last = payments.split_off(200);
    let held = payments.into_iter().map(|one| one.verify(network().id()).expect("valid"));
    let block = block(&network(), node.handle.tip(), 1, held.collect());
    let block_height = block.block_ref().height;
    // What the node has not read when it closes must not reset the connection.
    for _ in 0..50 {
        peer.send(&Message::Status(status(7, 0))).await;
    }
    // The node is busy with the block when the payments come, and when it is to stop.
    node.handle.mined(block);
    for payment in &last {
        node.handle.submit(payment.clone());
    }
    let handle = node.handle.clone();
    let (got, ()) = tokio::join!(received(&mut peer), node.running.stop());
    assert_eq!(got, last);
    assert_eq!(handle.tip().block.height, block_height);
}

#[tokio::test]
async fn a_peer_that_does_not_close_is_waited_for_but_not_for_ever() {
    let node = node(deaf()).await;
    let _stuck = Peer::link(node.address(), &network(), status(7, 0)).await;
    eventually("the link stands", || node.handle.links() == 1).await;
    for payment in payments(10) {
        node.handle.submit(payment);
    }
    let started = Instant::now();
    tokio::time::timeout(PATIENCE, node.running.stop()).await.expect("it ends");
    assert!(started.elapsed() >= FAREWELL, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_delivery_tells_by_which_ways_the_payment_has_left() {
    let node = node(deaf()).await;
    let payments = payments(3);
    let delivered = node.handle.deliver(payments[0].clone()).await;
    assert_eq!(delivered, Some(Delivered { links: 0, broadcast: true }));

    let mut peer = Peer::link(node.address(), &network(), status(7, 0)).await;
    eventually("the link stands", || node.handle.links() == 1).await;
    // Also one that the node has already: a link that comes up late is to get it.
    for payment in &payments[..2] {
        let delivered = node.handle.deliver(payment.clone()).await;
        assert_eq!(delivered, Some(Delivered { links: 1, broadcast: true }));
        let sent = peer.find(|message| match message {
            Message::Transaction(transaction) => Some(transaction),
            _ => None,
        });
        assert_eq!(sent.await, *payment);
    }

    let used = payment(&network(), 1, 0, 0);
    assert_eq!(node.handle.deliver(used).await, None, "a block has its sequence");
    let other_network = SecretKey::from_seed([1; 32])
        .sign(payments[2].payment.clone(), cairn_protocol::NetworkId([9; 32]));
    assert_eq!(other_network.payment.sender, account(1));
    assert_eq!(node.handle.deliver(other_network).await, None, "it is not valid here");
    let handle = node.handle.clone();
    let ((), _) = tokio::join!(node.running.stop(), received(&mut peer));
    assert_eq!(handle.deliver(payments[2].clone()).await, None, "the node has ended");
}

#[tokio::test]
async fn a_static_peer_counts_as_connecting_until_it_says_hello_or_fails() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let slow = listener.local_addr().expect("bound").to_string();
    let peers = vec![slow, "127.0.0.1:1".to_owned()];
    let mut node = node(Settings { peers, ..deaf() }).await;
    assert!(node.handle.connecting() > 0, "from the start on");
    node.warning("peer_unreachable").await;
    let (stream, _) = listener.accept().await.expect("a connection");
    let mut peer = Peer { stream };
    let handle = node.handle.clone();
    eventually("one has failed", || handle.connecting() == 1).await;
    assert_eq!(handle.links(), 0);
    peer.greet(&network(), status(7, 0)).await;
    eventually("the other is linked", || handle.links() == 1).await;
    // The one that has failed may just be tried again.
    eventually("nothing is left to be waited for", || handle.connecting() == 0).await;
}
