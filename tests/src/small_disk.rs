//! A small file system of our own, in a mount namespace where the system has them.

use std::process::Command;

use crate::home::{Home, Outcome};
use crate::process::Process;
use crate::programs::Program;
use crate::wait::wait_for;

/// A few mebibytes that a data directory stands on, seen only by what [`SmallDisk::inside`] runs.
pub struct SmallDisk {
    home: Home,
    /// Keeps the namespace alive.
    holder: Process,
}

impl SmallDisk {
    /// Puts the data directory of `home`, which is empty yet, on a disk of so many mebibytes.
    ///
    /// `None` where this user may not mount anything even in a namespace of their own, which is
    /// said.
    #[expect(clippy::print_stderr, reason = "a skipped test should say so")]
    pub fn mount(home: Home, mebibytes: u32) -> Option<Self> {
        std::fs::create_dir_all(home.path()).expect("a folder");
        let script = format!(
            "mount -t tmpfs -o size={mebibytes}m tmpfs \"$0\" && echo mounted && exec sleep 600"
        );
        let mut command = Command::new("unshare");
        command.args(["-Urm", "sh", "-c", &script]).arg(home.path());
        let mut holder = Process::start(&mut command);
        let mounted = wait_for("a mount or a refusal", || {
            let done = holder.stdout().iter().any(|line| line == "mounted");
            (done || !holder.is_running()).then_some(done)
        });
        if !mounted {
            eprintln!("skipped: this user cannot mount a file system in a namespace");
        }
        mounted.then_some(Self { home, holder })
    }

    /// The data directory. Its files can be reached from [`Self::inside`] only.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The command, run where the small disk is mounted.
    pub fn inside(&self, command: &Command) -> Command {
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

    /// Starts a program on it.
    pub fn start(&self, program: Program, arguments: &[&str]) -> Process {
        Process::start(&mut self.inside(&self.home.command(program, arguments)))
    }

    /// Runs a program on it to its end.
    pub fn run(&self, program: Program, arguments: &[&str]) -> Outcome {
        Outcome::of(&mut self.start(program, arguments))
    }

    /// Runs a script in which `$0` is the data directory.
    pub fn shell(&self, script: &str) -> Outcome {
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(self.home.path());
        Outcome::of(&mut Process::start(&mut self.inside(&command)))
    }

    /// Takes all the space that is left.
    pub fn fill(&self) {
        let outcome = self.shell("dd if=/dev/zero of=\"$0/filler\" bs=1k");
        assert_eq!(outcome.code, 1, "no space left: {outcome:?}");
    }

    /// Gives it back.
    pub fn make_room(&self) {
        assert_eq!(self.shell("rm \"$0/filler\"").code, 0);
    }

    /// Makes the disk larger.
    pub fn grow(&self, mebibytes: u32) {
        let script = format!("mount -o remount,size={mebibytes}m \"$0\"");
        let outcome = self.shell(&script);
        assert_eq!(outcome.code, 0, "{outcome:?}");
    }
}
