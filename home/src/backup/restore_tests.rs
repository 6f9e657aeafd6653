use super::super::kit::{Home, name, network, payment};
use super::*;
use crate::failure::{Exit, Failure};

/// Restores a backup of one data directory in another.
fn restore(backup: &Backup, home: &Home, force: bool) -> Result<Restored, BackupError> {
    Restore::plan(&home.data_dir, backup, force)?.run()
}

/// A data directory that has a key and payments of its own, and of which a backup with another key
/// of this name and other payments is to be restored.
fn taken() -> Home {
    let home = Home::with(&["alice"], 0);
    home.pay(&network(1), [payment(&network(1), 0, "made here")].into_iter());
    home
}

#[test]
fn a_new_data_directory_gets_everything() {
    let (old, new) = (Home::with(&["alice", "bob"], 3), Home::new());
    let backup = old.backup().expect("readable");
    let restored = restore(&backup, &new, false).expect("free");
    let expected = Restored { keys: 2, payments: 6, networks: 2, ..Restored::default() };
    assert_eq!(restored, expected);
    assert_eq!(new.backup().expect("readable"), backup);
    let account = |home: &Home| home.data_dir.keys().load(&name("bob")).expect("a key").account();
    assert_eq!(account(&new), account(&old));
}

#[test]
#[cfg(unix)]
fn behaviour_60_what_is_restored_is_its_owners() {
    use std::os::unix::fs::PermissionsExt;
    let new = Home::new();
    restore(&Home::with(&["alice"], 1).backup().expect("readable"), &new, false).expect("free");
    let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&new.key_file("alice")), 0o600);
    assert_eq!(mode(new.data_dir.path()), 0o700);
    assert_eq!(mode(folder_of(&new.key_file("alice"))), 0o700);
    assert_eq!(mode(&new.data_dir.network_folder(&network(1))), 0o700);
}

#[test]
fn twice_is_no_error_and_changes_nothing() {
    let (old, new) = (Home::with(&["alice", "bob"], 3), Home::new());
    let backup = old.backup().expect("readable");
    restore(&backup, &new, false).expect("free");
    let before = new.files();
    for force in [false, true] {
        assert_eq!(restore(&backup, &new, force).expect("the same"), Restored::default());
        assert_eq!(restore(&backup, &old, force).expect("the same"), Restored::default());
    }
    assert_eq!(new.files(), before);
}

#[test]
fn what_was_made_since_is_kept_and_is_no_conflict() {
    let home = Home::with(&["alice"], 2);
    let backup = home.backup().expect("readable");
    home.pay(&network(1), [payment(&network(1), 2, "later")].into_iter());
    home.data_dir.keys().create(&name("later")).expect("new");
    let before = home.files();
    assert_eq!(restore(&backup, &home, false).expect("all is here"), Restored::default());
    assert_eq!(home.files(), before);
}

#[test]
fn a_key_of_the_same_name_is_not_replaced_and_nothing_is_written() {
    let (old, new) = (Home::with(&["alice", "bob"], 2), Home::with(&["alice"], 0));
    let before = new.files();
    let error = restore(&old.backup().expect("readable"), &new, false).expect_err("taken");
    let failure = Failure::from(error);
    assert_eq!((failure.exit(), failure.code()), (Exit::KeyFile, "would_replace"));
    for part in ["nothing was restored", "other keys under the names alice;", "--force"] {
        assert!(failure.to_string().contains(part), "{failure}");
    }
    assert_eq!(new.files(), before);
}

#[test]
fn payments_beside_which_others_would_come_are_named_and_nothing_is_written() {
    let (old, new) = (Home::with(&["alice"], 2), Home::new());
    new.pay(&network(1), [payment(&network(1), 5, "made here")].into_iter());
    let before = new.files();
    let error = restore(&old.backup().expect("readable"), &new, false).expect_err("in use");
    let BackupError::Conflict(conflicts) = &error else { panic!("{error:?}") };
    let folder: NetworkFolder = network(1).folder_name().parse().expect("a folder");
    assert_eq!((&conflicts.keys, &conflicts.networks), (&vec![], &vec![folder.clone()]));
    assert!(error.to_string().contains(&format!("payments of {folder}")), "{error}");
    assert_eq!(new.files(), before);
}

#[test]
fn by_force_the_keys_that_were_there_are_kept_aside_and_the_payments_in_their_place() {
    let (old, new) = (Home::with(&["alice", "bob"], 2), taken());
    let backup = old.backup().expect("readable");
    let (mine, made_here) =
        (fs::read(new.key_file("alice")).expect("there"), new.paid(&network(1)));
    let restored = restore(&backup, &new, true).expect("by force");
    let aside = new.key_file("alice").with_file_name("alice.pem.before-restore-1");
    let expected =
        Restored { keys: 2, payments: 3, networks: 2, kept: vec![aside.clone()], passed_over: 1 };
    assert_eq!(restored, expected);
    assert_eq!(fs::read(&aside).expect("kept"), mine);
    assert_eq!(fs::read(new.key_file("alice")).expect("there"), backup.keys[&name("alice")]);
    assert_eq!(new.paid(&network(2)), old.paid(&network(2)));
    let paid = new.paid(&network(1));
    assert_eq!(paid, [&made_here[..], &old.paid(&network(1))[1..]].concat());
}

