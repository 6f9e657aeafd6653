//! `wallet new-address`.

use std::fs;

use crate::home::{Home, account};

#[test]
fn behaviour_60_a_new_key_is_written_and_told() {
    let home = Home::new();
    let told = home.json(&["new-address", "alice"]);
    assert_eq!(told["name"], "alice");
    assert_eq!(told["key_file"], home.key_file("alice").to_str().expect("text"));
    account(&told["address"]);
    let pem = fs::read_to_string(home.key_file("alice")).expect("written");
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{pem}");
    let text = home.run(&["new-address", "bob"]).stdout;
    assert!(text.contains("bob") && text.contains("test1"), "{text}");
}

#[test]
fn a_name_that_exists_or_cannot_be_is_refused() {
    let home = Home::new();
    home.new_address("alice");
    let before = fs::read(home.key_file("alice")).expect("written");
    let (code, message) = home.error(&["new-address", "alice"], 6);
    assert_eq!(code, "name_exists");
    assert!(message.contains("choose another name"), "{message}");
    assert_eq!(fs::read(home.key_file("alice")).expect("kept"), before);
    for name in ["../evil", "a/b", "/tmp/evil", ".hidden", "", "two words"] {
        assert_eq!(home.error(&["new-address", name], 4).0, "bad_name", "{name}");
    }
    assert!(!home.data().join("evil.pem").exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let home = Home::new();
    fs::write(home.data(), "a file where the folder should be").expect("written");
    let (code, message) = home.error(&["new-address", "alice"], 6);
    assert_eq!(code, "key_file");
    assert!(message.contains(home.data().to_str().expect("text")), "{message}");
}
