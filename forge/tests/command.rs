//! The command: what it writes, what it prints, and what it refuses.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cairn_forge::{Chain, Recipe, network};
use cairn_home::KeyStore;
use cairn_ledger::LedgerReader;
use cairn_protocol::SecretKey;
use serde_json::Value;
use tempfile::TempDir;

fn forge(folder: &TempDir, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forge"));
    command.args(arguments.split_whitespace()).arg("--data-dir").arg(folder.path());
    command.output().expect("started")
}

/// What a successful run prints.
fn report(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Exit code and code word of a refusal.
fn refusal(output: &Output) -> (i32, String) {
    assert!(output.stdout.is_empty(), "{output:?}");
    let error: Value = serde_json::from_slice(&output.stderr).expect("JSON");
    let word = error["error"]["code"].as_str().expect("a word").to_owned();
    (output.status.code().expect("not killed"), word)
}

fn data_dir() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn chain_folder(data_dir: &TempDir) -> PathBuf {
    data_dir.path().join(network(0).folder_name())
}

/// Every file below a folder, with its content.
fn files(folder: &Path) -> BTreeSet<(PathBuf, Vec<u8>)> {
    let entries =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable"));
    entries
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() => files(&path),
            path => BTreeSet::from([(path.clone(), std::fs::read(&path).expect("readable"))]),
        })
        .collect()
}

#[test]
fn the_chain_and_the_keys_are_where_the_programs_look_for_them() {
    let folder = data_dir();
    let output = forge(&folder, "--blocks 6 --payments 4 --accounts 3 --seed 9 --keys --json");
    let report = report(&output);

    let recipe = Recipe { seed: 9, blocks: 6, payments: 4, accounts: 3, ..Recipe::default() };
    let chain = Chain::new(&network(0), &recipe).expect("possible");
    let expected = chain.last().expect("a block").block_ref();
    assert_eq!(report["tip"], expected.hash.to_string());
    assert_eq!((&report["blocks"], &report["payments"]), (&6.into(), &20.into()));

    let reader = LedgerReader::open(&chain_folder(&folder), &network(0)).expect("a chain");
    assert_eq!(reader.tip().expect("readable").block, expected);
    let listing = KeyStore::new(folder.path().join("keys")).list().expect("readable");
    let named: Vec<_> =
        listing.accounts.iter().map(|(name, account)| (name.as_str(), *account)).collect();
    let accounts: Vec<_> = recipe.keys().iter().map(SecretKey::account).collect();
    let names = ["account-1", "account-2", "account-3"];
    assert_eq!(named, names.into_iter().zip(accounts).collect::<Vec<_>>());
}

#[test]
fn people_get_one_line_and_a_note_how_to_read_the_chain() {
    let folder = data_dir();
    let output = forge(&folder, "--blocks 2 --payments 1 --difficulty 1");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let stdout = String::from_utf8(output.stdout).expect("text");
    assert!(stdout.starts_with("2 blocks, 1 payments in "), "{stdout}");
    assert_eq!(stdout.lines().count(), 1, "{stdout}");
    // No progress, since nobody watches.
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert!(stderr.starts_with("note: ") && stderr.lines().count() == 1, "{stderr}");
    let note =
        "--set rules.name=forge --set rules.difficulty=1 --set rules.block_interval_seconds=0";
    assert!(stderr.contains(note), "{stderr}");
    let quiet = forge(&data_dir(), "--blocks 2 --quiet");
    assert!(quiet.stderr.is_empty(), "{quiet:?}");
}

#[test]
fn without_a_data_directory_nothing_is_stored() {
    let working = data_dir();
    let mut command = Command::new(env!("CARGO_BIN_EXE_forge"));
    command.args(["--blocks", "3", "--json"]).current_dir(&working);
    let unstored = report(&command.output().expect("started"));
    assert_eq!((&unstored["data_dir"], &unstored["bytes"]), (&Value::Null, &Value::Null));
    assert_eq!(files(working.path()), BTreeSet::new());
    let stored = report(&forge(&data_dir(), "--blocks 3 --json"));
    assert_eq!(stored["tip"], unstored["tip"]);
    assert!(stored["bytes"].as_u64().expect("a number") > 3 * 192, "{stored}");
}

#[test]
fn a_chain_that_exists_is_left_as_it_is() {
    let folder = data_dir();
    report(&forge(&folder, "--blocks 2 --json"));
    let before = files(folder.path());
    let again = forge(&folder, "--blocks 3 --keys --json");
    assert_eq!(refusal(&again), (2, "chain_exists".to_owned()));
    assert_eq!(files(folder.path()), before);
}

#[test]
fn keys_that_exist_are_left_as_they_are() {
    let folder = data_dir();
    let keys = KeyStore::new(folder.path().join("keys"));
    keys.create(&"account-2".parse().expect("a name")).expect("new");
    let before = files(folder.path());
    let refused = forge(&folder, "--blocks 2 --keys --json");
    assert_eq!(refusal(&refused), (6, "name_exists".to_owned()));
    assert_eq!(files(folder.path()), before);
    assert!(!chain_folder(&folder).exists());
}

#[test]
fn what_cannot_be_forged_is_refused_before_anything_is_written() {
    for (arguments, word) in [
        ("--blocks 5 --accounts 0", "recipe"),
        ("--blocks 5 --payments 6249", "recipe"),
        ("--blocks 0", "usage"),
        ("--blocks 5 --difficulty 17", "usage"),
        ("--blocks many", "usage"),
        ("", "usage"),
    ] {
        let folder = data_dir();
        let refused = forge(&folder, &format!("{arguments} --json"));
        assert_eq!(refusal(&refused), (2, word.to_owned()), "{arguments}");
        assert_eq!(files(folder.path()), BTreeSet::new(), "{arguments}");
    }
}

/// A regular file stands where the folder of the data directory should be.
#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let folder = data_dir();
    let file = folder.path().join("file");
    std::fs::write(&file, "mine").expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_forge"));
    command.args(["--blocks", "2", "--json", "--data-dir"]).arg(&file);
    let refused = command.output().expect("started");
    let (code, word) = refusal(&refused);
    assert_eq!((code, word.as_str()), (1, "io"), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("/file"), "{refused:?}");
}
