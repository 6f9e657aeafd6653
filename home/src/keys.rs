//! [`KeyStore`]: secret keys in files, one for each name.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use cairn_protocol::{AccountId, SecretKey};

use crate::failure::{Exit, Failure};
use crate::files::{create_private, write_new};
use crate::key_file;

/// The most characters of a key's name.
const MAX_NAME_CHARS: usize = 64;
/// The most bytes of a key file that are read; one of ours has 119.
pub(crate) const MAX_FILE_BYTES: u64 = 16 * 1024;
const SUFFIX: &str = ".pem";

/// The name of a key: 1 to 64 of `A-Z a-z 0-9 . _ -`, not starting with `.` or `-`, so that it
/// is always a plain file name and never an option.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName(String);

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for KeyName {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let fits = (1..=MAX_NAME_CHARS).contains(&text.len());
        let plain = text.bytes().all(allowed) && !text.starts_with(['.', '-']);
        if fits && plain { Ok(Self(text.to_owned())) } else { Err(KeyError::Name(text.to_owned())) }
    }
}

/// Why a key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not a name.
    #[error(
        "{0:?} cannot be the name of a key: use 1 to 64 letters, digits, '.', '_' and '-', \
         starting with a letter or digit or '_'"
    )]
    Name(String),
    /// The name is taken.
    #[error("there is a key named {0} already, in {file}; choose another name", file = .1.display())]
    Exists(KeyName, PathBuf),
    /// No key has that name.
    #[error("there is no key named {0} in {folder}; {known}", folder = .1.display(), known = .2)]
    NotFound(KeyName, PathBuf, KnownNames),
    /// The file holds no secret key: truncated, encrypted, of another kind.
    #[error("{file} holds no usable key ({1}); restore it from a copy, or move it away", file = .0.display())]
    Broken(PathBuf, String),
    /// The file system refuses.
    #[error("cannot {tried} {path}: {error}", path = .path.display())]
    Io {
        /// What was tried.
        tried: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        let (exit, code) = match &error {
            KeyError::Name(_) => (Exit::BadInput, "bad_name"),
            KeyError::NotFound(..) => (Exit::BadInput, "unknown_name"),
            KeyError::Exists(..) => (Exit::KeyFile, "name_exists"),
            KeyError::Broken(..) => (Exit::KeyFile, "bad_key_file"),
            KeyError::Io { tried, path, error } => {
                let tried = format!("cannot {tried}");
                return Self::file_system(Exit::KeyFile, "key_file", &tried, path, error);
            }
        };
        Self::new(exit, code, error.to_string())
    }
}

/// The names that exist, as the end of an error's sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownNames(pub Vec<KeyName>);

impl fmt::Display for KnownNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return write!(f, "there are no keys yet, `wallet new-address NAME` makes one");
        }
        let names: Vec<_> = self.0.iter().map(KeyName::as_str).collect();
        write!(f, "the names are {}", names.join(", "))
    }
}

/// All keys of a store.
#[derive(Debug, Default)]
pub struct Listing {
    /// The account of each key.
    pub accounts: BTreeMap<KeyName, AccountId>,
    /// The key files that cannot be used.
    pub broken: Vec<KeyError>,
}

/// A folder of key files `NAME.pem`: PKCS#8 version 1 (RFC 8410), as OpenSSL writes them, with the
/// public key after it; readable by their owner only.
#[derive(Clone, Debug)]
pub struct KeyStore(PathBuf);

impl KeyStore {
    /// The store in this folder, which need not exist.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The file of a name.
    pub fn file(&self, name: &KeyName) -> PathBuf {
        self.0.join(format!("{name}{SUFFIX}"))
    }

    /// Whether there is a key file of that name, usable or not.
    pub fn contains(&self, name: &KeyName) -> bool {
        self.file(name).symlink_metadata().is_ok()
    }

    /// A new key. Its file appears complete or not at all, and no file is ever overwritten.
    ///
    /// # Errors
    /// [`KeyError::Exists`], or if the file cannot be written.
    pub fn create(&self, name: &KeyName) -> Result<SecretKey, KeyError> {
        let key = SecretKey::generate(&mut rand::rng());
        self.add(name, &key).map(|()| key)
    }

