//! The miner's command line, as far as it goes before anything starts. What a running miner does
//! stands in the crate `tests`.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Runs the miner in a folder, away from any configuration of this machine's user.
fn miner(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_miner"))
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder)
        .env("CAIRN_DATA_DIR", folder.join("data"))
        .env_remove("CAIRN_CONFIG")
        .output()
        .expect("the miner runs")
}

#[test]
fn help_and_version_are_no_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    for (flag, expected) in [
        ("--help", "until Ctrl-C"),
        ("--help", "hashes_per_second, height, mempool, links"),
        ("--help", "8 another miner uses the data directory"),
        ("--help", "benchmark"),
        ("--help", "check"),
        ("--version", "miner 0."),
    ] {
        let output = miner(folder.path(), &[flag]);
        let stdout = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success() && stdout.contains(expected), "{flag}: {stdout}");
    }
}

/// Each line has the fields that scripts read, and the plain loop is there on every machine.
#[test]
fn the_benchmark_compares_kernels_with_the_plain_loop() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = miner(folder.path(), &["benchmark", "--threads", "2", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<Value> = String::from_utf8(output.stdout)
        .expect("text")
        .lines()
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect();
    let of = |threads: u64| lines.iter().filter(move |line| line["threads"] == threads);
    for threads in [1, 2] {
        let plain = of(threads).find(|line| line["kernel"] == "portable").expect("always there");
        assert_eq!(plain["ratio"], 1.0);
    }
    assert_eq!((of(1).count(), of(1).count() + of(2).count()), (of(2).count(), lines.len()));
    for line in &lines {
        let names: Vec<_> = line.as_object().expect("an object").keys().collect();
        assert_eq!(
            names,
            ["hashes_per_second", "kernel", "ratio", "threads"],
            "sorted by serde_json"
        );
        let rate = line["hashes_per_second"].as_u64().expect("a whole number");
        assert!(rate > 0 && line["ratio"].as_f64().expect("a number") > 0.0, "{line}");
    }
    // What this CPU lacks is named, so that nobody takes it for slow.
    let kernels = of(1).count();
    let notes = String::from_utf8(output.stderr).expect("text");
    assert_eq!(notes.matches("kernel_skipped").count(), 4 - kernels, "{notes}");
    assert!(!folder.path().join("data").exists(), "nothing is created");
}

#[test]
fn what_cannot_be_used_is_refused_before_anything_is_created() {
    let folder = tempfile::tempdir().expect("a folder");
    for (arguments, exit, code) in [
        (&["--reward-to", "nobody"][..], 4, "unknown_name"),
        (&["--reward-to", "../evil"], 4, "bad_name"),
        (&["--reward-to", "cairn1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"], 4, "bad_address"),
        (&["--set", "rules.dificulty=3"], 2, "configuration"),
        (&["--set", "rules.difficulty=many"], 2, "configuration"),
        (&["--set", "rules.min_block_transactions=3"], 2, "configuration"),
        (&["--config", "nowhere.toml"], 2, "configuration"),
        (&["--blocks", "0"], 2, "usage"),
        (&["--threads", "1025"], 2, "usage"),
        (&["--peer", "nowhere"], 2, "usage"),
        (&["--no-such-option"], 2, "usage"),
        (&["--blocks", "3", "benchmark"], 2, "usage"),
        (&["--peer", "localhost:2607", "check"], 2, "usage"),
        (&["check", "--set", "rules.dificulty=3"], 2, "configuration"),
        (&["check"], 5, "never_synchronised"),
        (&["benchmark", "--threads", "-1"], 2, "usage"),
    ] {
        let output = miner(folder.path(), &[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {output:?}");
        let error: Value = serde_json::from_slice(&output.stderr).expect("one JSON object");
        assert_eq!(error["error"]["code"], code, "{arguments:?}: {error}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    assert!(!folder.path().join("data").exists());
}

#[test]
fn a_number_of_threads_that_cannot_be_is_refused_by_flag_key_and_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |arguments: &[&str], words: &str| {
        let output = miner(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        let stderr = String::from_utf8(output.stderr).expect("text");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
    };
    let file = folder.path().join("my.toml");
    for nonsense in ["-1", "many", "1.5", "5000"] {
        refused(&["--threads", nonsense], &format!("value '{nonsense}' for '--threads <N>'"));
        let setting = format!("miner.threads={nonsense}");
        refused(&["--set", &setting], &format!("error: --set {setting}: miner.threads is "));
        let quoted = if nonsense == "many" { "\"many\"" } else { nonsense };
        std::fs::write(&file, format!("[miner]\n\nthreads = {quoted}\n")).expect("written");
        let config = file.to_str().expect("text");
        refused(&["--config", config], &format!("error: {config}, line 3: miner.threads is "));
    }
    assert!(!folder.path().join("data").exists());
}
