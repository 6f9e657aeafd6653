//! [`Config`]: what config.toml and `--set` say, checked.
//!
//! Every refusal names the key, where it was set (file and line, or the flag) and the remedy.

mod check;
mod keys;
mod source;

use std::path::{Path, PathBuf};
use std::time::Duration;

use cairn_network::BlocksPort;
use cairn_node::MempoolLimits;
use cairn_protocol::{AccountId, Network, Rules};

pub(crate) use check::check_peer;
pub use source::{ConfigError, Origin};

use crate::args::{CommonArgs, NetworkArgs};
use crate::data_dir::project_dirs;
use crate::failure::{Exit, Failure};
use source::Setting;

/// The name of the file, in the working directory and in the user's configuration folder.
const FILE: &str = "config.toml";
/// The block server's port, unless another is set by hand.
const DEFAULT_BLOCKS_PORT: u16 = 2607;

/// A configuration with which a program can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    network: Network,
    /// `[ports]`
    pub ports: Ports,
    /// `[intervals]`
    pub intervals: Intervals,
    /// `[network]`
    pub links: Links,
    /// `[miner]`
    pub miner: Miner,
    /// `[mempool]`
    pub mempool: MempoolLimits,
}

/// `[ports]`: where a node listens. 0: any free port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// UDP: status messages.
    pub status: u16,
    /// TCP: the block server.
    pub blocks: u16,
    /// UDP: transactions.
    pub transactions: u16,
    /// Whether `blocks` was set by hand: by `--set`, or to another value than the default. If
    /// not, and the port is taken, a free one serves as well.
    pub blocks_by_hand: bool,
}

impl Ports {
    /// The block server's port, as the network driver takes it.
    pub fn blocks_port(&self) -> BlocksPort {
        if self.blocks_by_hand {
            BlocksPort::Exactly(self.blocks)
        } else {
            BlocksPort::Preferred(self.blocks)
        }
    }
}

/// `[intervals]`: what is repeated how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// Status messages.
    pub status: Duration,
    /// Payments that no block holds yet.
    pub transaction: Duration,
}

/// `[network]`: whom a node talks to, beside the other nodes of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Links {
    /// Whether to announce and listen on the local network.
    pub lan: bool,
    /// Nodes to link to, HOST:PORT each.
    pub peers: Vec<String>,
}

/// `[miner]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miner {
    /// Threads that search; 0: as many as the machine can run at once.
    pub threads: usize,
    /// Who gets the rewards: the name of a local key, or an address.
    pub reward_to: String,
}

impl Default for Config {
    /// The values of the repository's config.toml.
    fn default() -> Self {
        Draft::default().check().expect("the built-in values are possible")
    }
}

impl Config {
    /// The configuration that the command line asks for: the file (`--config`, else
    /// `CAIRN_CONFIG`, else ./config.toml, else the user's, else none), then each `--set`.
    ///
    /// # Errors
    /// [`ConfigError`] if a named file is missing, or if anything is set to what cannot be.
    pub fn load(args: &CommonArgs) -> Result<Self, ConfigError> {
        let mut settings = match file_of(args) {
            Some(path) => source::read_file(&path)?,
            None => Vec::new(),
        };
        for flag in &args.set {
            settings.push(source::parse_flag(flag)?);
        }
        Draft::of(settings)?.check()
    }

    /// The configuration of a text, as of a file of that name.
    ///
    /// # Errors
    /// [`ConfigError`] as of [`Self::load`].
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        Draft::of(source::parse_file(text, file)?)?.check()
    }

    /// This configuration with the command line's `--lan` and `--peer` added.
    #[must_use]
    pub fn with_network_args(mut self, args: &NetworkArgs) -> Self {
        self.links.lan |= args.lan;
        self.links.peers.extend(args.peers.iter().cloned());
        self
    }

    /// The network of `[rules]`.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// How a node is to be run: who gets the rewards of its blocks, if it mines, and where it
    /// serves blocks, if it does ([`Ports::blocks_port`]).
    pub fn network_settings(
        &self,
        reward_to: Option<AccountId>,
        blocks_port: BlocksPort,
    ) -> cairn_network::Settings {
        cairn_network::Settings {
            status_port: self.ports.status,
            blocks_port,
            transactions_port: self.ports.transactions,
            lan: self.links.lan,
            peers: self.links.peers.clone(),
            status_interval: self.intervals.status,
            mempool: self.mempool.clone(),
            reward_to,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Usage, "configuration", error.to_string())
    }
}

/// The file to read. One that was named must exist, the others need not.
fn file_of(args: &CommonArgs) -> Option<PathBuf> {
    args.config.clone().or_else(|| {
        let users = project_dirs().map(|dirs| dirs.config_dir().join(FILE));
        std::iter::once(PathBuf::from(FILE)).chain(users).find(|path| path.exists())
    })
}

/// A configuration in the making: each value possible by itself, not yet all of them together.
#[derive(Debug)]
struct Draft {
    rules: Rules,
    ports: Ports,
    intervals: Intervals,
    links: Links,
    miner: Miner,
    mempool: MempoolLimits,
    /// All that was set, in order: where to point at if values do not go together.
    settings: Vec<Setting>,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            ports: Ports {
                status: 2606,
                blocks: DEFAULT_BLOCKS_PORT,
                transactions: 2608,
                blocks_by_hand: false,
            },
            intervals: Intervals {
                status: Duration::from_secs(5),
                transaction: Duration::from_secs(5),
            },
            links: Links::default(),
            miner: Miner { threads: 0, reward_to: "mining-rewards".to_owned() },
            mempool: MempoolLimits::default(),
            settings: Vec::new(),
        }
    }
}

impl Draft {
    /// The built-in values, changed by these settings in order.
    fn of(settings: Vec<Setting>) -> Result<Self, ConfigError> {
        let mut draft = Self::default();
        for setting in &settings {
            draft.apply(setting)?;
        }
        draft.settings = settings;
        Ok(draft)
    }
}

#[cfg(test)]
mod tests;
