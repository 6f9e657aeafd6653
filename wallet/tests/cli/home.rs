//! A data directory, and the wallet run in it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cairn_ledger::{Ledger, LedgerError};
use cairn_protocol::{AccountId, Address, NetworkName};
use serde_json::Value;
use tempfile::TempDir;

use crate::chain;

/// The network of [`chain::network`], and ports on which nobody else is heard.
pub(crate) const SETTINGS: [&str; 7] = [
    "rules.name=\"test\"",
    "rules.difficulty=0",
    "rules.block_interval_seconds=0",
    "rules.reward_maturity=1",
    "ports.status=0",
    "ports.transactions=0",
    "intervals.status_seconds=1",
];

pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub(crate) fn chain_folder(&self) -> PathBuf {
        self.data().join(chain::network().folder_name())
    }

    /// The chain of this data directory. While it lives, another process follows the chain.
    pub(crate) fn chain(&self) -> Ledger {
        // A process that another test starts holds copies of our open files, the lock's too, until
        // it runs its program.
        wait_for("chain that nobody else writes", || {
            match Ledger::open(&self.chain_folder(), &chain::network()) {
                Err(LedgerError::InUse(_)) => None,
                opened => Some(opened.expect("a chain")),
            }
        })
    }

    pub(crate) fn key_file(&self, name: &str) -> PathBuf {
        self.data().join("keys").join(format!("{name}.pem"))
    }

    /// The wallet, away from any configuration of this machine's user.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wallet"));
        command.current_dir(&self.0).env("HOME", self.0.path());
        command.env("XDG_CONFIG_HOME", self.0.path().join("config"));
        command.env("CAIRN_DATA_DIR", self.data()).env_remove("CAIRN_CONFIG");
        for setting in SETTINGS {
            command.args(["--set", setting]);
        }
        command
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the wallet starts")
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.start(arguments))
    }

    /// Runs a command that succeeds, and returns the JSON it prints.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).json()
    }

    /// Runs a command that fails, and returns the code and the message of its JSON error.
    pub(crate) fn error(&self, arguments: &[&str], exit: i32) -> (String, String) {
        self.run(&[arguments, &["--json"]].concat()).error(exit)
    }

    /// Makes a key.
    pub(crate) fn new_address(&self, name: &str) -> AccountId {
        account(&self.json(&["new-address", name])["address"])
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().expect("our child");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Self {
            code: output.status.code().expect("it ends by itself"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code and the message of the error that is all of stderr.
    pub(crate) fn error(&self, exit: i32) -> (String, String) {
        assert_eq!((self.code, self.stdout.as_str()), (exit, ""), "{self:?}");
        let value: Value =
            serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        let text = |key: &str| value["error"][key].as_str().expect("a text").to_owned();
        (text("code"), text("message"))
    }
}

/// Waits until there is something, for as long as anything may take on a busy machine.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "no {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn name() -> NetworkName {
    chain::network().rules().name.clone()
}

pub(crate) fn account(address: &Value) -> AccountId {
    let text = address.as_str().expect("an address");
    Address::parse(text, &name()).expect("an address of this network").account()
}
