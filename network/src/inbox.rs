//! What the tasks around the driver tell it.

use std::net::{IpAddr, SocketAddr};

use cairn_node::{Failure, Origin, PeerId, QuestionId, Verified};
use cairn_protocol::messages::{Answer, HelloError, Request, RequestId, Status};
use cairn_protocol::{NetworkId, TransactionError, VerifiedTransaction};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::frames::Frame;
use crate::link::LinkEnd;

/// A link, numbered by the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId(pub(crate) u64);

/// Whom a connection that we open is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// A peer found by broadcast.
    Found(PeerId),
    /// A static peer, by its place in the settings.
    Static(usize),
}

/// How a link came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    /// By the other side.
    ByThem,
    /// By us.
    ByUs(Goal),
}

/// A link whose sides have said hello.
#[derive(Debug)]
pub(crate) struct NewLink {
    pub(crate) opened: Opened,
    /// The other end of the connection.
    pub(crate) remote: SocketAddr,
    /// What the other side said of itself.
    pub(crate) status: Status,
    /// Where the link's task takes its orders. It ends when this is dropped.
    pub(crate) commands: mpsc::Sender<Command>,
    /// Tells the task who it is; dropped if the link is not wanted.
    pub(crate) welcome: oneshot::Sender<(LinkId, PeerId)>,
}

/// What a link's task is to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Send this.
    Send(Frame),
    /// Ask this, and give it up at this time at the latest.
    Ask { question: QuestionId, request: Request, deadline: Instant },
    /// Answer the other side's question of this number.
    Answer { request: RequestId, answer: Answer },
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A status by broadcast; the address is the datagram's source with the port that it names.
    Heard { address: SocketAddr, status: Status },
    /// Somebody asks all for their status.
    Solicited,
    /// A status of another network, by broadcast.
    Foreign { address: SocketAddr, network: NetworkId },
    /// A verified transaction.
    Transaction { origin: Origin, transaction: VerifiedTransaction },
    /// A peer sent, on a link, a transaction that no honest node sends.
    BadTransaction { peer: PeerId, error: TransactionError },
    /// A link stands.
    LinkUp(NewLink),
    /// A peer tells its state.
    LinkStatus { link: LinkId, status: Status },
    /// A peer asks what only the node knows.
    Asked { link: LinkId, request: RequestId, question: Request },
    /// A question is answered, and the answer verified.
    Answered { link: LinkId, question: QuestionId, answer: Verified },
    /// A question has failed.
    Failed { link: LinkId, question: QuestionId, failure: Failure },
    /// A link is gone.
    LinkDown { link: LinkId, end: LinkEnd },
    /// A node said hello that we cannot talk to.
    Refused { address: IpAddr, network: NetworkId, error: HelloError },
    /// A connection that we wanted did not come about.
    NotReached { goal: Goal, failure: DialFailure },
}

/// Why a connection did not come about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DialFailure {
    /// A node answers that we cannot talk to.
    #[error("{0}")]
    Refused(HelloError),
    /// Nobody answers, or no Cairn node.
    #[error("{0}")]
    Unreachable(String),
}
