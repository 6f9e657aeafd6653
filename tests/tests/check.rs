//! `miner check`: its exit code, its result, its errors. Which damage it finds stands in
//! `ledger/tests/ledger/check.rs`.

use std::fs;

use cairn_ledger::Ledger;
use cairn_tests::{Home, TestNetwork};
use serde_json::Value;

/// A data directory with three blocks.
fn mined() -> Home {
    let home = TestNetwork::new().home();
    assert_eq!(home.miner_outcome(&["--blocks", "3", "--threads", "1"]).code, 0);
    home
}

/// The bytes that a hash stands for.
fn hash_bytes(text: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(digits).collect()
}

/// What is stored, and what the files are.
fn files(home: &Home) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(home.network_folder()).expect("a folder");
    let mut files: Vec<_> = entries
        .map(|entry| {
            let entry = entry.expect("a file");
            let name = entry.file_name().into_string().expect("a plain name");
            (name, fs::read(entry.path()).expect("a file"))
        })
        // What connections share in memory; it means nothing when all are closed.
        .filter(|(name, _)| name != "chain.db-shm")
        .collect();
    files.sort();
    files
}

#[test]
fn a_whole_chain_is_said_to_be_and_left_as_it_is() {
    let home = mined();
    let (before, (height, tip)) = (files(&home), home.tip());
    let checked = home.miner_outcome(&["check", "--json"]).json();
    assert_eq!((checked["height"].as_u64(), checked["tip"].as_str()), (Some(height), Some(&*tip)));
    assert_eq!(checked["blocks"], checked["height"]);
    assert_eq!((&checked["payments"], &checked["accounts"]), (&Value::from(0), &Value::from(1)));
    assert!(checked["headers"].as_u64().is_some_and(|headers| headers > height), "{checked}");
    assert!(checked["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{checked}");

    let told = home.miner_outcome(&["check", "--threads", "3"]);
    let words = format!("the chain is whole up to height {height}, block {tip}: {height} blocks");
    assert!(told.code == 0 && told.stdout.starts_with(&words), "{told:?}");
    assert_eq!(told.stderr, "", "no progress where nobody looks");
    assert_eq!(files(&home), before);
}

#[test]
fn behaviour_53_a_damaged_chain_is_named_and_the_exit_code_says_so() {
    let home = mined();
    // Whoever closes a chain last writes its log into its file.
    drop(Ledger::open(&home.network_folder(), home.network()).expect("nobody writes it"));
    let hash = hash_bytes(&home.tip().1);
    let mut bytes = fs::read(home.chain_file()).expect("a file");
    let windows = bytes.windows(hash.len()).enumerate();
    let places = windows.filter(|(_, window)| *window == hash).map(|(place, _)| place);
    let places: Vec<_> = places.collect();
    assert!(!places.is_empty(), "the hash of the tip is in the file");
    for place in places {
        bytes[place] ^= 1;
    }
    fs::write(home.chain_file(), &bytes).expect("written");
    let (code, message) = home.miner_outcome(&["check", "--json"]).error(1);
    assert_eq!(code, "damaged_chain");
    for words in
        ["chain.db is damaged", "checksum", "move it away and sync again", "`miner rebuild`"]
    {
        assert!(message.contains(words), "{words}: {message}");
    }
}

/// The check is of one moment, and the miner goes on.
#[test]
fn behaviour_54_a_chain_is_checked_beside_the_miner_that_writes_it() {
    let home = TestNetwork::new().home();
    let miner = home.mine(&[]);
    miner.wait_for_mined(2);
    let before = home.tip().0;
    let checked = home.miner_outcome(&["check", "--json"]).json();
    assert!(checked["height"].as_u64().is_some_and(|height| height >= before), "{checked}");
    miner.wait_for_mined(miner.events_of("block_mined").len() + 1);
}
