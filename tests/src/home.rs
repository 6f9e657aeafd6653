//! A data directory, and the programs run in it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cairn_forge::{Chain, Recipe, batches};
use cairn_ledger::{Ledger, LedgerReader};
use cairn_protocol::{
    AccountId, Address, BlockRef, Network, Payment, SecretKey, VerifiedBlock, Work,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::branch::Branch;
use crate::miner::Miner;
use crate::process::Process;
use crate::programs::{Program, path_of};

/// The data directory of one user, and the settings that all programs in it get.
pub struct Home {
    folder: TempDir,
    network: Network,
    settings: Vec<String>,
}

impl Home {
    pub(crate) fn new(network: Network, settings: Vec<String>) -> Self {
        let folder = tempfile::Builder::new().prefix("cairn-test-").tempdir();
        Self { folder: folder.expect("a temporary folder"), network, settings }
    }

    /// The data directory.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder of the key files.
    pub fn keys(&self) -> PathBuf {
        self.path().join("keys")
    }

    /// The network that its programs belong to.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The folder of the network's chain and payments, which may not exist yet.
    pub fn network_folder(&self) -> PathBuf {
        self.path().join(self.network.folder_name())
    }

    /// The file of the network's chain, which may not exist yet.
    pub fn chain_file(&self) -> PathBuf {
        self.network_folder().join("chain.db")
    }

    /// Reads the chain beside whatever writes it.
    pub fn reader(&self) -> LedgerReader {
        LedgerReader::open(&self.network_folder(), &self.network).expect("a chain")
    }

    /// All work up to the tip, read beside whatever writes the chain.
    pub fn work(&self) -> Work {
        self.reader().tip().expect("a tip").work
    }

    /// What an account has, in micro-coins, whoever owns its key.
    pub fn balance_of(&self, account: AccountId) -> u64 {
        let (_, states) = self.reader().accounts(&[account]).expect("readable");
        states[0].account.balance.micros()
    }

    /// The account of a local key.
    pub fn account(&self, name: &str) -> AccountId {
        let file = self.keys().join(format!("{name}.pem"));
        let pem = std::fs::read_to_string(file).expect("readable");
        let end = pem.find("public key").unwrap_or(pem.len());
        SecretKey::from_pem(&pem[..end]).expect("a key").account()
    }

    /// How many payments of a local key the chain holds.
    pub fn sequence(&self, name: &str) -> u64 {
        let (_, states) = self.reader().accounts(&[self.account(name)]).expect("readable");
        states[0].account.sequence.get()
    }

    /// Sequence and id of each payment of a local key, as the chain's blocks hold them.
    pub fn made_by(&self, name: &str) -> Vec<(u64, String)> {
        let (payer, chain) = (self.account(name), Branch::of(self));
        let payments = chain.blocks().iter().flat_map(|block| block.payments.iter());
        let ours = payments.map(|one| &one.payment).filter(|payment| payment.sender == payer);
        let id = |payment: &Payment| payment.id(self.network.id()).to_string();
        ours.map(|payment| (payment.sequence.get(), id(payment))).collect()
    }

    /// The command that runs a program in this data directory, away from any configuration file
    /// of this machine's user.
    pub fn command(&self, program: Program, arguments: &[&str]) -> Command {
        self.command_in(program, &self.path(), arguments)
    }

    /// The same command in another data directory.
    pub fn command_in(&self, program: Program, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(path_of(program));
        command.args(arguments).arg("--data-dir").arg(folder).current_dir(&self.folder);
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        command.env("HOME", self.folder.path()).env("XDG_CONFIG_HOME", self.folder.path());
        command.env_remove("CAIRN_CONFIG").env_remove("CAIRN_DATA_DIR");
        command
    }

    /// Starts a miner with one thread, and waits until it is at work.
    pub fn mine(&self, arguments: &[&str]) -> Miner {
        let miner = self.start_miner(arguments);
        miner.wait_for_event("started");
        miner
    }

    /// Starts a miner with one thread.
    pub fn start_miner(&self, arguments: &[&str]) -> Miner {
        let all = [&["--threads", "1", "--json", "-v"], arguments].concat();
        Miner::of(Process::start(&mut self.command(Program::Miner, &all)))
    }

    /// Runs a miner that is expected to end by itself.
    pub fn miner_outcome(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(&mut Process::start(&mut self.command(Program::Miner, arguments)))
    }

    /// Starts a wallet command.
    pub fn start_wallet(&self, arguments: &[&str]) -> Process {
        Process::start(&mut self.command(Program::Wallet, arguments))
    }

    /// Runs a wallet command to its end.
    pub fn wallet(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(&mut self.start_wallet(arguments))
    }

    /// Runs a wallet command that succeeds, and returns the JSON that it prints.
    pub fn wallet_json(&self, arguments: &[&str]) -> Value {
        self.wallet(&[arguments, &["--json"]].concat()).json()
    }

    /// Creates a key and returns its address.
    pub fn new_address(&self, name: &str) -> String {
        text(&self.wallet_json(&["new-address", name])["address"])
    }

    /// What `list-addresses` says now.
    pub fn list(&self) -> Value {
        self.wallet_json(&["list-addresses"])
    }

    /// Height and hash of the tip that this data directory holds.
    pub fn tip(&self) -> (u64, String) {
        let list = self.list();
        (list["height"].as_u64().expect("a height"), text(&list["tip"]))
    }

    /// The balance of a local key, in micro-coins.
    pub fn balance(&self, name: &str) -> u64 {
        let list = self.list();
        let addresses = list["addresses"].as_array().expect("a list");
        let entry = addresses.iter().find(|entry| entry["name"] == name);
        micros(&entry.unwrap_or_else(|| panic!("no key {name} in {list}"))["balance"])
    }

    /// Writes a key's file, and returns its address.
    pub fn import(&self, name: &str, key: &SecretKey) -> String {
        std::fs::create_dir_all(self.keys()).expect("a folder");
        let file = self.keys().join(format!("{name}.pem"));
        std::fs::write(&file, key.to_pem().as_ref()).expect("written");
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&file, private).expect("our own file");
        Address::new(self.network.rules().name.clone(), key.account()).to_string()
    }

    /// Forges a chain, makes it that of this data directory, in which no program runs, and returns
    /// its blocks. The keys of the accounts are `account-1`, which has the reward of block 1, and
    /// so on.
    pub fn forge(&self, recipe: &Recipe) -> Vec<BlockRef> {
        for (index, key) in recipe.keys().iter().enumerate() {
            self.import(&format!("account-{}", index + 1), key);
        }
        let chain = Chain::new(&self.network, recipe).expect("the network can be forged for");
        let mut ledger = Ledger::open(&self.network_folder(), &self.network).expect("a chain");
        let mut places = Vec::new();
        for batch in batches(chain) {
            let added = ledger.add_blocks(&batch, recipe.end()).expect("written");
            assert_eq!(added.refused, []);
            places.extend(batch.iter().map(VerifiedBlock::block_ref));
        }
        places
    }

    /// Copies a key into another data directory.
    pub fn copy_key(&self, name: &str, other: &Self) {
        std::fs::create_dir_all(other.keys()).expect("a folder");
        let file = format!("{name}.pem");
        std::fs::copy(self.keys().join(&file), other.keys().join(&file)).expect("copied");
    }
}

