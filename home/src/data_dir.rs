//! [`DataDir`]: the folder that holds keys, chains and recorded payments.

use std::path::{Path, PathBuf};

use cairn_protocol::Network;
use directories::ProjectDirs;

use crate::args::CommonArgs;
use crate::failure::{Exit, Failure};
use crate::files::create_private;
use crate::keys::KeyStore;

/// A data directory:
///
/// ```text
/// keys/NAME.pem             key files, shared by all networks
/// NETWORK-12345678/         one folder for each network, by its name and id
///     chain.db  chain.lock  the chain and the lock of its writer
///     wallet.db             the outbox: payments made from here
///     mempool.bin           what waited for a block when the chain's writer stopped
///     miner.lock            held by a miner
/// ```
///
/// It is created only by what writes into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// `--data-dir`, else `CAIRN_DATA_DIR`, else the platform's place for a user's data.
    ///
    /// # Errors
    /// If none is named and the user has no home directory.
    pub fn resolve(args: &CommonArgs) -> Result<Self, Failure> {
        if let Some(path) = &args.data_dir {
            return Ok(Self(path.clone()));
        }
        match project_dirs() {
            Some(dirs) => Ok(Self(dirs.data_dir().to_owned())),
            None => Err(Failure::new(
                Exit::Usage,
                "no_home",
                "this user has no home directory; name a data directory by --data-dir DIR",
            )),
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Its key files.
    pub fn keys(&self) -> KeyStore {
        KeyStore::new(self.0.join("keys"))
    }

    /// The folder of a network, which need not exist.
    pub fn network_folder(&self, network: &Network) -> PathBuf {
        self.0.join(network.folder_name())
    }

    /// The folder of a network, created where missing.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn create_network_folder(&self, network: &Network) -> Result<PathBuf, Failure> {
        let folder = self.network_folder(network);
        create_private(&folder)
            .map_err(|error| Failure::io("cannot create the folder", &folder, &error))?;
        Ok(folder)
    }
}

/// Where this platform keeps a user's configuration and data of Cairn.
pub(crate) fn project_dirs() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "cairn")
}

#[cfg(test)]
mod tests {
    use cairn_protocol::Rules;

    use super::*;

    #[test]
    fn nothing_is_created_before_it_is_needed() {
        let parent = tempfile::tempdir().expect("a folder");
        let path = parent.path().join("data");
        let args = CommonArgs { data_dir: Some(path.clone()), ..CommonArgs::default() };
        let data_dir = DataDir::resolve(&args).expect("named");
        let network = Network::new(Rules::default()).expect("possible");
        let folder = data_dir.network_folder(&network);
        assert_eq!(folder, path.join(format!("cairn-{}", network.id().short())));
        data_dir.keys().list().expect("an empty list");
        assert!(!path.exists());
        assert_eq!(data_dir.create_network_folder(&network), Ok(folder.clone()));
        assert!(folder.is_dir());
    }

    #[test]
    fn a_file_in_the_way_is_reported() {
        let parent = tempfile::tempdir().expect("a folder");
        let path = parent.path().join("data");
        std::fs::write(&path, "").expect("written");
        let network = Network::new(Rules::default()).expect("possible");
        let failure = DataDir(path).create_network_folder(&network).expect_err("a file");
        assert_eq!(failure.exit(), Exit::Unexpected);
    }
}