#[test]
fn a_name_that_an_earlier_restore_has_used_is_not_used_again() {
    let new = Home::with(&["alice"], 0);
    let mut were = vec![fs::read(new.key_file("alice")).expect("there")];
    for number in 1..=3 {
        let backup = Home::with(&["alice"], 0).backup().expect("readable");
        let kept = restore(&backup, &new, true).expect("by force").kept;
        let aside = format!("alice.pem.before-restore-{number}");
        assert_eq!(kept, [new.key_file("alice").with_file_name(aside)]);
        were.push(backup.keys[&name("alice")].clone());
        for (number, was) in were.iter().enumerate().take(number) {
            let aside = format!("alice.pem.before-restore-{}", number + 1);
            let aside = new.key_file("alice").with_file_name(aside);
            assert_eq!(fs::read(aside).expect("kept"), *was);
        }
    }
    let known = new.data_dir.keys().known().0;
    assert_eq!(known, [name("alice")], "what is kept aside is no key by itself");
}

/// Each step alone, and a kill after any of them.
#[test]
fn cut_short_after_any_step_each_file_is_old_or_new_and_the_same_restore_completes_it() {
    let backup = Home::with(&["alice", "bob"], 2).backup().expect("readable");
    let count = Restore::plan(&taken().data_dir, &backup, true).expect("by force").steps.len();
    assert_eq!(count, 5, "two networks, one key kept aside and replaced, a new one");
    for done in 0..=count {
        let home = taken();
        let (old_key, old_paid) =
            (fs::read(home.key_file("alice")).expect("there"), home.paid(&network(1)));
        let plan = Restore::plan(&home.data_dir, &backup, true).expect("by force");
        for step in &plan.steps[..done] {
            perform(&home.data_dir, step, &mut Restored::default()).expect("done");
        }
        // What a kill in the middle of a step leaves.
        fs::write(home.key_file("alice").with_file_name(".bob.pem.1.new"), "half").expect("ours");

        let key = fs::read(home.key_file("alice")).expect("never missing");
        let new_key = &backup.keys[&name("alice")];
        assert!([&old_key, new_key].contains(&&key), "{done} steps");
        let paid = home.paid(&network(1));
        assert_eq!(paid[..1], old_paid, "{done} steps");
        assert!([1, 2].contains(&paid.len()), "{done} steps");
        assert!([0, 2].contains(&home.paid(&network(2)).len()), "{done} steps");

        restore(&backup, &home, true).expect("the rest");
        assert_eq!(fs::read(home.key_file("alice")).expect("there"), *new_key);
        assert_eq!(fs::read(home.key_file("bob")).expect("there"), backup.keys[&name("bob")]);
        assert_eq!((home.paid(&network(1)).len(), home.paid(&network(2)).len()), (2, 2));
        let aside = |number: u8| {
            let aside = format!("alice.pem.before-restore-{number}");
            fs::read(home.key_file("alice").with_file_name(aside)).ok()
        };
        assert_eq!((aside(1), aside(2)), (Some(old_key), None), "{done} steps");
    }
}

#[test]
fn without_force_too_the_same_restore_completes_it() {
    let backup = Home::with(&["alice", "bob"], 2).backup().expect("readable");
    for done in 0..=4 {
        let home = Home::new();
        let plan = Restore::plan(&home.data_dir, &backup, false).expect("free");
        assert_eq!(plan.steps.len(), 4);
        for step in &plan.steps[..done] {
            perform(&home.data_dir, step, &mut Restored::default()).expect("done");
        }
        restore(&backup, &home, false).expect("the rest");
        assert_eq!(home.backup().expect("readable"), backup, "{done} steps");
    }
}

#[test]
fn payments_come_before_the_keys_that_could_pay_again() {
    let backup = Home::with(&["alice"], 1).backup().expect("readable");
    let home = Home::new();
    let plan = Restore::plan(&home.data_dir, &backup, false).expect("free");
    let is_key: Vec<_> =
        plan.steps.iter().map(|step| !matches!(step, Step::Payments(..))).collect();
    assert_eq!(is_key, [false, false, true]);
}

#[test]
fn a_journal_that_was_left_behind_does_not_meet_the_new_payments() {
    let backup = Home::with(&["alice"], 2).backup().expect("readable");
    let home = Home::new();
    let folder = home.data_dir.create_network_folder(&network(1)).expect("created");
    fs::write(folder.join("wallet.db-journal"), "stale".repeat(200)).expect("written");
    restore(&backup, &home, false).expect("free");
    assert_eq!(home.backup().expect("readable"), backup);
    assert!(!folder.join("wallet.db-journal").exists());
}

#[test]
fn whoever_has_the_outbox_open_finds_the_payments() {
    let backup = Home::with(&[], 2).backup().expect("readable");
    let home = Home::new();
    home.pay(&network(1), std::iter::empty());
    let folder = home.data_dir.network_folder(&network(1));
    let open = Outbox::open_existing(&folder).expect("readable").expect("there");
    let before = open.revision().expect("readable");
    restore(&backup, &home, false).expect("free");
    assert_ne!(open.revision().expect("readable"), before);
    assert_eq!(open.all().expect("readable").len(), 2);
}

#[test]
fn a_step_that_fails_is_told_and_what_is_left_can_be_done_later() {
    let backup = Home::with(&["alice"], 1).backup().expect("readable");
    let home = Home::new();
    fs::create_dir_all(home.data_dir.path()).expect("created");
    let keys = home.data_dir.path().join("keys");
    let plan = Restore::plan(&home.data_dir, &backup, false).expect("free");
    fs::write(&keys, "a file where the folder should be").expect("written");
    let failure = Failure::from(plan.run().expect_err("in the way"));
    assert!(failure.to_string().contains("the same restore goes on"), "{failure}");
    fs::remove_file(&keys).expect("ours");
    let restored = restore(&backup, &home, false).expect("free");
    assert_eq!(restored, Restored { keys: 1, ..Restored::default() });
}
