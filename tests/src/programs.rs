//! The two programs, as up to date as the test that runs them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::SystemTime;

/// The crates that the programs are made of.
const CRATES: [&str; 7] = ["protocol", "ledger", "node", "network", "home", "miner", "wallet"];

/// One of the programs under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `miner`.
    Miner,
    /// `wallet`.
    Wallet,
}

impl Program {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Miner => "miner",
            Self::Wallet => "wallet",
        }
    }

    fn file_in(self, folder: &Path) -> PathBuf {
        folder.join(self.name()).with_extension(std::env::consts::EXE_EXTENSION)
    }
}

/// Where the program's file is; it is built if it is missing or older than its source.
pub fn path_of(program: Program) -> PathBuf {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(current_programs);
    program.file_in(&FOLDER)
}

/// The folder with both programs. `cargo test --workspace` has built them, since both crates have
/// tests that need them; `cargo test -p cairn-tests` has not.
fn current_programs() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own file");
    // target/PROFILE/deps/TEST
    let folder = test.parent().and_then(Path::parent).expect("a test lies two folders deep");
    let changed = last_change_of_source();
    let built = [Program::Miner, Program::Wallet]
        .map(|program| fs::metadata(program.file_in(folder)).and_then(|file| file.modified()).ok());
    if built.iter().any(|built| built.is_none_or(|built| built < changed)) {
        build(folder);
    }
    folder.to_owned()
}

/// Builds both as this test was built.
fn build(folder: &Path) {
    let profile = match folder.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--bins", "--profile", profile])
        .args(["--package", "cairn-miner", "--package", "cairn-wallet"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(status.expect("cargo runs").success(), "the programs do not build");
}

fn last_change_of_source() -> SystemTime {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member's folder");
    let sources = CRATES.map(|name| last_change_in(&workspace.join(name).join("src")));
    sources.into_iter().max().expect("there are crates")
}

/// The latest modification of a file in a folder or below it.
fn last_change_in(folder: &Path) -> SystemTime {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let changes = entries.map(|entry| {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            return last_change_in(&path);
        }
        path.metadata().and_then(|file| file.modified()).expect("a file has a time")
    });
    changes.max().unwrap_or(SystemTime::UNIX_EPOCH)
}
