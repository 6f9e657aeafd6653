//! Whole nodes on loopback: they find each other, sync, relay and mine.

use crate::support::chain::{build, payment};
use crate::support::{Place, TestNode, deaf, eventually, miner, network, open, same_tip};
use cairn_network::{Settings, announce};
use cairn_node::Event;
use tempfile::TempDir;

#[tokio::test]
async fn attack_20_two_nodes_find_each_other_by_broadcast_and_sync_more_than_one_message() {
    let (network, place) = (network(), Place::new());
    let folder = TempDir::new().expect("a folder");
    // 1.3 MiB, more than one message, one socket buffer, one of anything.
    build(&mut open(folder.path(), &network), 1, 21, 100);
    let old = TestNode::start_in(folder, &network, place.settings()).await;
    let mut young = TestNode::start(&network, place.settings()).await;
    same_tip(&[&old, &young]).await;
    assert_eq!(young.height(), 21);
    let from = young
        .event(|told| matches!(told.event, Event::BlockAdopted { .. }).then_some(told.from))
        .await;
    assert_eq!(from, Some(old.address()));
    eventually("both are level", || old.handle.is_level() && young.handle.is_level()).await;
    assert_eq!((old.handle.links(), young.handle.links()), (1, 1));
    assert_eq!((old.handle.heard(), young.handle.heard()), (1, 1));
    assert_eq!(young.handle.best_header(), young.handle.tip());
}

#[tokio::test]
async fn a_payment_goes_from_node_to_miner_to_all() {
    let (network, place) = (network(), Place::new());
    let mut digger = TestNode::start(&network, miner(place.settings(), 1)).await;
    let other = TestNode::start(&network, place.settings()).await;
    digger.mine_to(&network, 3).await;
    same_tip(&[&digger, &other]).await;
    other.handle.submit(payment(&network, 1, 0, 0));
    eventually("the miner has it", || digger.handle.counters().mempool == 1).await;
    // A template or two may still be without it.
    while digger.handle.counters().mempool > 0 {
        digger.mine_to(&network, digger.height() + 1).await;
    }
    same_tip(&[&digger, &other]).await;
    eventually("it is confirmed", || other.handle.counters().mempool == 0).await;
    let transactions = digger
        .event(|told| match told.event {
            Event::BlockMined { transactions, block, .. } => {
                (block == other.handle.tip().block).then_some(transactions)
            }
            _ => None,
        })
        .await;
    assert_eq!(transactions, 2);
}

#[tokio::test]
async fn a_payment_announced_without_a_node_is_heard() {
    let (network, place) = (network(), Place::new());
    let folder = TempDir::new().expect("a folder");
    build(&mut open(folder.path(), &network), 1, 2, 0);
    let node = TestNode::start_in(folder, &network, place.settings()).await;
    announce(&network, &place.settings(), &payment(&network, 1, 0, 0)).expect("sent");
    eventually("it is admitted", || node.handle.counters().mempool == 1).await;
}

#[tokio::test]
async fn a_static_peer_needs_no_broadcast_and_is_reached_again() {
    let network = network();
    let mut digger = TestNode::start(&network, miner(deaf(), 1)).await;
    digger.mine_to(&network, 5).await;
    let address = digger.address();
    let peers = vec![address.to_string()];
    let follower = TestNode::start(&network, Settings { peers, ..deaf() }).await;
    same_tip(&[&digger, &follower]).await;

    let TestNode { running, folder, .. } = digger;
    running.stop().await;
    eventually("the link is gone", || follower.handle.links() == 0).await;
    let again = Settings {
        blocks_port: cairn_network::BlocksPort::Exactly(address.port()),
        ..miner(deaf(), 1)
    };
    let mut digger = TestNode::start_in(folder, &network, again).await;
    digger.mine_to(&network, 6).await;
    same_tip(&[&digger, &follower]).await;
}

