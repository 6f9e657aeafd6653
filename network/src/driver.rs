//! The thread that owns the node: it waits for what happens, lets the node handle it, and sees to
//! what the node wants done.

use std::sync::Arc;
use std::time::Duration;

use cairn_node::{Event, Input, Node, Origin, Output, Verified};
use cairn_protocol::{VerifiedBlock, VerifiedTransaction};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use crate::clock;
use crate::inbox::Incoming;
use crate::known::KnownPayments;
use crate::publisher::{Publisher, Snapshot};
use crate::running::Delivered;
use crate::switchboard::Switchboard;
use crate::work::Work;

/// How long a node that is being stopped takes in what its process handed over before that.
const LAST_ORDERS: Duration = Duration::from_millis(200);

/// What this process itself wants of its node. No peer can make these many.
#[derive(Debug)]
pub(crate) enum Own {
    Mined(VerifiedBlock),
    MineAtMost(u64),
    /// To be sent to all; says how it went, unless nothing was sent.
    Deliver(VerifiedTransaction, oneshot::Sender<Delivered>),
}

/// A node, and all that it takes to run it.
pub(crate) struct Driver {
    pub(crate) node: Node,
    pub(crate) board: Switchboard,
    pub(crate) publisher: Publisher,
    pub(crate) own: mpsc::UnboundedReceiver<Own>,
    pub(crate) inbox: mpsc::Receiver<Incoming>,
    /// Its sender is dropped to stop.
    pub(crate) stop: watch::Receiver<()>,
    /// Where the payments that the node is handed are remembered.
    pub(crate) known: Arc<KnownPayments>,
    /// How the last transaction went out.
    pub(crate) delivered: Option<Delivered>,
}

/// What came up while the driver waited.
enum Turn {
    Own(Own),
    Incoming(Incoming),
    Time,
    Stop,
}

impl Driver {
    /// Runs the node until it is stopped, and returns it then, or until it dies.
    pub(crate) fn run(mut self) -> Option<Node> {
        let is_alive = match Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime.block_on(self.live()),
            Err(error) => {
                self.publisher.fail(format!("cannot keep time: {error}"));
                false
            }
        };
        is_alive.then_some(self.node)
    }

    /// Returns whether the node was alive when it was stopped.
    async fn live(&mut self) -> bool {
        let mut is_alive = self.feed(Input::Tick);
        while is_alive {
            self.show();
            is_alive = match self.wait().await {
                Turn::Own(own) => self.obey(own),
                Turn::Incoming(incoming) => {
                    self.board.receive(incoming);
                    true
                }
                Turn::Time => true,
                Turn::Stop => return self.take_last_orders(),
            };
            // A flood of messages must not make the time stand still.
            self.board.keep_time();
            is_alive = is_alive && self.feed_waiting();
        }
        false
    }

    /// Handles what this process handed over before it wanted the end. Returns whether the node
    /// lives on.
    fn take_last_orders(&mut self) -> bool {
        let deadline = Instant::now() + LAST_ORDERS;
        while Instant::now() < deadline
            && let Ok(own) = self.own.try_recv()
        {
            if !self.obey(own) {
                return false;
            }
        }
        self.show();
        true
    }

    async fn wait(&mut self) -> Turn {
        let node = self.node.deadline().map(|at| Instant::now() + at.since(clock::now()));
        let board = self.board.deadline();
        let wake = node.map_or(board, |node| node.min(board));
        tokio::select! {
            biased;
            _ = self.stop.changed() => Turn::Stop,
            Some(own) = self.own.recv() => Turn::Own(own),
            Some(incoming) = self.inbox.recv() => Turn::Incoming(incoming),
            () = sleep_until(wake) => Turn::Time,
        }
    }

    /// Does what this process wants. Returns whether the node lives on.
    fn obey(&mut self, own: Own) -> bool {
        match own {
            Own::Mined(block) => self.feed(Input::Mined(block)),
            Own::MineAtMost(blocks) => self.feed(Input::MineAtMost(blocks)),
            Own::Deliver(transaction, receipt) => {
                self.delivered = None;
                let input = Input::Transaction { origin: Origin::Own, transaction };
                let is_alive = self.feed(input);
                if let Some(delivered) = self.delivered.take() {
                    // Not everybody waits for it.
                    let _ = receipt.send(delivered);
                }
                is_alive
            }
        }
    }

    /// Hands the node what waits for it, and a tick if that is due; less when it is to stop.
    /// Returns whether it lives on.
    fn feed_waiting(&mut self) -> bool {
        while let Some(input) = self.board.next_input() {
            if self.stop.has_changed().is_err() {
                return true;
            }
            if !self.feed(input) {
                return false;
            }
        }
        for warning in self.board.take_warnings() {
            self.publisher.tell(warning, None);
        }
        let is_due = self.node.deadline().is_some_and(|at| at <= clock::now());
        !is_due || self.feed(Input::Tick)
    }

    /// Lets the node handle this, and does what it wants. Returns whether it lives on.
    fn feed(&mut self, input: Input) -> bool {
        match &input {
            Input::Transaction { transaction, .. } => self.known.add(transaction),
            Input::Answered { answer: Verified::Transactions(payments), .. } => {
                for payment in payments {
                    self.known.add(payment);
                }
            }
            _ => {}
        }
        self.node.handle(clock::now(), input).into_iter().all(|output| self.put_out(output))
    }

    fn put_out(&mut self, output: Output) -> bool {
        match output {
            Output::BroadcastStatus(status) => self.board.broadcast_status(status),
            Output::Solicit => self.board.solicit(),
            Output::Relay { origin, transaction } => {
                self.delivered = Some(self.board.relay(origin, transaction));
            }
            Output::Ask { question, peer, request } => self.board.ask(question, peer, request),
            Output::Answer { request, answer, .. } => self.board.answer(request, answer),
            Output::Drop { peer, reason } => self.board.cut(peer, &reason),
            Output::Mine(template) => self.publisher.work.put(Work::Mine(template.into())),
            Output::Rest(reason) => self.publisher.work.put(Work::Rest(reason)),
            Output::Event(event) => self.tell(event),
            Output::Halt { message } => {
                self.publisher.fail(message);
                return false;
            }
        }
        true
    }

    fn tell(&self, event: Event) {
        let peer = match &event {
            Event::BlockAdopted { from, .. } => *from,
            Event::BlockMined { .. } | Event::Reorg { .. } | Event::Warning { .. } => None,
        };
        let from = peer.and_then(|peer| self.board.address(peer));
        self.publisher.tell(event, from);
    }

    fn show(&self) {
        let contacts = Contacts {
            links: self.board.link_count(),
            connecting: self.board.connecting(),
            heard: self.board.heard(),
        };
        self.publisher.show(snapshot(&self.node, contacts), self.node.status(clock::now()));
    }
}

/// Whom a node knows; see [`Snapshot`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Contacts {
    pub(crate) links: usize,
    pub(crate) connecting: usize,
    pub(crate) heard: usize,
}

/// How a node stands.
pub(crate) fn snapshot(node: &Node, contacts: Contacts) -> Snapshot {
    let Contacts { links, connecting, heard } = contacts;
    Snapshot {
        tip: node.tip(),
        best_header: node.ledger().best_header(),
        counters: node.counters(),
        links,
        connecting,
        heard,
        is_level: node.is_level(),
        failure: None,
    }
}
