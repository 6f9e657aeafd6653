//! [`Context`]: what every command starts from.

use std::path::PathBuf;

use cairn_home::{CommonArgs, Config, DataDir, Failure, KeyStore, NetworkArgs, Output};
use cairn_ledger::{LedgerError, LedgerReader, Tip};
use cairn_network::BlocksPort;
use cairn_protocol::{AccountId, Address, Height, Network, Timestamp, Work};

/// Configuration, data directory and output of this run.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) data_dir: DataDir,
    pub(crate) output: Output,
}

impl Context {
    pub(crate) fn load(args: &CommonArgs) -> Result<Self, Failure> {
        Ok(Self {
            config: Config::load(args)?,
            data_dir: DataDir::resolve(args)?,
            output: Output::new(args),
        })
    }

    /// The same, with the command's `--lan` and `--peer`.
    pub(crate) fn with_network_args(mut self, args: &NetworkArgs) -> Self {
        self.config = self.config.with_network_args(args);
        self
    }

    pub(crate) fn network(&self) -> &Network {
        self.config.network()
    }

    pub(crate) fn keys(&self) -> KeyStore {
        self.data_dir.keys()
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.data_dir.network_folder(self.network())
    }

    pub(crate) fn address(&self, account: AccountId) -> Address {
        Address::new(self.network().rules().name.clone(), account)
    }

    /// How this wallet talks to nodes: it neither mines nor serves blocks.
    pub(crate) fn network_settings(&self) -> cairn_network::Settings {
        self.config.network_settings(None, BlocksPort::None)
    }

    /// The chain of this data directory, if there is one. Creates nothing.
    pub(crate) fn chain(&self) -> Result<Option<LedgerReader>, Failure> {
        match LedgerReader::open(&self.folder(), self.network()) {
            Ok(reader) => Ok(Some(reader)),
            Err(LedgerError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What a chain starts with: the tip of whoever has none.
    pub(crate) fn genesis_tip(&self) -> Tip {
        Tip { block: self.network().genesis_ref(), work: Work::ZERO, time: Timestamp::ZERO }
    }
}

/// Whether a chain with this tip was never synchronised: it holds nothing but genesis.
pub(crate) fn is_empty(tip: &Tip) -> bool {
    tip.block.height == Height::GENESIS
}