    /// Writes the file of a key that was made elsewhere, in the same way.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn add(&self, name: &KeyName, key: &SecretKey) -> Result<(), KeyError> {
        if self.contains(name) {
            return Err(self.exists(name));
        }
        create_private(&self.0).map_err(io_error("create", &self.0))?;
        let path = self.file(name);
        match write_new(&path, key_file::write(key).as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(self.exists(name)),
            written => written.map_err(io_error("write", &path)),
        }
    }

    /// The key of a name.
    ///
    /// # Errors
    /// [`KeyError::NotFound`], [`KeyError::Broken`], or if the file cannot be read.
    pub fn load(&self, name: &KeyName) -> Result<SecretKey, KeyError> {
        let path = self.file(name);
        match File::open(&path) {
            Ok(file) => read_key(file, &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.not_found(name)),
            Err(error) => Err(io_error("read", &path)(error)),
        }
    }

    /// The key of a name, created if there is none; and whether it was.
    ///
    /// # Errors
    /// As [`Self::load`] and [`Self::create`].
    pub fn load_or_create(&self, name: &KeyName) -> Result<(SecretKey, bool), KeyError> {
        match self.create(name) {
            Ok(key) => Ok((key, true)),
            Err(KeyError::Exists(..)) => Ok((self.load(name)?, false)),
            Err(error) => Err(error),
        }
    }

    /// All keys by name, and the files that cannot be used.
    ///
    /// # Errors
    /// If the folder exists and cannot be read.
    pub fn list(&self) -> Result<Listing, KeyError> {
        let mut listing = Listing::default();
        for name in self.file_names()? {
            let key = name.parse().and_then(|name| Ok((self.load(&name)?.account(), name)));
            match key {
                Ok((account, name)) => drop(listing.accounts.insert(name, account)),
                Err(KeyError::Name(name)) => listing.broken.push(self.misnamed(&name)),
                Err(error) => listing.broken.push(error),
            }
        }
        Ok(listing)
    }

    /// The bytes of the file of a name, whether or not they hold a key.
    ///
    /// # Errors
    /// [`KeyError::Broken`] if they are too many for a key, or if the file cannot be read.
    pub(crate) fn bytes(&self, name: &KeyName) -> Result<Vec<u8>, KeyError> {
        let path = self.file(name);
        let mut bytes = Vec::new();
        let read = |file: File| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
        File::open(&path).and_then(read).map_err(io_error("read", &path))?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(KeyError::Broken(path, format!("it has more than {MAX_FILE_BYTES} bytes")));
        }
        Ok(bytes)
    }

    /// The names of all key files, usable or not, in order; none if the folder cannot be read.
    pub fn known(&self) -> KnownNames {
        let names = self.file_names().unwrap_or_default();
        KnownNames(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// What stands before `.pem` in the names of the folder's visible files, in order.
    fn file_names(&self) -> Result<Vec<String>, KeyError> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error("read", &self.0)(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let file = entry.map_err(io_error("read", &self.0))?.file_name();
            let file = file.to_string_lossy();
            let name = file.strip_suffix(SUFFIX).filter(|name| !name.starts_with('.'));
            names.extend(name.map(str::to_owned));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The error that there is no key of that name, with the names that there are.
    pub fn not_found(&self, name: &KeyName) -> KeyError {
        KeyError::NotFound(name.clone(), self.0.clone(), self.known())
    }

    fn exists(&self, name: &KeyName) -> KeyError {
        KeyError::Exists(name.clone(), self.file(name))
    }

    fn misnamed(&self, name: &str) -> KeyError {
        let path = self.0.join(format!("{name}{SUFFIX}"));
        KeyError::Broken(path, "its file name cannot be the name of a key".to_owned())
    }
}

fn io_error(tried: &'static str, path: &Path) -> impl Fn(io::Error) -> KeyError {
    move |error| KeyError::Io { tried, path: path.to_owned(), error }
}

fn read_key(file: File, path: &Path) -> Result<SecretKey, KeyError> {
    warn_if_shared(&file, path);
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(io_error("read", path))?;
    let text = String::from_utf8_lossy(&bytes);
    key_file::read(&text).map_err(|reason| KeyError::Broken(path.to_owned(), reason))
}

#[cfg(unix)]
fn warn_if_shared(file: &File, path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o077 != 0 {
        let path = path.display();
        tracing::warn!("other users may read the key file {path}; run: chmod 600 {path}");
    }
}

#[cfg(not(unix))]
fn warn_if_shared(_: &File, _: &Path) {}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
