//! Data directories for the tests of backups.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cairn_protocol::{
    Amount, Memo, Network, Payment, Rules, SecretKey, Sequence, Timestamp, Transaction,
};

use super::{Backup, BackupError};
use crate::args::CommonArgs;
use crate::data_dir::DataDir;
use crate::keys::KeyName;
use crate::outbox::{Outbox, Recorded};

/// A data directory that goes with the test.
pub(super) struct Home {
    parent: tempfile::TempDir,
    pub(super) data_dir: DataDir,
}

impl Home {
    pub(super) fn new() -> Self {
        let parent = tempfile::tempdir().expect("a folder");
        let args =
            CommonArgs { data_dir: Some(parent.path().join("data")), ..CommonArgs::default() };
        Self { data_dir: DataDir::resolve(&args).expect("named"), parent }
    }

    /// One in which there are these keys and the first payments of two networks.
    pub(super) fn with(keys: &[&str], payments: u64) -> Self {
        let home = Self::new();
        for key in keys {
            home.data_dir.keys().create(&name(key)).expect("new");
        }
        for network in [network(1), network(2)] {
            home.pay(&network, (0..payments).map(|sequence| payment(&network, sequence, "")));
        }
        home
    }

    /// A place beside the data directory.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.parent.path().join(name)
    }

    pub(super) fn key_file(&self, key: &str) -> PathBuf {
        self.data_dir.keys().file(&name(key))
    }

    pub(super) fn pay(&self, network: &Network, payments: impl Iterator<Item = Transaction>) {
        let folder = self.data_dir.create_network_folder(network).expect("created");
        let recorded = payments.map(|transaction| Recorded { transaction, made: None, fate: None });
        let mut outbox = Outbox::open(&folder).expect("opens");
        outbox.merge(&recorded.collect::<Vec<_>>()).expect("written");
    }

    /// The payments that are recorded of a network.
    pub(super) fn paid(&self, network: &Network) -> Vec<Recorded> {
        let outbox = Outbox::open_existing(&self.data_dir.network_folder(network));
        outbox.expect("readable").map_or(Vec::new(), |outbox| outbox.all().expect("readable"))
    }

    pub(super) fn backup(&self) -> Result<Backup, BackupError> {
        Backup::of(&self.data_dir, Timestamp::ZERO).map(|(backup, _)| backup)
    }

    /// Every file of the data directory with what it holds.
    pub(super) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(self.data_dir.path(), &mut files);
        files
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    // Where there is no folder, there are no files.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.insert(path.clone(), fs::read(&path).expect("readable"));
        }
    }
}

pub(super) fn name(text: &str) -> KeyName {
    text.parse().expect("a name")
}

/// Another network for each number.
pub(super) fn network(difficulty: u8) -> Network {
    Network::new(Rules { difficulty, ..Rules::default() }).expect("possible")
}

/// A payment that nobody needs a key file for.
pub(super) fn payment(network: &Network, sequence: u64, memo: &str) -> Transaction {
    let key = SecretKey::from_seed([1; 32]);
    let payment = Payment {
        sender: key.account(),
        recipient: SecretKey::from_seed([2; 32]).account(),
        amount: Amount::from_micros(1).expect("an amount"),
        fee: Amount::ZERO,
        sequence: Sequence::new(sequence).expect("small"),
        memo: Memo::new(memo.into()).expect("short"),
    };
    key.sign(payment, network.id())
}
