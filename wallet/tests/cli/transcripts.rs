//! The Markdown files in tests/transcripts, run as they stand.
//!
//! In a block fenced as `console`, a line that starts with `$ wallet` is run, and the lines up to
//! the next one are what it prints, stdout before stderr. `[..]` stands for anything on its line.
//! The last of these lines is `[exit N]` if the exit code is not 0.

use std::path::Path;

use crate::chain;
use crate::history::confirm;
use crate::home::{Home, Outcome};

#[test]
fn new_address() {
    run("new-address.md", &Home::new());
}

#[test]
fn list_addresses() {
    let home = Home::new();
    let alice = home.new_address("alice");
    home.new_address("bob");
    chain::mine(&mut home.chain(), alice, 3);
    run("list-addresses.md", &home);
}

#[test]
fn send() {
    let home = Home::new();
    let alice = home.new_address("alice");
    home.new_address("bob");
    chain::mine(&mut home.chain(), alice, 3);
    run("send.md", &home);
}

#[test]
fn history() {
    let home = Home::new();
    let alice = home.new_address("alice");
    home.new_address("bob");
    let mut ledger = home.chain();
    chain::mine(&mut ledger, alice, 3);
    let words = ["send", "alice", "2.5", "bob", "--fee", "0.1", "--memo", "for the hut"];
    home.json(&[&words[..], &["--offline"]].concat());
    confirm(&home, &mut ledger);
    run("history.md", &home);
}

#[test]
fn backup_and_restore() {
    let home = Home::new();
    let alice = home.new_address("alice");
    home.new_address("bob");
    chain::mine(&mut home.chain(), alice, 3);
    home.json(&["send", "alice", "1", "bob", "--offline"]);
    run("backup.md", &home);
}

#[test]
fn sync() {
    run("sync.md", &Home::new());
}

/// Runs a transcript in a data directory.
fn run(file: &str, home: &Home) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(file);
    let text = std::fs::read_to_string(&path).expect("a transcript");
    let steps = steps(&text);
    assert!(!steps.is_empty(), "{file} runs nothing");
    for (command, expected) in steps {
        let words = words(command);
        let arguments: Vec<_> = words.iter().skip(1).map(String::as_str).collect();
        let printed = printed(&home.run(&arguments));
        let same = printed.len() == expected.len()
            && expected.iter().zip(&printed).all(|(pattern, line)| matches(pattern, line));
        let (expected, printed) = (expected.join("\n"), printed.join("\n"));
        assert!(same, "{file}: {command}\nexpected:\n{expected}\nprinted:\n{printed}");
    }
}

/// The commands of a transcript, each with the lines that it prints.
fn steps(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut steps: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            steps.push((command, Vec::new()));
        } else if inside {
            steps.last_mut().expect("a command comes first").1.push(line);
        }
    }
    steps
}

/// The words of a command line; those in double quotes are one.
fn words(command: &str) -> Vec<String> {
    let quoted = command.split('"').enumerate();
    let words = quoted.flat_map(|(index, part)| {
        if index % 2 == 1 {
            vec![part.to_owned()]
        } else {
            part.split_whitespace().map(str::to_owned).collect()
        }
    });
    words.collect()
}

fn printed(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.stdout.lines().chain(outcome.stderr.lines());
    let mut lines: Vec<_> = lines.map(str::to_owned).collect();
    if outcome.code != 0 {
        lines.push(format!("[exit {}]", outcome.code));
    }
    lines
}

/// Whether a line is what the pattern says.
fn matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split("[..]");
    let first = parts.next().expect("a split has a first part");
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let mut open = false;
    for part in parts {
        let Some(at) = (if part.is_empty() { Some(rest.len()) } else { rest.find(part) }) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        open = part.is_empty();
    }
    rest.is_empty() || open
}

#[test]
fn dots_stand_for_anything() {
    for (pattern, line) in
        [("a", "a"), ("a[..]", "abc"), ("a[..]c", "abc"), ("[..]", ""), ("[..]b[..]", "abc")]
    {
        assert!(matches(pattern, line), "{pattern} {line}");
    }
    for (pattern, line) in [("a", "ab"), ("a[..]c", "abcd"), ("[..]x[..]", "abc"), ("a[..]", "ba")]
    {
        assert!(!matches(pattern, line), "{pattern} {line}");
    }
}
