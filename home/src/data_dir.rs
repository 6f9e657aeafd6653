//! [`DataDir`]: the folder that holds keys, chains and recorded payments.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use cairn_protocol::{Network, NetworkName};
use directories::ProjectDirs;

use crate::args::CommonArgs;
use crate::failure::{Exit, Failure};
use crate::files::create_private;
use crate::keys::KeyStore;

/// How many hexadecimal digits of a network's id stand in the name of its folder.
const ID_DIGITS: usize = 8;

/// The name of a network's folder, such as `cairn-0123abcd`: always a plain file name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetworkFolder(String);

impl NetworkFolder {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NetworkFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text is not the name of a network's folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a network's folder")]
pub struct ParseFolderError(String);

impl FromStr for NetworkFolder {
    type Err = ParseFolderError;

    fn from_str(text: &str) -> Result<Self, ParseFolderError> {
        let is_id = |id: &str| {
            id.len() == ID_DIGITS && id.bytes().all(|byte| b"0123456789abcdef".contains(&byte))
        };
        match text.split_once('-') {
            Some((name, id)) if name.parse::<NetworkName>().is_ok() && is_id(id) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(ParseFolderError(text.to_owned())),
        }
    }
}

/// A data directory:
///
/// ```text
/// keys/NAME.pem             key files, shared by all networks
/// NETWORK-12345678/         one folder for each network, by its name and id
///     chain.db  chain.lock  the chain and the lock of its writer
///     wallet.db             the outbox: payments made from here
///     history.db            what the keys received and sent, made from the chain
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

    /// The names of the folders of all networks, in order; none if there is no data directory.
    pub(crate) fn network_folders(&self) -> io::Result<Vec<NetworkFolder>> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut folders = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            folders.extend(name.to_str().and_then(|name| name.parse().ok()));
        }
        folders.sort_unstable();
        Ok(folders)
    }

    /// The folder of this name.
    pub(crate) fn folder(&self, name: &NetworkFolder) -> PathBuf {
        self.0.join(name.as_str())
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
    fn the_folders_of_networks_are_told_from_everything_else() {
        let parent = tempfile::tempdir().expect("a folder");
        let data_dir = DataDir(parent.path().join("data"));
        assert_eq!(data_dir.network_folders().expect("none"), []);
        let network = Network::new(Rules::default()).expect("possible");
        data_dir.create_network_folder(&network).expect("created");
        for other in ["keys", "zoo-0123abcd", "zoo-0123ABCD", "zoo-0123abc", "zoo", "Zoo-0123abcd"]
        {
            fs::create_dir(data_dir.0.join(other)).expect("created");
        }
        let folders = data_dir.network_folders().expect("readable");
        let names: Vec<_> = folders.iter().map(NetworkFolder::as_str).collect();
        assert_eq!(names, [network.folder_name().as_str(), "zoo-0123abcd"]);
        for evil in
            ["", "-", "..", "../zoo-0123abcd", "zoo-../../..", "zoo-0123abcd/", "a/b-0123abcd"]
        {
            evil.parse::<NetworkFolder>().expect_err(evil);
        }
    }

    #[test]
    fn a_file_in_the_way_is_reported() {
        let parent = tempfile::tempdir().expect("a folder");
        let path = parent.path().join("data");
        fs::write(&path, "").expect("written");
        let network = Network::new(Rules::default()).expect("possible");
        let failure = DataDir(path).create_network_folder(&network).expect_err("a file");
        assert_eq!(failure.exit(), Exit::Unexpected);
    }
}