/// Nobody can connect to the one who has the chain: it connects to us.
#[tokio::test]
async fn behaviour_40_a_chain_comes_over_a_link_that_its_owner_opened() {
    let network = network();
    let young = TestNode::start(&network, deaf()).await;
    let folder = TempDir::new().expect("a folder");
    build(&mut open(folder.path(), &network), 1, 5, 0);
    let peers = vec![young.address().to_string()];
    let blocks_port = cairn_network::BlocksPort::None;
    let settings = Settings { peers, blocks_port, ..deaf() };
    let old = TestNode::start_in(folder, &network, settings).await;
    same_tip(&[&young, &old]).await;
    assert_eq!(young.height(), 5);
}

#[tokio::test]
async fn payments_cross_from_broadcasts_to_links_and_back() {
    let network = network();
    // Two places that hear nothing of each other, joined by one static link.
    let (here, there) = (Place::new(), Place::new());
    let mut digger = TestNode::start(&network, miner(here.settings(), 1)).await;
    digger.mine_to(&network, 2).await;
    let bridge = TestNode::start(&network, here.settings()).await;
    let peers = vec![bridge.address().to_string()];
    let gate = TestNode::start(&network, Settings { peers, ..there.settings() }).await;
    let far = TestNode::start(&network, there.settings()).await;
    same_tip(&[&digger, &bridge, &gate, &far]).await;

    announce(&network, &there.settings(), &payment(&network, 1, 0, 0)).expect("sent");
    let all = [&digger, &bridge, &gate, &far];
    let all_have = |count| all.iter().all(|node| node.handle.counters().mempool == count);
    eventually("it came from there to here", || all_have(1)).await;
    digger.handle.submit(payment(&network, 1, 1, 0));
    eventually("the next came from here to there", || all_have(2)).await;
}

#[tokio::test]
async fn a_joiner_gets_what_was_said_before_it_came() {
    let (network, place) = (network(), Place::new());
    let mut digger = TestNode::start(&network, miner(place.settings(), 1)).await;
    digger.mine_to(&network, 1).await;
    for sequence in 0..20 {
        digger.handle.submit(payment(&network, 1, sequence, 0));
    }
    eventually("they wait", || digger.handle.counters().mempool == 20).await;
    let joiner = TestNode::start(&network, place.settings()).await;
    eventually("it has them", || joiner.handle.counters().mempool == 20).await;
}

#[tokio::test]
async fn miners_that_find_blocks_at_the_same_time_agree_in_the_end() {
    let (network, place) = (network(), Place::new());
    let mut one = TestNode::start(&network, miner(place.settings(), 1)).await;
    let mut two = TestNode::start(&network, miner(place.settings(), 2)).await;
    let mut three = TestNode::start(&network, miner(place.settings(), 3)).await;
    tokio::join!(one.mine_to(&network, 12), two.mine_to(&network, 12), three.mine_to(&network, 12),);
    // On equal work each keeps its own; one more block decides.
    let next = [&one, &two, &three].iter().map(|node| node.height()).max().expect("three") + 1;
    one.mine_to(&network, next).await;
    same_tip(&[&one, &two, &three]).await;
    assert!(one.height() >= 13);
}

#[tokio::test]
async fn rule_n11_a_node_without_a_block_server_follows_and_sends() {
    let (network, place) = (network(), Place::new());
    let mut digger = TestNode::start(&network, miner(place.settings(), 1)).await;
    digger.mine_to(&network, 2).await;
    let settings = Settings { blocks_port: cairn_network::BlocksPort::None, ..place.settings() };
    let wallet = TestNode::start(&network, settings).await;
    assert_eq!(wallet.running.ports().blocks, 0);
    same_tip(&[&digger, &wallet]).await;
    wallet.handle.submit(payment(&network, 1, 0, 0));
    eventually("it arrives", || digger.handle.counters().mempool == 1).await;
    eventually("a link stands", || digger.handle.links() == 1).await;
    wallet.running.stop().await;
    eventually("it is closed", || digger.handle.links() == 0).await;
}
