//! The node that has nothing yet.

use std::time::{Duration, Instant};

use cairn_ledger::Ledger;
use cairn_network::{BlocksPort, Running, Settings};
use cairn_node::MempoolLimits;
use cairn_protocol::{BlockRef, Network};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// Downloads a chain into a new folder. Returns how long it took from the first connection to the
/// last block.
pub(crate) fn download(network: &Network, port: u16, tip: BlockRef) -> Duration {
    let folder = TempDir::new().expect("a folder");
    let ledger = Ledger::open(folder.path(), network).expect("a disk");
    runtime().block_on(async {
        let begin = Instant::now();
        let running = Running::start(ledger, settings(Some(port))).await.expect("it starts");
        let mut handle = running.handle();
        while handle.tip().block != tip {
            assert!(handle.changed().await, "{:?}", handle.failure());
        }
        let took = begin.elapsed();
        running.stop().await;
        took
    })
}

pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A node that does not mine, and hears nobody by broadcast.
pub(crate) fn settings(peer: Option<u16>) -> Settings {
    Settings {
        status_port: 0,
        blocks_port: BlocksPort::Exactly(0),
        transactions_port: 0,
        lan: false,
        peers: peer.map(|port| format!("127.0.0.1:{port}")).into_iter().collect(),
        status_interval: Duration::from_secs(5),
        mempool: MempoolLimits::default(),
        reward_to: None,
    }
}
