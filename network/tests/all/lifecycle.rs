//! Starting, stopping, and what goes wrong with ports and disks.

use std::net::{TcpListener, UdpSocket};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::support::chain::build;
use crate::support::{PATIENCE, Place, TestNode, deaf, eventually, miner, network, open};
use cairn_ledger::{Ledger, LedgerError};
use cairn_network::{BlocksPort, Running, Settings, Work};
use cairn_node::RestReason;
use tempfile::TempDir;

#[tokio::test]
async fn stop_ends_all_and_frees_the_chain() {
    let (network, place) = (network(), Place::new());
    let mut node = TestNode::start(&network, miner(place.settings(), 1)).await;
    let other = TestNode::start(&network, place.settings()).await;
    node.mine_to(&network, 3).await;
    eventually("a link stands", || other.handle.links() == 1).await;
    let in_use = Ledger::open(node.folder.path(), &network);
    assert!(matches!(in_use, Err(LedgerError::InUse(_))));

    let (handle, work, ports) = (node.handle.clone(), node.running.work(), node.running.ports());
    tokio::time::timeout(PATIENCE, node.running.stop()).await.expect("it ends");
    let chain = open(node.folder.path(), &network);
    assert_eq!(chain.tip().block.height.get(), 3);
    assert!(work.has_changed().is_err(), "the engine is told that nothing more comes");
    assert_eq!((handle.tip(), handle.failure()), (chain.tip(), None));
    TcpListener::bind(("127.0.0.1", ports.blocks)).expect("its port is free");
    eventually("the other side sees it", || other.handle.links() == 0).await;
}

#[tokio::test]
async fn a_dropped_node_stops_too() {
    let network = network();
    let node = TestNode::start(&network, deaf()).await;
    drop(node.running);
    eventually("the chain is free", || Ledger::open(node.folder.path(), &network).is_ok()).await;
}

#[tokio::test]
async fn events_end_when_the_node_ends() {
    let mut node = TestNode::start(&network(), deaf()).await;
    let mut handle = node.handle.clone();
    let ending = async {
        let TestNode { running, .. } = node;
        running.stop().await;
        while handle.changed().await {}
    };
    tokio::time::timeout(Duration::from_secs(5), ending).await.expect("it ends");
    node = TestNode::start(&network(), deaf()).await;
    assert!(node.handle.failure().is_none());
}

#[tokio::test]
async fn a_busy_port_is_named_with_the_remedy() {
    let network = network();
    let folder = TempDir::new().expect("a folder");
    let refused = async |settings: Settings| {
        let ledger = open(folder.path(), &network);
        Running::start(ledger, settings).await.expect_err("in use").to_string()
    };
    let selfish = UdpSocket::bind("127.255.255.255:0").expect("a free port");
    let port = selfish.local_addr().expect("bound").port();
    let text = refused(Settings { status_port: port, ..deaf() }).await;
    let expected = format!(
        "port {port} (status) is in use; free it, or set ports.status to another (0: any free one)"
    );
    assert_eq!(text, expected);
    let text = refused(Settings { transactions_port: port, ..deaf() }).await;
    assert!(text.contains("(transactions)") && text.contains("ports.transactions"), "{text}");

    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = server.local_addr().expect("bound").port();
    let text = refused(Settings { blocks_port: BlocksPort::Exactly(port), ..deaf() }).await;
    assert!(text.contains("(blocks)") && text.contains("ports.blocks"), "{text}");
}

#[tokio::test]
async fn a_preferred_port_that_is_taken_is_replaced_and_that_is_said() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = server.local_addr().expect("bound").port();
    let settings = Settings { blocks_port: BlocksPort::Preferred(port), ..deaf() };
    let mut node = TestNode::start(&network(), settings).await;
    let ports = node.running.ports();
    assert_ne!(ports.blocks, port);
    let warning = node.warning("port_taken").await;
    assert!(warning.contains(&port.to_string()), "{warning}");
    assert!(warning.contains(&ports.blocks.to_string()), "{warning}");
}

#[tokio::test]
async fn all_ports_may_be_any_free_ones() {
    let node = TestNode::start(&network(), deaf()).await;
    let ports = node.running.ports();
    assert!(ports.status > 0 && ports.transactions > 0 && ports.blocks > 0);
}

#[tokio::test]
async fn who_does_not_mine_rests() {
    let node = TestNode::start(&network(), deaf()).await;
    let mut work = node.running.work();
    let resting = work.wait_for(|work| matches!(work, Work::Rest(RestReason::NotMining)));
    tokio::time::timeout(PATIENCE, resting).await.expect("in time").expect("it runs");
}

#[tokio::test]
async fn an_unknown_static_peer_is_said_once() {
    let peers = vec!["127.0.0.1:1".to_owned()];
    let mut node = TestNode::start(&network(), Settings { peers, ..deaf() }).await;
    let warning = node.warning("peer_unreachable").await;
    assert!(warning.contains("127.0.0.1:1"), "{warning}");
    let again = tokio::time::timeout(Duration::from_millis(1_500), node.running.next_event()).await;
    assert!(again.is_err(), "{again:?}");
}

#[tokio::test]
async fn a_node_whose_chain_is_destroyed_says_so_and_ends() {
    let network = network();
    let folder = TempDir::new().expect("a folder");
    // More than SQLite keeps in memory.
    build(&mut open(folder.path(), &network), 1, 11, 100);
    let mut node = TestNode::start_in(folder, &network, miner(deaf(), 1)).await;
    let mut work = node.running.work();
    let ready = work.wait_for(|work| matches!(work, Work::Mine(_)));
    tokio::time::timeout(PATIENCE, ready).await.expect("in time").expect("runs");
    let file = node.folder.path().join("chain.db");
    let bytes = std::fs::read(&file).expect("it is there").len();
    std::fs::write(&file, vec![0xee; bytes]).expect("written");
    let started = Instant::now();
    while node.handle.failure().is_none() {
        assert!(started.elapsed() < PATIENCE, "it goes on without a chain");
        let template = match &*work.borrow_and_update() {
            Work::Mine(template) => Some(template.clone()),
            Work::Rest(_) => None,
        };
        if let Some(template) = template {
            let proof = crate::support::search(&template);
            node.handle.mined(template.seal(proof, &network).expect("proven"));
        }
        let _ = tokio::time::timeout(Duration::from_millis(50), work.changed()).await;
    }
    while node.running.next_event().await.is_some() {}
    let (saved, saves) = mpsc::channel();
    node.running.stop_saving(move |waiting| drop(saved.send(waiting))).await;
    assert!(saves.try_recv().is_err(), "what a dead node holds is not worth saving");
}
