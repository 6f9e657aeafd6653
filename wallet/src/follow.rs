//! [`Follower`]: keeps the chain of this data directory up to date, or lets another process.
//!
//! One process at a time writes a chain. As long as no other does, a follower runs a node of its
//! own. When a miner starts in the same data directory, the follower ends its node within a second
//! and reads along; when the miner ends, it runs a node again.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use cairn_home::{Exit, Failure, MempoolFile, MinerLock, Outbox, Repeater, repeater};
use cairn_ledger::{Journal, Ledger, LedgerError};
use cairn_network::{Handle, Running};
use cairn_node::Event;
use cairn_protocol::{Height, Transaction, Work};
use tokio::time::{sleep, timeout};

use crate::context::{Context, is_empty};

/// How often a follower looks whether a miner wants the chain, or has left it.
const PROBE_INTERVAL: Duration = Duration::from_millis(200);
/// How long a program that has nothing else to do waits for peers that a payment is to reach.
pub(crate) const DELIVERY: Duration = Duration::from_secs(3);
/// How long the node may take to pass on what it is handed.
const PASSING_ON: Duration = Duration::from_secs(1);

const ON_NETWORK: &str = "this data directory is on a network file system, where the chain is kept \
    in a slower way; `--data-dir` names one on a disk of this machine";

/// How far the chain of this data directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nobody was heard, and no other process follows a chain that has a block.
    Silent,
    /// Others have more work.
    Behind,
    /// Level with the best chain heard, or another process sees to that.
    Level,
}

/// Follows the network's chain, by turns with a miner of the same data directory.
pub(crate) struct Follower {
    context: Context,
    folder: PathBuf,
    /// Our own node; none while another process writes the chain.
    node: Option<OwnNode>,
    mempool: MempoolFile,
    repeater: Repeater,
    next_repeat: Instant,
}

/// A running node, and what reaches it.
struct OwnNode {
    running: Running,
    handle: Handle,
}

impl Follower {
    /// Starts to follow; the data directory is created where missing.
    pub(crate) async fn start(context: &Context) -> Result<Self, Failure> {
        let folder = context.data_dir.create_network_folder(context.network())?;
        let repeater = Repeater::new(folder.clone(), context.config.intervals.transaction);
        let mempool = MempoolFile::new(&folder, context.network().id(), &context.config.mempool);
        let context = context.clone();
        let next_repeat = Instant::now();
        let mut follower = Self { context, folder, node: None, mempool, repeater, next_repeat };
        follower.node = follower.start_node().await?;
        Ok(follower)
    }

    /// Follows for an instant: call it again and again.
    pub(crate) async fn step(&mut self) -> Result<(), Failure> {
        self.listen().await?;
        self.hand_over().await?;
        self.repeat();
        Ok(())
    }

    /// Follows until level with the best chain heard, for so long at most.
    pub(crate) async fn catch_up(&mut self, limit: Duration) -> Result<Progress, Failure> {
        let deadline = Instant::now() + limit;
        loop {
            let progress = self.progress()?;
            if progress == Progress::Level || Instant::now() >= deadline {
                return Ok(progress);
            }
            self.step().await?;
        }
    }

    /// How far the chain is.
    pub(crate) fn progress(&self) -> Result<Progress, Failure> {
        if let Some(node) = &self.node {
            return Ok(match (node.handle.is_level(), node.handle.heard()) {
                (true, _) => Progress::Level,
                (false, 0) => Progress::Silent,
                (false, _) => Progress::Behind,
            });
        }
        let tip = self.context.chain()?.map(|reader| reader.tip()).transpose()?;
        let empty = tip.is_none_or(|tip| is_empty(&tip));
        Ok(if empty { Progress::Silent } else { Progress::Level })
    }

    /// The work of the tip and of the best header of our own node.
    pub(crate) fn shown(&self) -> Option<[Work; 2]> {
        let now = self.node.as_ref()?.handle.snapshot();
        Some([now.tip.work, now.best_header.work])
    }

    /// The heights of the tip and of the best header of our own node.
    pub(crate) fn heights(&self) -> Option<[Height; 2]> {
        let now = self.node.as_ref()?.handle.snapshot();
        Some([now.tip.block.height, now.best_header.block.height])
    }

    /// Sends payments to all, and sees to it that they leave: at once, and again when peers that
    /// were not linked then are linked, for which it waits so long at most. What does not leave is
    /// repeated by whoever follows the chain next; it is recorded in any case.
    pub(crate) async fn deliver(
        &mut self,
        payments: &[Transaction],
        limit: Duration,
    ) -> Result<(), Failure> {
        if payments.is_empty() {
            return Ok(());
        }
        let deadline = Instant::now() + limit;
        let mut was_broadcast = true;
        loop {
            // A link that comes up between two payments has only got the second.
            let was_complete = !self.expects_links(was_broadcast);
            was_broadcast = self.send_all(payments).await;
            let is_complete = was_complete && !self.expects_links(was_broadcast);
            if is_complete || Instant::now() >= deadline {
                return Ok(());
            }
            while self.expects_links(was_broadcast) && Instant::now() < deadline {
                self.step().await?;
            }
        }
    }

