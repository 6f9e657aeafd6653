//! `wallet backup` and `wallet restore`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::chain;
use crate::home::{Home, name};

/// A data directory in which `rich` has paid `alice` twice, and the backup of it.
fn backed_up() -> (Home, PathBuf) {
    let home = Home::new();
    let rich = home.new_address("rich");
    home.new_address("alice");
    chain::mine(&mut home.chain(), rich, 3);
    for _ in 0..2 {
        home.json(&["send", "rich", "1", "alice", "--offline"]);
    }
    let file = home.path().join("coins.backup");
    home.json(&["backup", text(&file)]);
    (home, file)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// What the files of a data directory hold that a restore could touch.
fn files(home: &Home) -> BTreeMap<PathBuf, Vec<u8>> {
    let folders = [home.data().join("keys"), home.chain_folder()];
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let paths = entries.map(|entry| entry.expect("readable").path());
    paths.map(|path| (path.clone(), fs::read(path).expect("readable"))).collect()
}

fn addresses(home: &Home) -> Vec<String> {
    let list = home.json(&["list-addresses"]);
    let rows = list["addresses"].as_array().expect("a list");
    rows.iter().map(|row| row["address"].as_str().expect("text").to_owned()).collect()
}

#[test]
fn another_machine_has_the_addresses_and_goes_on_with_the_payments() {
    let (old, file) = backed_up();
    let new = Home::new();
    let restored = new.json(&["restore", text(&file)]);
    for (field, count) in [("keys", 2), ("networks", 1), ("payments", 2), ("passed_over", 0)] {
        assert_eq!(restored[field], count, "{field}: {restored}");
    }
    assert_eq!(restored["kept"].as_array().map(Vec::len), Some(0));
    assert_eq!(addresses(&new), addresses(&old));

    // The chain comes from elsewhere; the next payment follows those that still wait.
    let rich = crate::home::account(&addresses(&old)[1].clone().into());
    chain::mine(&mut new.chain(), rich, 3);
    assert_eq!(new.json(&["send", "rich", "1", "alice", "--offline"])["sequence"], 2);
}

#[test]
fn a_backup_tells_what_it_holds_and_that_it_is_secret() {
    let (home, file) = backed_up();
    let told = home.json(&["backup", text(&file), "--force"]);
    assert_eq!(told["file"], text(&file));
    assert_eq!(told["bytes"], file.metadata().expect("there").len());
    for (field, count) in [("keys", 2), ("networks", 1), ("payments", 2)] {
        assert_eq!(told[field], count, "{field}: {told}");
    }
    let text = home.run(&["backup", text(&file), "--force"]).stdout;
    assert!(text.contains("Whoever has this file can spend the coins"), "{text}");
}

#[test]
#[cfg(unix)]
fn behaviour_60_a_backup_is_its_owners() {
    use std::os::unix::fs::PermissionsExt;
    let (_home, file) = backed_up();
    let mode = file.metadata().expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_backup_takes_no_name_that_is_taken() {
    let (home, _) = backed_up();
    let key = home.key_file("alice");
    let before = files(&home);
    let (code, message) = home.error(&["backup", text(&key)], 4);
    assert_eq!(code, "file_exists");
    assert!(message.contains(text(&key)) && message.contains("--force"), "{message}");
    assert_eq!(files(&home), before);
}

#[test]
fn a_backup_of_nothing_is_refused_and_creates_nothing() {
    let home = Home::new();
    let file = home.path().join("coins.backup");
    let (code, message) = home.error(&["backup", text(&file)], 4);
    assert_eq!(code, "nothing_to_back_up");
    assert!(message.contains("--data-dir"), "{message}");
    assert!(!file.exists() && !home.data().exists());
}

#[test]
fn a_restore_over_other_keys_is_refused_and_overwrites_nothing() {
    let (_old, file) = backed_up();
    let home = Home::new();
    home.new_address("alice");
    let before = files(&home);
    let (code, message) = home.error(&["restore", text(&file)], 6);
    assert_eq!(code, "would_replace");
    for part in ["nothing was restored", "alice", "--force", text(&home.data())] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(files(&home), before);
}

#[test]
fn a_restore_beside_other_payments_is_refused_and_overwrites_nothing() {
    let (old, file) = backed_up();
    let home = Home::new();
    for key in ["rich", "alice"] {
        fs::create_dir_all(home.data().join("keys")).expect("created");
        fs::copy(old.key_file(key), home.key_file(key)).expect("copied");
    }
    let rich = crate::home::account(&addresses(&old)[1].clone().into());
    chain::mine(&mut home.chain(), rich, 3);
    home.json(&["send", "rich", "3", "alice", "--offline"]);
    let before = files(&home);
    let (code, message) = home.error(&["restore", text(&file)], 6);
    assert_eq!(code, "would_replace");
    assert!(message.contains(&format!("payments of {}", chain::network().folder_name())));
    assert_eq!(files(&home), before);

    let restored = home.run(&["restore", text(&file), "--force", "--json"]);
    assert!(restored.stderr.contains("\"code\":\"passed_over\""), "{restored:?}");
    let restored = restored.json();
    assert_eq!((&restored["payments"], &restored["passed_over"]), (&1.into(), &1.into()));
    assert_eq!(home.json(&["send", "rich", "1", "alice", "--offline"])["sequence"], 2);
}

#[test]
fn a_restore_by_force_keeps_what_was_there() {
    let (old, file) = backed_up();
    let home = Home::new();
    home.new_address("alice");
    let before = fs::read(home.key_file("alice")).expect("there");
    let restored = home.json(&["restore", text(&file), "--force"]);
    let aside = home.data().join("keys/alice.pem.before-restore-1");
    assert_eq!(restored["kept"], serde_json::json!([text(&aside)]));
    assert_eq!(fs::read(aside).expect("kept"), before);
    assert_eq!(addresses(&home), addresses(&old));
}

#[test]
fn a_restore_done_twice_changes_nothing() {
    let (_old, file) = backed_up();
    let home = Home::new();
    home.json(&["restore", text(&file)]);
    let before = files(&home);
    let again = home.run(&["restore", text(&file)]);
    assert_eq!(again.stdout, format!("All of {} is here already.\n", text(&file)), "{again:?}");
    assert_eq!(files(&home), before);
}

#[test]
fn a_file_that_is_truncated_damaged_or_foreign_is_refused_before_anything_is_touched() {
    let (old, file) = backed_up();
    let whole = fs::read(&file).expect("there");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let mut newer = whole.clone();
    newer[3] += 1;
    let cases = [
        (whole[..whole.len() / 2].to_vec(), "its end is missing"),
        (flipped, "some of its bytes have changed"),
        (newer, "it has layout 2"),
        (Vec::new(), "no backup of this wallet"),
        (fs::read(old.key_file("alice")).expect("there"), "no backup of this wallet"),
    ];
    let home = Home::new();
    for (content, reason) in cases {
        fs::write(&file, content).expect("written");
        for force in [&[][..], &["--force"]] {
            let (code, message) = home.error(&[&["restore", text(&file)], force].concat(), 4);
            assert_eq!(code, "bad_backup");
            assert!(message.contains(reason), "{reason}: {message}");
            assert!(message.contains("nothing was changed"), "{message}");
        }
    }
    assert_eq!(home.error(&["restore", "nowhere"], 4).0, "not_found");
    assert!(!home.data().exists());
}

#[test]
fn a_backup_is_taken_and_restored_while_another_process_follows_the_chain() {
    let (home, file) = backed_up();
    let _chain = home.chain();
    home.json(&["backup", text(&file), "--force"]);
    home.json(&["restore", text(&file)]);
    assert!(addresses(&home).iter().all(|one| one.starts_with(name().as_str())));
}
