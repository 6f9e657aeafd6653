//! [`MempoolError`]: why the mempool does not take a payment. None of it makes a payment invalid.

use cairn_protocol::{Amount, Sequence};

/// Why the mempool does not take a payment, by rule M1 to M8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MempoolError {
    /// Rule M1: the sequence is not used up.
    #[error("its sequence is {given}, and its sender's next is {expected}: another block has it")]
    StaleSequence {
        /// The payment's.
        given: Sequence,
        /// The account's.
        expected: Sequence,
    },
    /// Rule M2: only so many payments of an account may stand behind a gap, and none further
    /// ahead than its queue is long.
    #[error("its sequence is {given}, too far ahead of {expected}; send those before it first")]
    TooFarAhead {
        /// The payment's.
        given: Sequence,
        /// The first that is missing.
        expected: Sequence,
    },
    /// Rule M3: only so many payments of an account may wait.
    #[error("{0} payments of its sender wait already; send it when a block has some of them")]
    AccountFull(usize),
    /// Rule M4: the account can pay for it and for all that it sent before.
    #[error(
        "its sender needs {needed} for it and the payments before it, and has {balance} in blocks"
    )]
    InsufficientFunds {
        /// The costs of the account's waiting payments up to this one.
        needed: Amount,
        /// The account's balance as of the tip.
        balance: Amount,
    },
    /// Rule M5: what replaces a waiting payment pays 25 % and at least 1 micro-coin more.
    #[error("a payment with its sequence waits already; to replace it, pay a fee of {needed}")]
    ReplacementUnderpriced {
        /// The smallest fee that replaces it.
        needed: Amount,
    },
    /// Rule M6: the fee is not below this node's minimum.
    #[error("its fee is {given}, and this node wants {minimum}")]
    FeeBelowMinimum {
        /// The payment's.
        given: Amount,
        /// `mempool.min_fee` of config.toml.
        minimum: Amount,
    },
    /// Rule M7: when the mempool is full, the lowest fee rate gives way.
    #[error("the mempool is full of payments with higher fees; pay more, or send it later")]
    PoolFull,
    /// Rule M8: a payment waits only once.
    #[error("it waits already")]
    AlreadyKnown,
}

impl MempoolError {
    /// The number of the rule.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::StaleSequence { .. } => "M1",
            Self::TooFarAhead { .. } => "M2",
            Self::AccountFull(_) => "M3",
            Self::InsufficientFunds { .. } => "M4",
            Self::ReplacementUnderpriced { .. } => "M5",
            Self::FeeBelowMinimum { .. } => "M6",
            Self::PoolFull => "M7",
            Self::AlreadyKnown => "M8",
        }
    }
}
