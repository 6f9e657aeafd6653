//! `miner --blocks N` mines N blocks.

#[path = "../benches/shared/mod.rs"]
mod shared;

use serde_json::Value;

/// Mines so many blocks that are found at once; returns what the miner told.
fn mine(blocks: u64) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = shared::miner(
        folder.path(),
        &["rules.name=test", "rules.difficulty=1", "rules.block_interval_seconds=0"],
    );
    let output = command.args(["--blocks", &blocks.to_string()]).output().expect("the miner runs");
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
