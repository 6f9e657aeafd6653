//! Command line and configuration.

use std::fs;

use crate::home::Home;

#[test]
fn help_and_version_are_results() {
    let home = Home::new();
    for flag in ["--help", "--version", "-h", "-V"] {
        let outcome = home.run(&[flag]);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{flag}");
        assert!(outcome.stdout.contains("wallet"), "{flag}: {outcome:?}");
    }
}

#[test]
fn a_bad_command_line_exits_with_2_and_as_json_if_asked() {
    let home = Home::new();
    for arguments in [
        &["no-such-command"][..],
        &["new-address"],
        &["send", "alice", "1"],
        &["send", "alice", "1", "bob", "--wait=0"],
        &["history", "--last", "0"],
        &["sync", "--peer", "nowhere"],
        &["list-addresses", "-q", "-v"],
        &["list-addresses", "--set", "rules.difficulty"],
        &["list-addresses", "--set", "rules.dificulty=8"],
        &["list-addresses", "--config", "missing.toml"],
    ] {
        let (code, message) = home.error(arguments, 2);
        assert!(["usage", "configuration"].contains(&code.as_str()), "{code}");
        assert!(message.len() > 20, "{message}");
        let plain = home.run(arguments);
        assert_eq!(plain.code, 2);
        assert!(plain.stderr.starts_with("error: "), "{plain:?}");
    }
}

#[test]
fn the_file_in_the_working_folder_counts_unless_another_is_named() {
    let home = Home::new();
    let height_at = |arguments: &[&str]| home.run(&[&["list-addresses"], arguments].concat());
    fs::write(home.path().join("config.toml"), "[rules]\nhalf_life = 1").expect("written");
    let outcome = height_at(&[]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("config.toml, line 2: unknown key rules.half_life"));
    fs::write(home.path().join("good.toml"), "").expect("written");
    assert_eq!(height_at(&["--config", "good.toml"]).code, 0);
    let mut by_environment = home.command();
    by_environment.args(["list-addresses", "-q"]).env("CAIRN_CONFIG", "good.toml");
    assert!(by_environment.status().expect("it runs").success());
}

#[test]
fn the_flag_beats_the_environment() {
    let home = Home::new();
    let elsewhere = home.path().join("elsewhere");
    let arguments = ["new-address", "alice", "--data-dir", elsewhere.to_str().expect("text")];
    home.json(&arguments);
    assert!(elsewhere.join("keys/alice.pem").exists());
    assert!(!home.data().exists());
}