    /// Delivers the payments that no block holds yet.
    pub(crate) async fn deliver_recorded(&mut self, limit: Duration) -> Result<(), Failure> {
        let Some(outbox) = Outbox::open_existing(&self.folder)? else { return Ok(()) };
        let Some(reader) = self.context.chain()? else { return Ok(()) };
        self.deliver(&outbox.unconfirmed(&reader)?, limit).await
    }

    /// Sends payments, and waits until the node has passed them on to links and broadcast. Returns
    /// whether the broadcast took all.
    async fn send_all(&self, payments: &[Transaction]) -> bool {
        let Some(node) = &self.node else {
            for payment in payments {
                self.send(payment.clone());
            }
            return true;
        };
        let deliver = |payment: &Transaction| node.handle.deliver(payment.clone());
        let deliveries: Vec<_> = payments.iter().map(deliver).collect();
        let passing_on = async {
            let mut was_broadcast = true;
            for delivery in deliveries {
                // If nothing was sent, a block has it, or the next step says why the node ended.
                was_broadcast &= delivery.await.is_none_or(|delivered| delivered.broadcast);
            }
            was_broadcast
        };
        // A node that is busy for longer still has them, and passes them on before it ends.
        timeout(PASSING_ON, passing_on).await.unwrap_or(true)
    }

    /// Whether somebody may be reached by a link soon whom nothing reaches now. Who was heard hears
    /// the broadcast; who was named by the user may not.
    fn expects_links(&self, was_broadcast: bool) -> bool {
        let Some(node) = &self.node else { return false };
        let now = node.handle.snapshot();
        let names_peers = !self.context.config.links.peers.is_empty();
        let is_alone = now.links == 0 && (names_peers || now.heard > 0 && !was_broadcast);
        now.connecting > 0 || is_alone
    }

    fn send(&self, transaction: Transaction) {
        let Some(node) = &self.node else {
            let settings = self.context.network_settings();
            let sent = cairn_network::announce(self.context.network(), &settings, &transaction);
            if let Err(error) = sent {
                tracing::warn!("cannot announce the payment, it will be repeated: {error}");
            }
            return;
        };
        node.handle.submit(transaction);
    }

    /// Ends, and releases the chain.
    pub(crate) async fn stop(mut self) {
        if let Some(node) = self.node.take() {
            self.release(node).await;
        }
    }

    /// Ends a node. Whoever writes the chain next finds what waited in its mempool.
    async fn release(&self, node: OwnNode) {
        let (mempool, output) = (self.mempool.clone(), self.context.output);
        node.running.stop_saving(move |waiting| mempool.keep(&waiting, output)).await;
    }

    /// Waits a little, and passes on what the node tells.
    async fn listen(&mut self) -> Result<(), Failure> {
        let Some(node) = &mut self.node else {
            sleep(PROBE_INTERVAL).await;
            return Ok(());
        };
        let (is_alive, told) = tokio::select! {
            told = node.running.next_event() => (told.is_some(), told),
            is_alive = node.handle.changed() => (is_alive, None),
            () = sleep(PROBE_INTERVAL) => (true, None),
        };
        if !is_alive {
            return Err(ended(&node.handle));
        }
        if let Some(told) = told {
            self.tell(told.event);
        }
        Ok(())
    }

    fn tell(&self, event: Event) {
        match event {
            Event::Warning { code, message } => self.context.output.note(code, &message),
            other => tracing::info!("{other:?}"),
        }
    }

    /// Gives the chain to a miner that wants it, or takes it back.
    async fn hand_over(&mut self) -> Result<(), Failure> {
        match self.node.take() {
            Some(node) if MinerLock::is_wanted(&self.folder) => {
                self.release(node).await;
                self.note("a miner has started in this data directory; following its chain");
            }
            Some(node) => self.node = Some(node),
            None => {
                self.node = self.start_node().await?;
                if self.node.is_some() {
                    self.note("no other process follows this chain any more; following it here");
                }
            }
        }
        Ok(())
    }

    fn note(&self, message: &str) {
        self.context.output.note("hand_over", message);
    }

    /// Runs a node, unless another process writes the chain or is about to.
    async fn start_node(&self) -> Result<Option<OwnNode>, Failure> {
        if MinerLock::is_wanted(&self.folder) {
            return Ok(None);
        }
        match Ledger::open(&self.folder, self.context.network()) {
            Ok(ledger) => {
                if ledger.journal() == Journal::Rollback {
                    self.context.output.note("network_file_system", ON_NETWORK);
                }
                let settings = self.context.network_settings();
                let waiting = self.mempool.restore(self.context.output);
                let running = Running::resume(ledger, settings, waiting).await?;
                Ok(Some(OwnNode { handle: running.handle(), running }))
            }
            Err(LedgerError::InUse(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends the payments again that no block holds yet, when it is time.
    fn repeat(&mut self) {
        let now = Instant::now();
        if now < self.next_repeat {
            return;
        }
        self.next_repeat = now + repeater::POLL_INTERVAL;
        match self.repeater.due(now, self.context.network()) {
            Ok(transactions) => {
                for transaction in transactions {
                    self.send(transaction);
                }
            }
            Err(error) => tracing::warn!("cannot repeat payments now: {error}"),
        }
    }
}

/// The failure of a node that does not run any more.
fn ended(node: &Handle) -> Failure {
    let message = node.failure().unwrap_or_else(|| "the node has ended".to_owned());
    Failure::new(Exit::Unexpected, "node_failed", message)
}
