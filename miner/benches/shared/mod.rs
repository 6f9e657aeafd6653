//! The miner as a program, for benches and tests.

use std::path::Path;
use std::process::{Command, Stdio};

/// The miner, alone: its files are in this folder, nobody hears it, and it has these settings.
pub(crate) fn miner(folder: &Path, settings: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_miner"));
    let alone = ["ports.status=0", "ports.blocks=0", "ports.transactions=0"];
    for setting in alone.iter().chain(settings) {
        command.args(["--set", setting]);
    }
    command.arg("--json").current_dir(folder).env("HOME", folder).env("XDG_CONFIG_HOME", folder);
    command.env("CAIRN_DATA_DIR", folder.join("data")).env_remove("CAIRN_CONFIG");
    command.stdin(Stdio::null());
    command
}
