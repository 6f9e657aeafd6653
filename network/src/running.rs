//! [`Running`] and [`Handle`]: a node at work, as programs see it.

use std::thread::JoinHandle;
use std::time::Duration;

use cairn_ledger::{Ledger, Tip};
use cairn_node::{Counters, Node};
use cairn_protocol::{NetworkId, Transaction, VerifiedBlock};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::driver::Own;
use crate::error::NetworkError;
use crate::launch::launch;
use crate::limits::FAREWELL;
use crate::link_tasks::LinkTasks;
use crate::publisher::{Snapshot, Told};
use crate::settings::{Ports, Settings};
use crate::work::{Work, WorkOut};

/// How long [`Running::stop`] waits for threads that verify or read; nobody has a use for what
/// they do.
const SHUTDOWN: Duration = Duration::from_millis(300);

/// How long it waits for the links: somewhat longer than each of them does.
const LEAVING: Duration = FAREWELL.saturating_add(Duration::from_millis(50));

/// A node at work. Dropping it stops it soon, and what was handed to it last may be lost;
/// [`Running::stop`] ends it in order.
#[derive(Debug)]
pub struct Running {
    pub(crate) ports: Ports,
    pub(crate) handle: Handle,
    pub(crate) work: WorkOut,
    pub(crate) told: mpsc::Receiver<Told>,
    /// Dropped to stop the driver.
    pub(crate) stop: Option<watch::Sender<()>>,
    pub(crate) driver: Option<JoinHandle<Option<Node>>>,
    pub(crate) tasks: LinkTasks,
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

/// The ways by which a payment of ours has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The number of links that it was handed to. They write it, even if the node is stopped now.
    pub links: usize,
    /// Whether the system took it for broadcast.
    pub broadcast: bool,
}

impl Running {
    /// Binds the sockets and starts the node on this chain. Needs a tokio runtime to wait on.
    ///
    /// # Errors
    /// [`NetworkError`]: a port is in use, or the chain cannot be read.
    pub async fn start(ledger: Ledger, settings: Settings) -> Result<Self, NetworkError> {
        Self::resume(ledger, settings, Vec::new()).await
    }

    /// The same as [`Self::start`], with the payments that waited when an earlier run ended, as
    /// [`Self::stop_saving`] gave them: those that are valid on the chain as it is wait again.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn resume(
        ledger: Ledger,
        settings: Settings,
        waiting: Vec<Transaction>,
    ) -> Result<Self, NetworkError> {
        let launching = spawn_blocking(move || launch(ledger, &settings, waiting));
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
        self.work.watch()
    }

    /// Hands what the engine is to do to `take`, now and at each change, on the node's own thread:
    /// it must return at once. Only one can have it; another takes its place.
    pub fn direct(&self, take: impl FnMut(&Work) + Send + 'static) {
        self.work.hand_to(take);
    }

    /// Ends all, within a second: what was handed over before is taken in, committed and written to
    /// the links, the links are closed, and the chain's lock is free. Other sides that do not read
    /// are not waited for.
    pub async fn stop(self) {
        self.stop_saving(|_| {}).await;
    }

    /// The same as [`Self::stop`]; in between `save` gets the payments that wait for a block, on a
    /// thread that may block. The chain is still locked then, so whoever opens it next finds what
    /// `save` wrote. It is not called for a node that has died.
    pub async fn stop_saving(mut self, save: impl FnOnce(Vec<Transaction>) + Send + 'static) {
        self.stop.take();
        let (driver, runtime) = (self.driver.take(), self.runtime.take());
        let tasks = self.tasks.clone();
        let ending = spawn_blocking(move || {
            match driver.map(JoinHandle::join) {
                Some(Ok(Some(node))) => {
                    save(node.mempool().map(|one| one.transaction().clone()).collect());
                }
                Some(Err(_)) => tracing::error!("the node's thread panicked"),
                Some(Ok(None)) | None => {}
            }
            if let Some(runtime) = runtime {
                // The driver has let go of the links; they write what it left them.
                let _ = runtime.block_on(async { timeout(LEAVING, tasks.ended()).await });
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

    /// Lets the node rest once so many blocks of its own have become the tip: not one more is mined.
    pub fn mine_at_most(&self, blocks: u64) {
        // A node that has ended mines nothing.
        let _ = self.own.send(Own::MineAtMost(blocks));
    }

    /// A payment of this data directory: verified, admitted to the mempool, and sent to all. To be
    /// called again to repeat it. Nobody waits for it.
    pub fn submit(&self, transaction: Transaction) {
        drop(self.deliver(transaction));
    }

    /// The same as [`Self::submit`], at once; what is returned says, once the node has handled the
    /// payment, by which ways it has left. `None` if by none: it is not valid, a block has its
    /// sequence already, or the node has ended.
    #[must_use = "`submit` sends without waiting"]
    pub fn deliver(
        &self,
        transaction: Transaction,
    ) -> impl Future<Output = Option<Delivered>> + Send + use<> {
        let (receipt, delivered) = oneshot::channel();
        match transaction.verify(self.network) {
            Ok(transaction) => drop(self.own.send(Own::Deliver(transaction, receipt))),
            Err(error) => tracing::warn!("a payment of ours is not sent: {error}"),
        }
        async { delivered.await.ok() }
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

    /// The number of static peers that a connection is being opened to.
    pub fn connecting(&self) -> usize {
        self.snapshot.borrow().connecting
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
