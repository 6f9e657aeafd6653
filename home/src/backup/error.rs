//! [`BackupError`]: why there is no backup, or why it is not restored.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::format::{MAX_BYTES, Unusable};
use crate::data_dir::NetworkFolder;
use crate::failure::{Exit, Failure, is_out_of_space};
use crate::keys::{KeyError, KeyName};
use crate::outbox::OutboxError;

/// Why there is no backup, or why it is not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file has that name already.
    #[error("there is a file {file} already; choose another name, or replace it by --force", file = .0.display())]
    Exists(PathBuf),
    /// Most likely, it is not the data directory that is meant.
    #[error("there is nothing to back up in {folder}: neither a key nor a payment; name the folder that you mean by --data-dir DIR", folder = .0.display())]
    Nothing(PathBuf),
    /// More than a backup takes.
    #[error(
        "{file} was not written: it would have more than {MAX_BYTES} bytes; keep a copy of the key \
         files, and of each wallet.db while no program uses it",
        file = .0.display()
    )]
    TooMuch(PathBuf),
    /// The backup file itself cannot be read or written.
    #[error("cannot {tried} the backup {file}: {error}{remedy}", file = .file.display(), remedy = remedy(.tried, .error))]
    File {
        /// What was tried.
        tried: &'static str,
        /// The file.
        file: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file is not what a backup has written.
    #[error("{file} cannot be restored: {1}; nothing was changed, take another copy of the backup", file = .0.display())]
    Unusable(PathBuf, Unusable),
    /// Something else is in the place.
    #[error("{0}")]
    Conflict(Box<Conflicts>),
    /// The data directory cannot be read or written.
    #[error("cannot {tried} {path}: {error}; once that is mended, the same restore goes on from there", path = .path.display())]
    Io {
        /// What was tried.
        tried: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A key file cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A `wallet.db` cannot be used.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
}

impl BackupError {
    pub(super) fn io(tried: &'static str, path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::Io { tried, path: path.to_owned(), error }
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let (exit, code) = match error {
            BackupError::Key(error) => return error.into(),
            BackupError::Outbox(error) => return error.into(),
            BackupError::Exists(_) => (Exit::BadInput, "file_exists"),
            BackupError::Nothing(_) => (Exit::BadInput, "nothing_to_back_up"),
            BackupError::TooMuch(_) => (Exit::Unexpected, "too_large"),
            BackupError::Unusable(..) => (Exit::BadInput, "bad_backup"),
            BackupError::Conflict(_) => (Exit::KeyFile, "would_replace"),
            BackupError::File { ref error, .. } | BackupError::Io { ref error, .. } => {
                match error.kind() {
                    io::ErrorKind::NotFound => (Exit::BadInput, "not_found"),
                    kind if is_out_of_space(kind) => (Exit::Unexpected, "disk_full"),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                        (Exit::Unexpected, "permission")
                    }
                    _ => (Exit::Unexpected, "io"),
                }
            }
        };
        Self::new(exit, code, error.to_string())
    }
}

/// What the backup file's user does about an error.
fn remedy(tried: &str, error: &io::Error) -> &'static str {
    match (tried, error.kind()) {
        (_, io::ErrorKind::NotFound) => "; check its name and its folder",
        ("write", _) => "; free some space, or choose another place for it",
        _ => "",
    }
}

/// What stands in the way of a restore.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflicts {
    /// The data directory.
    pub folder: PathBuf,
    /// There are files of other content under these names.
    pub keys: Vec<KeyName>,
    /// Payments were made in these networks, and those of the backup are not all among them.
    pub networks: Vec<NetworkFolder>,
}

impl Conflicts {
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.networks.is_empty()
    }
}

impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut found = Vec::new();
        if !self.keys.is_empty() {
            let names: Vec<_> = self.keys.iter().map(KeyName::as_str).collect();
            found.push(format!("other keys under the names {}", names.join(", ")));
        }
        if !self.networks.is_empty() {
            let names: Vec<_> = self.networks.iter().map(NetworkFolder::as_str).collect();
            found.push(format!("payments of {} beside which others would come", names.join(", ")));
        }
        write!(
            f,
            "nothing was restored: {} holds {}; name an empty folder by --data-dir DIR, or add \
             --force, by which none of them is lost (see wallet restore --help)",
            self.folder.display(),
            found.join(" and ")
        )
    }
}
