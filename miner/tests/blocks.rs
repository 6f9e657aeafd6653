//! `miner --blocks N` mines N blocks.

use std::process::{Command, Stdio};

use serde_json::Value;

/// Mines so many blocks that are found at once; returns what the miner told.
fn mine(blocks: u64) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_miner"));
    for setting in [
        "rules.name=test",
        "rules.difficulty=1",
        "rules.block_interval_seconds=0",
        "ports.status=0",
        "ports.blocks=0",
        "ports.transactions=0",
    ] {
        command.args(["--set", setting]);
    }
    command.args(["--json", "--blocks", &blocks.to_string()]);
    command.current_dir(folder.path()).env("HOME", folder.path());
    command.env("XDG_CONFIG_HOME", folder.path()).env_remove("CAIRN_CONFIG");
    command.env("CAIRN_DATA_DIR", folder.path().join("data"));
    let output = command.stdin(Stdio::null()).output().expect("the miner runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("text");
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn no_block_is_mined_beyond_those_asked_for() {
    let events = mine(300);
    let heights: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "block_mined")
        .map(|event| event["height"].as_u64().expect("a number"))
        .collect();
    assert_eq!(heights, (1..=300).collect::<Vec<_>>());
    let stopped = events.last().expect("it told something");
    assert_eq!((&stopped["event"], &stopped["height"]), (&"stopped".into(), &300.into()));
}
