//! [`Output`]: what a node wants done.

use cairn_protocol::messages::{Answer, Request, RequestId, Status};
use cairn_protocol::{Height, Transaction};

use crate::event::Event;
use crate::input::{Origin, PeerId, QuestionId};
use crate::template::Template;

/// What a node wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Tell all, by broadcast and on every link.
    BroadcastStatus(Status),
    /// Ask all for their status, by broadcast.
    Solicit,
    /// Send to all but the way it came by.
    Relay {
        /// That way.
        origin: Origin,
        /// What to send.
        transaction: Transaction,
    },
    /// Ask a peer (connect to it if no link stands).
    Ask {
        /// The number by which the driver reports the answer or the failure.
        question: QuestionId,
        /// Whom.
        peer: PeerId,
        /// What.
        request: Request,
    },
    /// Answer a peer's question.
    Answer {
        /// Who asked.
        peer: PeerId,
        /// Its number for the question.
        request: RequestId,
        /// The answer.
        answer: Answer,
    },
    /// Cut a peer off.
    Drop {
        /// Whom.
        peer: PeerId,
        /// What it did, for the log.
        reason: String,
    },
    /// Work on this and nothing else.
    Mine(Template),
    /// Work on nothing.
    Rest(RestReason),
    /// Tell the user.
    Event(Event),
    /// The disk failed: nothing more can be done, and nothing more comes out of this node.
    Halt {
        /// What failed and what to do about it.
        message: String,
    },
}

/// Why nothing is mined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestReason {
    /// Not set up to mine.
    NotMining,
    /// It has mined as many blocks as it was to.
    Enough,
    /// Just started: waiting to hear of others.
    Joining,
    /// Verified headers show more work than the tip.
    CatchingUp {
        /// The tip's height.
        height: Height,
        /// The height of the header with the most work.
        best: Height,
    },
    /// Fewer transactions wait than a block needs.
    TooFewTransactions {
        /// How many a block would have now, its reward included.
        have: u32,
        /// How many it needs.
        need: u32,
    },
    /// Our clock stands too far off those of the peers, or a heavier chain lies in our future.
    ClockOff {
        /// How far our clock is ahead of theirs; negative: behind.
        seconds: i64,
    },
}
