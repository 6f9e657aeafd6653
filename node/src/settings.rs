//! [`Settings`]: how a node is set up.

use std::time::Duration;

use cairn_protocol::messages::InstanceId;
use cairn_protocol::{AccountId, Amount};

/// How a node is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// By which it recognises its own messages; drawn by the driver.
    pub instance: InstanceId,
    /// Who gets the rewards; `None`: it does not mine.
    pub reward_to: Option<AccountId>,
    /// The block server's TCP port, for status messages; 0: none.
    pub blocks_port: u16,
    /// How often the status is broadcast when nothing happens.
    pub status_interval: Duration,
    /// What the mempool holds at most.
    pub mempool: MempoolLimits,
}

/// What the mempool holds at most: `[mempool]` of config.toml.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MempoolLimits {
    /// Payments.
    pub max_payments: usize,
    /// Bytes of their encodings together.
    pub max_bytes: usize,
    /// Payments of one account.
    pub max_per_account: usize,
    /// Payments of one account that stand behind a gap in its sequences.
    pub max_ahead: usize,
    /// After how long a payment is given up, together with those of its account that follow it.
    pub expiry: Duration,
    /// The smallest fee of a payment.
    pub min_fee: Amount,
}

impl Default for MempoolLimits {
    fn default() -> Self {
        Self {
            max_payments: 50_000,
            max_bytes: 32 << 20,
            max_per_account: 64,
            max_ahead: 16,
            expiry: Duration::from_secs(24 * 60 * 60),
            min_fee: Amount::ZERO,
        }
    }
}
