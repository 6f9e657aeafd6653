//! `miner rebuild`: exit codes and results, and what is said of a damaged chain before. What is rebuilt of which
//! damage stands in `ledger/tests/ledger/rebuild.rs`, and its exchange in `ledger/src/swap_tests.rs`.

use std::fs;

use cairn_ledger::Ledger;
use cairn_tests::Person::Alice;
use cairn_tests::{Home, TestNetwork, path_text};

/// A data directory with three blocks, at least, and its log written into its file.
fn mined(network: &TestNetwork) -> Home {
    let home = network.home();
    home.import("alice", &Alice.key());
    let mine = ["--blocks", "3", "--threads", "1", "--reward-to", "alice"];
    assert_eq!(home.miner_outcome(&mine).code, 0);
    drop(Ledger::open(&home.network_folder(), home.network()).expect("nobody writes it"));
    home
}

/// Flips a bit wherever these bytes stand in the chain's file.
fn damage(home: &Home, bytes: &[u8]) {
    let mut file = fs::read(home.chain_file()).expect("a file");
    let windows = file.windows(bytes.len()).enumerate();
    let places = windows.filter(|(_, window)| *window == bytes).map(|(place, _)| place);
    let places: Vec<_> = places.collect();
    assert!(!places.is_empty());
    for place in places {
        file[place] ^= 1;
    }
    fs::write(home.chain_file(), file).expect("written");
}

#[test]
fn behaviour_53_a_damaged_account_is_named_and_a_rebuild_repairs_it() {
    let home = mined(&TestNetwork::new());
    let list = home.list();
    let account = Alice.account();
    // As SQLite stores it, behind its key.
    let balance = home.balance_of(account).to_be_bytes();
    let balance = &balance[balance.iter().position(|byte| *byte > 0).expect("coins")..];
    damage(&home, &[&account.0[..], balance].concat());

    let (code, message) = home.wallet(&["list-addresses", "--json"]).error(1);
    assert_eq!(code, "damaged_chain");
    assert!(message.contains("checksum") && message.contains("`miner rebuild`"), "{message}");
    let rebuilt = home.miner_outcome(&["rebuild", "--json"]).json();
    assert_eq!((&rebuilt["height"], &rebuilt["tip"]), (&list["height"], &list["tip"]));
    assert_eq!(rebuilt["left_out"].as_u64(), Some(0), "{rebuilt}");
    assert!(rebuilt["kept"].is_null(), "{rebuilt}");
    assert_eq!(home.list(), list);
    assert_eq!(home.miner_outcome(&["check", "--json"]).json()["height"], list["height"]);
}

/// What was lost comes from the network.
#[test]
fn behaviour_53_a_lost_block_is_downloaded_after_a_rebuild() {
    let network = TestNetwork::new();
    let home = mined(&network);
    let file = path_text(&home.path().with_file_name("chain.cairn"));
    assert_eq!(home.miner_outcome(&["export", &file]).code, 0);
    let other = network.home();
    assert_eq!(other.miner_outcome(&["import", &file]).code, 0);
    assert_eq!(other.tip(), home.tip());

    // The header of the second block is in two tables, and one of them is all that a rebuild needs.
    let (_, second) = other.reader().header_at(2_u32.into()).expect("readable").expect("mined");
    damage(&home, &second.proof.salt);
    let told = home.miner_outcome(&["rebuild"]);
    assert_eq!((told.code, &*told.stderr), (0, ""), "{told:?}");
    assert!(told.stdout.starts_with("rebuilt the chain up to height 1, block "), "{told:?}");
    assert!(told.stdout.contains("download what is missing from height 2 on"), "{told:?}");
    assert!(home.network_folder().join("chain.db.damaged-1").exists());
    assert_eq!(home.tip().0, 1);

    let _miner = other.mine(&[]);
    home.wallet_json(&["sync", "--once"]);
    let (height, tip) = home.tip();
    let here = other.reader().header_at(u32::try_from(height).expect("low").into());
    assert_eq!(here.expect("readable").map(|(hash, _)| hash.to_string()), Some(tip));
    assert!(height >= 3);
}

#[test]
fn behaviour_54_nothing_is_rebuilt_beside_a_miner_or_where_there_is_no_chain() {
    let home = TestNetwork::new().home();
    let (code, message) = home.miner_outcome(&["rebuild", "--json"]).error(5);
    assert_eq!(code, "never_synchronised", "{message}");
    assert!(!home.path().exists(), "a rebuild creates nothing");
    let miner = home.mine(&[]);
    let (code, message) = home.miner_outcome(&["rebuild", "--json"]).error(8);
    assert_eq!(code, "in_use", "{message}");
    miner.wait_for_mined(miner.events_of("block_mined").len() + 1);
}
