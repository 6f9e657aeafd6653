//! The peer as a pure state machine: it syncs, relays, keeps a mempool and says what to mine.
//!
//! [`Node::handle`] takes the time and an [`Input`] and returns [`Output`]s; [`Node::deadline`]
//! says when to come back if nothing happens. There is no socket, clock, thread or randomness in
//! here, so the same node runs on real sockets and in a simulation, and a recorded session can be
//! replayed. Its one effect is on the [`Ledger`](cairn_ledger::Ledger), which it owns.
//!
//! | file | job |
//! |---|---|
//! | [`node`](Node) | dispatch: who gets which input, and what is due |
//! | `sync/` | headers first, then bodies; headers ahead of our clock |
//! | `chain` | what follows when the tip moves |
//! | `mempool/` | payments that wait for a block, within limits |
//! | `relay`, `reconcile` | payments that are new to us, announced and asked for |
//! | `template`, `mining` | what to mine, and when not to |
//! | `announcer`, `clock_watch` | what we say of ourselves, and what others' clocks say of ours |
//! | `peers`, `questions` | what each peer said, and what we asked |

#![forbid(unsafe_code)]

mod announcer;
mod chain;
mod clock_watch;
mod commit;
mod event;
mod input;
mod mempool;
mod mining;
mod node;
mod output;
mod peers;
mod questions;
mod reconcile;
mod relay;
mod settings;
mod sync;
mod template;
mod time;

pub use event::{Counters, Event};
pub use input::{Failure, Input, Origin, PeerId, QuestionId, Verified};
pub use mempool::MempoolError;
pub use node::{AdmitError, Node};
pub use output::{Output, RestReason};
pub use settings::{MempoolLimits, Settings};
pub use template::Template;
