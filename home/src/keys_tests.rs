use std::process::Command;

use super::*;

fn store() -> (tempfile::TempDir, KeyStore) {
    let parent = tempfile::tempdir().expect("a folder");
    let store = KeyStore::new(parent.path().join("keys"));
    (parent, store)
}

fn name(text: &str) -> KeyName {
    text.parse().expect("a name")
}

#[test]
fn names_are_plain_file_names() {
    let longest = "a".repeat(64);
    for text in ["a", "alice", "mining-rewards", "A.b_c-9", "0", "_x", &longest] {
        assert_eq!(name(text).as_str(), text);
    }
    let too_long = "a".repeat(65);
    for text in [
        "",
        ".",
        "..",
        "../evil",
        "a/b",
        "a\\b",
        "/etc/passwd",
        ".hidden",
        "-v",
        "a b",
        "ä",
        "a\0",
        "a\n",
        "C:x",
        &too_long,
    ] {
        let error = text.parse::<KeyName>().expect_err(text);
        assert_eq!(Failure::from(error).exit(), Exit::BadInput, "{text}");
    }
}

#[test]
fn behaviour_60_a_key_comes_back_and_its_name_is_taken() {
    let (_parent, store) = store();
    let key = store.create(&name("alice")).expect("new");
    assert_eq!(store.load(&name("alice")).expect("there").account(), key.account());
    let before = fs::read(store.file(&name("alice"))).expect("readable");
    let again = store.create(&name("alice")).expect_err("taken");
    assert!(matches!(again, KeyError::Exists(..)));
    assert_eq!(fs::read(store.file(&name("alice"))).expect("readable"), before);
    let (same, created) = store.load_or_create(&name("alice")).expect("there");
    assert_eq!((same.account(), created), (key.account(), false));
    assert!(store.load_or_create(&name("bob")).expect("new").1);
}

#[test]
fn a_key_from_elsewhere_is_kept_and_replaces_none() {
    let (_parent, store) = store();
    let [one, other] = [1, 2].map(|seed| SecretKey::from_seed([seed; 32]));
    store.add(&name("alice"), &one).expect("new");
    let again = store.add(&name("alice"), &other).expect_err("taken");
    assert!(matches!(again, KeyError::Exists(..)));
    assert_eq!(store.load(&name("alice")).expect("there").account(), one.account());
}

#[test]
fn behaviour_60_of_many_who_create_one_name_one_succeeds() {
    let (_parent, store) = store();
    let created = std::thread::scope(|scope| {
        let attempts: Vec<_> =
            (0..8).map(|_| scope.spawn(|| store.create(&name("alice")))).collect();
        let results = attempts.into_iter().map(|thread| thread.join().expect("ends"));
        results.filter_map(Result::ok).map(|key| key.account()).collect::<Vec<_>>()
    });
    assert_eq!(created, [store.load(&name("alice")).expect("there").account()]);
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    let (_parent, store) = store();
    let none = store.load(&name("carol")).expect_err("unknown").to_string();
    assert!(none.contains("wallet new-address NAME"), "{none}");
    store.create(&name("bob")).expect("new");
    store.create(&name("alice")).expect("new");
    let error = store.load(&name("carol")).expect_err("unknown");
    assert!(error.to_string().ends_with("the names are alice, bob"), "{error}");
    assert_eq!(Failure::from(error).exit(), Exit::BadInput);
}

#[test]
fn behaviour_53_damaged_files_are_told_apart_from_good_ones() {
    let (_parent, store) = store();
    let alice = store.create(&name("alice")).expect("new");
    store.create(&name("bob")).expect("new");
    let bob = store.file(&name("bob"));
    let text = fs::read_to_string(&bob).expect("readable");
    for damaged in ["", &text[..40], &text[..100], "\u{0}\u{1}"] {
        fs::write(&bob, damaged).expect("written");
        let error = store.load(&name("bob")).expect_err("damaged");
        assert!(error.to_string().starts_with(&bob.display().to_string()), "{error}");
        assert_eq!(Failure::from(error).exit(), Exit::KeyFile);
    }
    fs::write(store.0.join("bad name.pem"), &text).expect("written");
    fs::write(store.0.join(".alice.1.new"), "half").expect("written");
    fs::write(store.0.join("notes.txt"), "").expect("written");
    let listing = store.list().expect("readable");
    assert_eq!(listing.accounts, BTreeMap::from([(name("alice"), alice.account())]));
    assert_eq!(listing.broken.len(), 2);
}

#[test]
#[cfg(unix)]
fn behaviour_60_files_are_their_owners_and_no_draft_is_left() {
    use std::os::unix::fs::PermissionsExt;
    let (_parent, store) = store();
    store.create(&name("alice")).expect("new");
    let mode = |path: &Path| path.metadata().expect("exists").permissions().mode() & 0o777;
    assert_eq!(mode(&store.file(&name("alice"))), 0o600);
    assert_eq!(mode(&store.0), 0o700);
    assert_eq!(fs::read_dir(&store.0).expect("readable").count(), 1);
}

#[test]
fn behaviour_60_openssl_reads_our_key_files() {
    let (_parent, store) = store();
    let key = store.create(&name("alice")).expect("new");
    let openssl = Command::new("openssl")
        .args(["pkey", "-pubout", "-outform", "DER", "-in"])
        .arg(store.file(&name("alice")))
        .output();
    // A machine without OpenSSL has nothing to compare with.
    let Ok(output) = openssl else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.ends_with(&key.account().0));
}