/// What a command left behind.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The exit code.
    pub code: i32,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
}

impl Outcome {
    /// Waits for a process.
    pub fn of(process: &mut Process) -> Self {
        let code = process.wait().code().unwrap_or_else(|| panic!("ended by a signal"));
        let (stdout, stderr) = (process.stdout().join("\n"), process.stderr().join("\n"));
        Self { code, stdout, stderr }
    }

    /// The JSON on stdout of a success.
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code and the message of the JSON error on stderr; asserts the exit code.
    pub fn error(&self, exit: i32) -> (String, String) {
        assert_eq!(self.code, exit, "{self:?}");
        let objects = self.stderr.lines().filter_map(|line| serde_json::from_str(line).ok());
        let error = objects.map(|object: Value| object["error"].clone()).find(|e| !e.is_null());
        let error = error.unwrap_or_else(|| panic!("no error in {self:?}"));
        (text(&error["code"]), text(&error["message"]))
    }
}

/// The text of a JSON string.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The micro-coins of an amount as JSON writes it: a decimal with six places.
pub fn micros(value: &Value) -> u64 {
    let digits = text(value).replace('.', "");
    digits.parse().unwrap_or_else(|error| panic!("{value}: {error}"))
}

/// A path as text.
pub fn path_text(path: &Path) -> String {
    path.to_str().expect("temporary folders have plain names").to_owned()
}
