//! Where and how a node listens.

use std::time::Duration;

use cairn_node::MempoolLimits;
use cairn_protocol::AccountId;

/// Where and how to listen: `[ports]`, `[intervals]`, `[network]` and `[mempool]` of config.toml.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The UDP port of status messages, shared by all nodes of a host. 0: a free one, on which
    /// nobody is heard.
    pub status_port: u16,
    /// The TCP port of the block server.
    pub blocks_port: BlocksPort,
    /// The UDP port of transactions, shared by all nodes of a host. 0: as for `status_port`.
    pub transactions_port: u16,
    /// Whether to talk to the local network; otherwise all but static peers stays on this host.
    pub lan: bool,
    /// Peers to stay connected with, `HOST:PORT` each, the port being their block server's.
    pub peers: Vec<String>,
    /// How often a node says how it stands.
    pub status_interval: Duration,
    /// How much the node keeps of what waits for a block.
    pub mempool: MempoolLimits,
    /// Who gets the rewards; `None`: nothing is mined.
    pub reward_to: Option<AccountId>,
}

/// The TCP port of the block server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlocksPort {
    /// No block server, as for `wallet sync`.
    None,
    /// This port or, if it is taken, any free one.
    Preferred(u16),
    /// This port, which was set by hand, or an error. 0: any free one.
    Exactly(u16),
}

/// The ports that a node got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// UDP, status messages.
    pub status: u16,
    /// TCP, the block server; 0: none.
    pub blocks: u16,
    /// UDP, transactions.
    pub transactions: u16,
}
