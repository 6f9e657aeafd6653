//! [`Storage`]: the data directory that a chain is written into.

use std::path::{Path, PathBuf};

use cairn_forge::Recipe;
use cairn_home::{DataDir, Exit, Failure, KeyError, KeyName, KeyStore};
use cairn_ledger::Ledger;
use cairn_protocol::{Network, SecretKey, Timestamp, VerifiedBlock};

use super::cli::Cli;

/// A new chain in a data directory.
#[derive(Debug)]
pub(crate) struct Storage {
    ledger: Ledger,
    folder: PathBuf,
    /// The time of the last block: the clock that the ledger is shown, so that nothing depends on
    /// this machine's.
    end: Timestamp,
}

impl Storage {
    /// An empty chain, and the key files if they are asked for. Overwrites nothing: whatever
    /// stands in the way is found before the first file is written.
    pub(crate) fn create(cli: &Cli, network: &Network, recipe: &Recipe) -> Result<Self, Failure> {
        let data_dir = DataDir::resolve(&cli.common())?;
        let folder = data_dir.network_folder(network);
        if folder.symlink_metadata().is_ok() {
            return Err(chain_exists(&folder));
        }
        let keys = if cli.keys { named_keys(recipe) } else { Vec::new() };
        write_keys(&data_dir.keys(), &keys)?;
        let folder = data_dir.create_network_folder(network)?;
        let ledger = Ledger::open(&folder, network)?;
        Ok(Self { ledger, folder, end: recipe.end() })
    }

    /// Where the chain is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds blocks in one commit.
    pub(crate) fn add(&mut self, blocks: &[VerifiedBlock]) -> Result<(), Failure> {
        let added = self.ledger.add_blocks(blocks, self.end)?;
        let Some((block, error)) = added.refused.first() else {
            return Ok(());
        };
        let message = format!("the ledger refuses the forged block {block}: {error}; report this");
        Err(Failure::new(Exit::Unexpected, "refused", message))
    }
}

fn named_keys(recipe: &Recipe) -> Vec<(KeyName, SecretKey)> {
    let name = |number| format!("account-{number}").parse().expect("short and plain");
    recipe.keys().into_iter().enumerate().map(|(index, key)| (name(index + 1), key)).collect()
}

fn write_keys(store: &KeyStore, keys: &[(KeyName, SecretKey)]) -> Result<(), KeyError> {
    if let Some((name, _)) = keys.iter().find(|(name, _)| store.contains(name)) {
        return Err(KeyError::Exists(name.clone(), store.file(name)));
    }
    keys.iter().try_for_each(|(name, key)| store.add(name, key))
}

fn chain_exists(folder: &Path) -> Failure {
    let message = format!(
        "there is a chain of this network already, in {}, and it is left as it is; name another \
         folder by --data-dir, or move that one away",
        folder.display()
    );
    Failure::new(Exit::Usage, "chain_exists", message)
}
