//! [`Running`] and [`Handle`]: a node at work, as programs see it.

use std::thread::JoinHandle;
use std::time::Duration;

use cairn_ledger::{Ledger, Tip};
use cairn_node::Counters;
use cairn_protocol::{NetworkId, Transaction, VerifiedBlock};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;

use crate::driver::Own;
use crate::error::NetworkError;
use crate::launch::launch;
use crate::publisher::{Snapshot, Told, Work};
use crate::settings::{Ports, Settings};

/// How long [`Running::stop`] waits for threads that verify or read; nobody has a use for what
/// they do.
const SHUTDOWN: Duration = Duration::from_millis(300);

/// A node at work. Dropping it stops it soon; [`Running::stop`] waits for that.
#[derive(Debug)]
pub struct Running {
    pub(crate) ports: Ports,
    pub(crate) handle: Handle,
    pub(crate) work: watch::Receiver<Work>,
    pub(crate) told: mpsc::Receiver<Told>,
    /// Dropped to stop the driver.
    pub(crate) stop: Option<watch::Sender<()>>,
    pub(crate) driver: Option<JoinHandle<()>>,
    /// Runs all tasks around the driver. A runtime of its own, so that stopping ends them all and
    /// no other task of the program can hold them up.
    pub(crate) runtime: Option<Runtime>,
}

/// Reaches a running node, from any thread. Cheap to clone; when the node has ended, it says how
/// things stood then, and what is handed to it is lost.
#[derive(Clone, Debug)]
pub struct Handle {
    network: NetworkId,
    own: mpsc::UnboundedSender<Own>,
    snapshot: watch::Receiver<Snapshot>,
}

impl Running {
    /// Binds the sockets and starts the node on this chain. Needs a tokio runtime to wait on.
    ///
    /// # Errors
    /// [`NetworkError`]: a port is in use, or the chain cannot be read.
    pub async fn start(ledger: Ledger, settings: Settings) -> Result<Self, NetworkError> {
        let launching = spawn_blocking(move || launch(ledger, &settings));
        launching.await.expect("launching does not panic, and is not cancelled")
    }

    /// Reaches the node.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// The ports that it got.
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// The next event; `None` after the end. A program that does not listen for long misses the
    /// events after the first 1,024; the node does not wait for it.
    pub async fn next_event(&mut self) -> Option<Told> {
        self.told.recv().await
    }

    /// What the engine is to do, now and at each change.
    pub fn work(&self) -> watch::Receiver<Work> {
        self.work.clone()
    }

    /// Ends all, within a second: links are closed, what was begun is committed, and the chain's
    /// lock is free.
    pub async fn stop(mut self) {
        self.stop.take();
        let (driver, runtime) = (self.driver.take(), self.runtime.take());
        let ending = spawn_blocking(move || {
            if driver.is_some_and(|driver| driver.join().is_err()) {
                tracing::error!("the node's thread panicked");
            }
            if let Some(runtime) = runtime {
                runtime.shutdown_timeout(SHUTDOWN);
            }
        });
        // It fails only if the program's runtime is ending too.
        let _ = ending.await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Handle {
    pub(crate) fn new(
        network: NetworkId,
        own: mpsc::UnboundedSender<Own>,
        snapshot: watch::Receiver<Snapshot>,
    ) -> Self {
        Self { network, own, snapshot }
    }

    /// A proof was found.
    pub fn mined(&self, block: VerifiedBlock) {
        // A node that has ended has no use for it.
        let _ = self.own.send(Own::Mined(block));
    }

    /// A payment of this data directory: verified, admitted to the mempool, and sent to all. To be
    /// called again to repeat it.
    pub fn submit(&self, transaction: Transaction) {
        match transaction.verify(self.network) {
            Ok(transaction) => drop(self.own.send(Own::Submit(transaction))),
            Err(error) => tracing::warn!("a payment of ours is not sent: {error}"),
        }
    }

    /// How the node stood a moment ago.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.borrow().clone()
    }

    /// Waits until [`Self::snapshot`] says something that this handle has not yet waited for.
    /// Returns false if the node has ended.
    pub async fn changed(&mut self) -> bool {
        self.snapshot.changed().await.is_ok()
    }

    /// What the node holds and has done.
    pub fn counters(&self) -> Counters {
        self.snapshot.borrow().counters
    }

    /// The number of links that stand.
    pub fn links(&self) -> usize {
        self.snapshot.borrow().links
    }

    /// The end of the active chain.
    pub fn tip(&self) -> Tip {
        self.snapshot.borrow().tip
    }

    /// The verified header with the most work, at least the tip.
    pub fn best_header(&self) -> Tip {
        self.snapshot.borrow().best_header
    }

    /// The number of peers heard since the start, by link or status.
    pub fn heard(&self) -> usize {
        self.snapshot.borrow().heard
    }

    /// Whether the node is level with the best chain heard (see [`cairn_node::Node::is_level`]).
    pub fn is_level(&self) -> bool {
        self.snapshot.borrow().is_level
    }

    /// Why the node died, if it did (the disk is full, say).
    pub fn failure(&self) -> Option<String> {
        self.snapshot.borrow().failure.clone()
    }
}
