use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use cairn_protocol::SecretKey;

use super::kit::{Home, name, network, payment};
use super::*;
use crate::failure::{Exit, Failure};

#[test]
fn a_file_holds_all_keys_and_the_payments_of_all_networks() {
    let home = Home::with(&["alice", "bob"], 3);
    let backup = home.backup().expect("readable");
    assert_eq!(backup.payment_count(), 6);
    let file = home.file("coins.backup");
    let bytes = backup.write(&file, false).expect("written");
    assert_eq!(file.metadata().expect("there").len(), bytes as u64);
    let read = Backup::read(&file).expect("whole");
    assert_eq!(read, backup);
    for key in ["alice", "bob"] {
        let original = fs::read(home.key_file(key)).expect("readable");
        assert_eq!(read.keys.get(&name(key)), Some(&original));
    }
    for network in [network(1), network(2)] {
        let folder = network.folder_name().parse().expect("a folder");
        assert_eq!(read.payments.get(&folder), Some(&home.paid(&network)));
    }
}

#[test]
#[cfg(unix)]
fn behaviour_60_the_file_is_its_owners_and_no_draft_is_left() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::with(&["alice"], 0);
    let file = home.file("coins.backup");
    let mode = || file.metadata().expect("there").permissions().mode() & 0o777;
    home.backup().expect("readable").write(&file, false).expect("written");
    assert_eq!(mode(), 0o600);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("ours");
    home.backup().expect("readable").write(&file, true).expect("written");
    assert_eq!(mode(), 0o600);
    let folder = fs::read_dir(file.parent().expect("a folder")).expect("readable");
    assert_eq!(folder.count(), 2, "the data directory and the backup");
}

#[test]
fn a_file_that_is_there_gives_way_only_if_told_to() {
    let home = Home::with(&["alice"], 1);
    let file = home.file("coins.backup");
    fs::write(&file, "precious").expect("written");
    let backup = home.backup().expect("readable");
    let failure = Failure::from(backup.write(&file, false).expect_err("taken"));
    assert_eq!((failure.exit(), failure.code()), (Exit::BadInput, "file_exists"));
    assert!(failure.to_string().contains("--force"), "{failure}");
    assert_eq!(fs::read(&file).expect("there"), b"precious");
    backup.write(&file, true).expect("written");
    assert_eq!(Backup::read(&file).expect("whole"), backup);
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let home = Home::with(&["alice"], 1);
    let file = home.file("missing/coins.backup");
    for over in [false, true] {
        let error = home.backup().expect("readable").write(&file, over).expect_err("no folder");
        let failure = Failure::from(error);
        assert_eq!((failure.exit(), failure.code()), (Exit::BadInput, "not_found"));
        assert!(failure.to_string().contains(file.to_str().expect("text")), "{failure}");
    }
}

#[test]
fn a_folder_that_holds_nothing_is_not_the_one_that_is_meant() {
    let home = Home::new();
    let failure = Failure::from(home.backup().expect_err("nothing"));
    assert_eq!((failure.exit(), failure.code()), (Exit::BadInput, "nothing_to_back_up"));
    assert!(failure.to_string().contains("--data-dir"), "{failure}");
    assert!(!home.data_dir.path().exists());
    // An outbox without a payment, as a command that was refused leaves it.
    home.pay(&network(1), std::iter::empty());
    home.backup().expect_err("nothing");
}

#[test]
fn key_files_that_hold_no_key_are_kept_and_told_but_for_those_without_a_name() {
    let home = Home::with(&["alice"], 0);
    let pem = SecretKey::from_seed([1; 32]).to_pem();
    let pem = pem.as_ref();
    fs::write(home.key_file("half"), &pem.as_bytes()[..50]).expect("written");
    fs::write(home.key_file("long"), vec![b'x'; 16 * 1024 + 1]).expect("written");
    fs::write(home.key_file("alice").with_file_name("two words.pem"), pem).expect("written");
    fs::write(home.key_file("alice").with_file_name("notes.txt"), "").expect("written");
    let (backup, broken) = Backup::of(&home.data_dir, Timestamp::ZERO).expect("readable");
    let names: Vec<_> = backup.keys.keys().map(KeyName::as_str).collect();
    assert_eq!(names, ["alice", "half"]);
    assert_eq!(backup.keys[&name("half")], pem.as_bytes()[..50]);
    assert_eq!(broken.len(), 3, "{broken:?}");
}

#[test]
fn behaviour_53_a_damaged_outbox_gets_into_no_backup() {
    let home = Home::with(&["alice"], 1);
    let file = home.data_dir.network_folder(&network(1)).join("wallet.db");
    fs::write(&file, "This is no database, and long enough to be one.".repeat(100)).expect("ours");
    assert_eq!(Failure::from(home.backup().expect_err("damaged")).code(), "damaged_outbox");
}

#[test]
fn payments_that_are_made_meanwhile_are_in_it_without_a_gap() {
    let home = Home::with(&["alice"], 1);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for sequence in 1..20 {
                home.pay(&network(1), std::iter::once(payment(&network(1), sequence, "")));
            }
            done.store(true, Ordering::Relaxed);
        });
        let folder = network(1).folder_name().parse().expect("a folder");
        while !done.load(Ordering::Relaxed) {
            let backup = home.backup().expect("readable");
            let sequences: Vec<_> =
                backup.payments[&folder].iter().map(|one| one.place().1.get()).collect();
            let expected: Vec<_> = (0..sequences.len() as u64).collect();
            assert_eq!(sequences, expected);
        }
    });
}

#[test]
fn what_is_no_backup_is_refused_with_what_to_do() {
    let home = Home::with(&["alice"], 1);
    let file = home.file("coins.backup");
    home.backup().expect("readable").write(&file, false).expect("written");
    let whole = fs::read(&file).expect("there");
    let told = |bytes: &[u8]| {
        fs::write(&file, bytes).expect("written");
        let failure = Failure::from(Backup::read(&file).expect_err("refused"));
        assert_eq!((failure.exit(), failure.code()), (Exit::BadInput, "bad_backup"));
        assert!(failure.to_string().contains("take another copy"), "{failure}");
        failure.to_string()
    };
    assert!(told(&whole[..whole.len() - 1]).contains("its end is missing"));
    assert!(told(b"").contains("no backup of this wallet"));
    let pem = fs::read(home.key_file("alice")).expect("there");
    assert!(told(&pem).contains("no backup of this wallet"));
    let missing = Backup::read(&home.file("nowhere")).expect_err("none");
    assert_eq!(Failure::from(missing).code(), "not_found");
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let home = Home::new();
    let file = home.file("endless");
    let endless = File::create(&file).expect("created");
    // It takes no room on the disk.
    endless.set_len(1 << 40).expect("sparse");
    let error = Backup::read(&file).expect_err("too large");
    assert!(matches!(error, BackupError::Unusable(_, Unusable::TooLarge)), "{error:?}");
}
