//! `miner export` and `miner import`: exit codes, results, errors, Ctrl-C. What the file holds, and what
//! is taken from a file that is not whole, stands in `ledger/tests/ledger/archive.rs`.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use cairn_protocol::codec::encode;
use cairn_protocol::hash::sha256;
use cairn_tests::Person::Alice;
use cairn_tests::{
    Branch, Home, Outcome, Process, Program, Signal, TestNetwork, path_text, wait_until,
};

/// Any hash is a block's, and a block needs no payment.
fn easiest() -> TestNetwork {
    TestNetwork::new().with_rules(|rules| {
        rules.difficulty = 0;
        rules.block_interval_seconds = 0;
    })
}

/// A data directory with so many blocks.
fn home_with(network: &TestNetwork, blocks: usize) -> Home {
    let home = network.home();
    let mut chain = Branch::new(home.network());
    for _ in 0..blocks {
        chain.mine(Alice.account(), Vec::new());
    }
    chain.write_to(&home);
    home
}

/// A file outside of the data directory.
fn file(home: &Home) -> PathBuf {
    home.path().with_file_name("chain.cairn")
}

/// Exports a chain, and returns the file.
fn export(home: &Home) -> PathBuf {
    let file = file(home);
    let exported = home.miner_outcome(&["export", &path_text(&file), "--json"]).json();
    assert_eq!(exported["file"], path_text(&file));
    file
}

fn import(home: &Home, file: &std::path::Path) -> Outcome {
    home.miner_outcome(&["import", &path_text(file), "--json"])
}

#[test]
fn a_chain_travels_by_file_while_its_miner_goes_on() {
    let network = TestNetwork::new();
    let home = network.home();
    let miner = home.mine(&[]);
    miner.wait_for_mined(3);
    let path = path_text(&file(&home));
    let exported = home.miner_outcome(&["export", &path, "--json"]).json();
    let (height, tip) = (exported["height"].as_u64().expect("a height"), &exported["tip"]);
    assert!(height >= 3 && exported["blocks"] == exported["height"], "{exported}");
    assert_eq!(exported["bytes"].as_u64(), fs::metadata(&path).ok().map(|file| file.len()));

    let other = network.home();
    let imported = import(&other, path.as_ref()).json();
    assert_eq!((&imported["height"], &imported["tip"]), (&exported["height"], tip));
    assert_eq!((&imported["blocks"], &imported["new"]), (&exported["height"], &exported["height"]));
    assert_eq!(other.tip(), (height, cairn_tests::text(tip)));
    let again = import(&other, path.as_ref()).json();
    assert_eq!((again["new"].as_u64(), &again["tip"]), (Some(0), tip));

    // Beside a miner nobody else writes the chain, and an import that changes nothing is one.
    miner.wait_for_mined(miner.events_of("block_mined").len() + 1);
    let (code, message) = import(&home, path.as_ref()).error(8);
    assert_eq!(code, "in_use", "{message}");
}

#[test]
fn an_export_replaces_no_file_without_force() {
    let home = home_with(&easiest(), 2);
    let path = export(&home);
    fs::write(&path, "letters").expect("written");
    let (code, message) = home.miner_outcome(&["export", &path_text(&path), "--json"]).error(4);
    assert_eq!(code, "file_exists", "{message}");
    assert!(message.contains("--force"), "{message}");
    assert_eq!(fs::read(&path).expect("kept"), b"letters");
    let told = home.miner_outcome(&["export", &path_text(&path), "--force"]);
    let words = format!("{} holds the chain up to height 2, block ", path.display());
    assert!(told.code == 0 && told.stdout.starts_with(&words), "{told:?}");
    let folder = path.parent().expect("a folder");
    let names =
        fs::read_dir(folder).expect("readable").map(|entry| entry.expect("one").file_name());
    assert_eq!(names.filter(|name| *name != "data").count(), 1, "no draft is left");
}

/// Each says what happened and what to do next, and the chain that was there stays.
#[test]
fn bad_files_are_named() {
    let network = easiest();
    let whole = fs::read(export(&home_with(&network, 5))).expect("readable");
    let home = home_with(&network, 2);
    let before = home.tip();
    let path = file(&home);
    let says = |bytes: &[u8], code: &str, words: &[&str]| {
        fs::write(&path, bytes).expect("written");
        let (given, message) = import(&home, &path).error(4);
        assert_eq!(given, code, "{message}");
        for words in [&[&*path_text(&path), "stands at height 2"], words].concat() {
            assert!(message.contains(words), "{words}: {message}");
        }
        assert_eq!(home.tip(), before);
    };
    says(b"I am a shopping list.", "bad_export", &["no chain that `miner export` has written"]);
    let cut = &whole[..whole.len() - 200];
    says(cut, "bad_export", &["its end is missing", "take another copy"]);
    let mut flipped = whole.clone();
    flipped[whole.len() - 200] ^= 1;
    says(&flipped, "bad_export", &["have changed", "take another copy"]);

    let (code, message) = import(&home, &home.path().join("nothing")).error(4);
    assert_eq!(code, "not_found", "{message}");

    fs::write(&path, &whole).expect("written");
    let harder = network.with_rules(|rules| rules.difficulty = 1).home();
    let (code, message) = import(&harder, &path).error(4);
    assert_eq!(code, "other_rules");
    assert!(message.contains("rules.difficulty is 1 here and 0 there"), "{message}");
}

/// The file comes through a pipe and does not end, so that the end is asked for in the middle of it.
#[test]
fn ctrl_c_ends_an_import_and_another_import_goes_on_from_there() {
    let network = easiest();
    let (home, other) = (network.home(), network.home());
    let mut chain = Branch::new(home.network());
    chain.write_to(&home);
    let nothing = fs::read(export(&home)).expect("readable");
    let pipe = home.path().with_file_name("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let arguments = ["import", &path_text(&pipe), "--json"];
    let mut process = Process::start(&mut other.command(Program::Miner, &arguments));
    let mut writer = File::options().write(true).open(&pipe).expect("the import reads it");
    // What stands before the blocks.
    writer.write_all(&nothing[..nothing.len() - 84]).expect("it reads");
    wait_until("the import is at work", || other.chain_file().exists());
    process.signal(Signal::INT);
    wait_until("the end of the import", || {
        chain.mine(Alice.account(), Vec::new());
        // It may have ended.
        let _ = writer.write_all(&chunk(&encode(chain.blocks().last().expect("mined"))));
        !process.is_running()
    });
    let (code, message) = Outcome::of(&mut process).error(1);
    assert_eq!(code, "interrupted");
    assert!(message.contains("the chain here is valid"), "{message}");
    chain.write_to(&home);
    fs::remove_file(file(&home)).expect("there");
    import(&other, &export(&home)).json();
    assert_eq!(other.tip(), home.tip());
}

/// One block as a chunk of its own.
fn chunk(block: &[u8]) -> Vec<u8> {
    let part = |bytes: &[u8]| {
        [&u32::try_from(bytes.len()).expect("short").to_le_bytes()[..], bytes].concat()
    };
    let chunk = part(&part(block));
    [&chunk[..], &sha256(&[&chunk])].concat()
}
