//! What the tasks of a node share.

use std::sync::Arc;
use std::time::Duration;

use cairn_protocol::Network;
use cairn_protocol::messages::{Hello, Status};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::clock;
use crate::inbox::Incoming;
use crate::intake::Intake;
use crate::known::KnownPayments;
use crate::link_tasks::LinkTasks;
use crate::server::Server;

/// What the tasks of a node share.
pub(crate) struct Surroundings {
    pub(crate) network: Network,
    /// The node's state, as it last told it.
    pub(crate) status: watch::Receiver<Status>,
    /// The links whose tasks have not ended.
    pub(crate) tasks: LinkTasks,
    /// How long a link may be silent.
    pub(crate) silence: Duration,
    /// The driver's queue.
    pub(crate) inbox: mpsc::Sender<Incoming>,
    /// Where transactions go to be verified.
    pub(crate) intake: Intake,
    /// Payments that need not be verified again.
    pub(crate) known: Arc<KnownPayments>,
    /// Who answers questions about the chain.
    pub(crate) server: Arc<Server>,
    /// A permit for each name that may be looked up at a time, [`MAX_LOOKUPS`] in all.
    ///
    /// [`MAX_LOOKUPS`]: crate::limits::MAX_LOOKUPS
    pub(crate) lookups: Arc<Semaphore>,
}

impl Surroundings {
    /// What a node says first on a link.
    pub(crate) fn hello(&self) -> Hello {
        let status = Status { clock: clock::now(), ..*self.status.borrow() };
        Hello::new(self.network.rules().clone(), status)
    }
}
