//! [`Input`]: what happens to a node.

use cairn_protocol::messages::{Request, RequestId, Status};
use cairn_protocol::{
    BlockError, BlockRef, ProvenHeader, TransactionId, VerifiedBlock, VerifiedTransaction,
};

/// A node that can be asked, opaque to us; the driver knows its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerId(pub u64);

/// The number of a question that we asked; each is answered or failed exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QuestionId(pub u64);

/// By which way a transaction came, and does not go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This process or its data directory owns it: it goes everywhere, again and again.
    Own,
    /// The broadcast transport (UDP).
    Broadcast,
    /// A link.
    Link(PeerId),
}

/// What happens to a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The deadline has come.
    Tick,
    /// To rest once so many blocks of our own have become the tip, counted from the start.
    MineAtMost(u64),
    /// A link to this peer stands, and its hello said this.
    LinkUp {
        /// Who is at the other end.
        peer: PeerId,
        /// What it said of itself.
        status: Status,
    },
    /// The last link to this peer is gone.
    LinkDown {
        /// Who was at the other end.
        peer: PeerId,
    },
    /// A peer announced its state, on a link or by broadcast.
    Status {
        /// Who.
        peer: PeerId,
        /// What it said of itself.
        status: Status,
    },
    /// Somebody asks all for their status.
    Solicited,
    /// A transaction came.
    Transaction {
        /// By which way.
        origin: Origin,
        /// The transaction.
        transaction: VerifiedTransaction,
    },
    /// A question of ours is answered; the driver has verified what needs no chain.
    Answered {
        /// Which.
        question: QuestionId,
        /// What was answered.
        answer: Verified,
    },
    /// A question of ours has failed.
    Failed {
        /// Which.
        question: QuestionId,
        /// Why.
        failure: Failure,
    },
    /// A peer asks what only the node knows: mempool ids and transactions. (Headers and blocks
    /// are answered by the driver, from a `LedgerReader`.)
    Asked {
        /// Who.
        peer: PeerId,
        /// The number that its answer must carry.
        request: RequestId,
        /// What it asks.
        question: Request,
    },
    /// The engine found a block, sealed from one of our templates.
    Mined(VerifiedBlock),
}

/// An answer, verified as far as that goes without a chain.
#[derive(Clone, Debug, PartialEq)]
pub enum Verified {
    /// To [`Request::Headers`].
    Headers(Vec<ProvenHeader>),
    /// To [`Request::Blocks`].
    Blocks(Vec<VerifiedBlock>),
    /// To [`Request::MempoolIds`].
    MempoolIds(Vec<TransactionId>),
    /// To [`Request::Transactions`].
    Transactions(Vec<VerifiedTransaction>),
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// No link, no progress, or not in time.
    Unreachable,
    /// It sent something that no honest node sends; the driver has cut it off already.
    Misbehaved(String),
    /// A block whose proof of work holds and whose content is what its header commits to breaks a
    /// rule: the block is invalid for ever.
    InvalidBlock(BlockRef, BlockError),
}
