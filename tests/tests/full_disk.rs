//! A full disk: a small file system of our own, in a mount namespace where the system has them.

use std::process::Command;

use cairn_tests::{Home, Miner, Outcome, Process, Program, TestNetwork, path_text, wait_for};

/// Three mebibytes that a data directory stands on, seen only by what [`SmallDisk::inside`] runs.
struct SmallDisk {
    home: Home,
    /// Keeps the namespace alive.
    holder: Process,
}

impl SmallDisk {
    /// `None` where this user may not mount anything even in a namespace of their own.
    fn mount() -> Option<Self> {
        let home = TestNetwork::new().home();
        std::fs::create_dir_all(home.path()).expect("a folder");
        let script = "mount -t tmpfs -o size=3m tmpfs \"$0\" && echo mounted && exec sleep 600";
        let mut command = Command::new("unshare");
        command.args(["-Urm", "sh", "-c", script]).arg(home.path());
        let mut holder = Process::start(&mut command);
        let mounted = wait_for("a mount or a refusal", || {
            let done = holder.stdout().iter().any(|line| line == "mounted");
            (done || !holder.is_running()).then_some(done)
        });
        mounted.then_some(Self { home, holder })
    }

    /// The command, run where the small disk is mounted.
    fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside.args(["--user", "--mount", "--preserve-credentials", "--target"]);
        inside.arg(self.holder.id().to_string()).arg("--").arg(command.get_program());
        inside.args(command.get_args()).current_dir("/");
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside
    }

    fn run(&self, program: Program, arguments: &[&str]) -> Outcome {
        let command = self.home.command(program, arguments);
        Outcome::of(&mut Process::start(&mut self.inside(&command)))
    }

    fn shell(&self, script: &str) -> Outcome {
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(self.home.path());
        Outcome::of(&mut Process::start(&mut self.inside(&command)))
    }

    fn fill(&self) {
        let outcome = self.shell("dd if=/dev/zero of=\"$0/filler\" bs=1k");
        assert_eq!(outcome.code, 1, "no space left: {outcome:?}");
    }

    fn make_room(&self) {
        assert_eq!(self.shell("rm \"$0/filler\"").code, 0);
    }
}

/// The commands that write a whole chain say why they end, leave no half file, and can be run again.
#[test]
#[expect(clippy::print_stderr, reason = "a skipped test should say so")]
fn a_full_disk_ends_a_rebuild_an_export_and_an_import_and_loses_nothing() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("skipped: this user cannot mount a file system in a namespace");
        return;
    };
    let mine = ["--blocks", "3", "--threads", "1", "--json"];
    assert_eq!(disk.run(Program::Miner, &mine).code, 0);
    let list = disk.run(Program::Wallet, &["list-addresses", "--json"]).json();
    let elsewhere = disk.home.path().with_file_name("chain.cairn");
    let elsewhere = path_text(&elsewhere);
    assert_eq!(disk.run(Program::Miner, &["export", &elsewhere]).code, 0);
    let files = disk.shell("cd \"$0\" && find . -type f | sort").stdout;

    disk.fill();
    let here = path_text(&disk.home.path().join("chain.cairn"));
    for command in [&["rebuild"][..], &["export", &here]] {
        let arguments = [command, &["--json"]].concat();
        let (code, message) = disk.run(Program::Miner, &arguments).error(1);
        assert_eq!(code, "disk_full", "{message}");
    }
    disk.make_room();
    assert_eq!(disk.shell("cd \"$0\" && find . -type f | sort").stdout, files);
    assert_eq!(disk.run(Program::Wallet, &["list-addresses", "--json"]).json(), list);

    // A data directory of its own, on the same disk.
    let other = path_text(&disk.home.path().join("other"));
    let import = ["import", &elsewhere, "--json"];
    let script = format!("mkdir \"{other}\" && dd if=/dev/zero of=\"$0/filler\" bs=1k");
    assert_eq!(disk.shell(&script).code, 1);
    let in_other = |arguments: &[&str]| {
        let command = disk.home.command_in(Program::Miner, other.as_ref(), arguments);
        Outcome::of(&mut Process::start(&mut disk.inside(&command)))
    };
    let (code, message) = in_other(&import).error(1);
    assert_eq!(code, "disk_full", "{message}");
    disk.make_room();
    assert_eq!(in_other(&import).json()["tip"], list["tip"]);
    assert_eq!(disk.run(Program::Miner, &["rebuild", "--json"]).json()["tip"], list["tip"]);
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test should say so")]
fn a_full_disk_is_named_and_nothing_is_lost() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("skipped: this user cannot mount a file system in a namespace");
        return;
    };
    assert_eq!(disk.run(Program::Wallet, &["new-address", "alice"]).code, 0);

    // No half key, no half chain.
    disk.fill();
    let (code, message) = disk.run(Program::Wallet, &["new-address", "bob", "--json"]).error(6);
    assert_eq!(code, "disk_full", "{message}");
    assert_eq!(disk.shell("ls -A \"$0/keys\"").stdout, "alice.pem");
    let reward_to_alice = ["--reward-to", "alice", "--threads", "1", "--json"];
    let (_, message) = disk.run(Program::Miner, &reward_to_alice).error(1);
    assert!(message.contains("full") || message.contains("space"), "{message}");
    disk.make_room();

    // It fills up under a miner, which says so and ends; what it had is still there.
    let command = disk.home.command(Program::Miner, &reward_to_alice);
    let mut miner = Miner::of(Process::start(&mut disk.inside(&command)));
    miner.wait_for_mined(2);
    disk.fill();
    let outcome = Outcome::of(miner.process());
    let (_, message) = outcome.error(1);
    assert!(message.contains("full") || message.contains("space"), "{message}");
    assert_eq!(miner.events().pop().expect("events")["event"], "stopped");
    disk.make_room();
    let list = disk.run(Program::Wallet, &["list-addresses", "--json"]).json();
    assert!(list["height"].as_u64() >= Some(2), "{list}");
    Miner::of(Process::start(&mut disk.inside(&command))).wait_for_mined(1);
}
