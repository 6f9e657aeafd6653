//! The mempool: payments that wait for a block, within the limits of
//! [`MempoolLimits`](crate::MempoolLimits).
//!
//! Each account has a queue in the order of its sequences. The part of it that starts at the
//! account's own sequence and has no gap is *ready*: only that goes into templates. What stands
//! behind a gap is *parked* until the gap fills. Parked payments are relayed like ready ones when
//! they are first heard, since datagrams come in any order and the gap may be ours alone.

mod error;
mod fee_rate;
mod pool;
mod queue;
#[cfg(test)]
mod tests;

pub use error::MempoolError;
pub(crate) use fee_rate::FeeRate;
pub(crate) use pool::Mempool;
pub(crate) use queue::{Entry, Queue};
