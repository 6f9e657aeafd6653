//! How a miner ends that is interrupted before it is at work.

#![cfg(unix)]

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cairn_ledger::Ledger;
use cairn_protocol::{Network, Rules};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn network() -> Network {
    let rules =
        Rules { name: "test".parse().expect("a name"), difficulty: 128, ..Rules::default() };
    Network::new(rules).expect("possible")
}

/// Starts a miner that never finds a block and hears nobody.
fn start(folder: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_miner"));
    let settings = ["rules.name=test", "rules.difficulty=128", "ports.status=0"];
    for setting in settings.iter().chain(&["ports.blocks=0", "ports.transactions=0"]) {
        command.args(["--set", setting]);
    }
    command.args(["--threads", "1", "--json"]);
    command.current_dir(folder).env("HOME", folder).env("XDG_CONFIG_HOME", folder);
    command.env("CAIRN_DATA_DIR", folder.join("data")).env_remove("CAIRN_CONFIG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the miner starts")
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "no {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// How a miner ended, and what it said on stdout and stderr.
type End = (std::process::ExitStatus, String, String);

/// Interrupts a miner, and waits for its end.
fn interrupt(child: Child) -> End {
    send_interrupt(&child);
    end(child)
}

/// Interrupts a miner that may not listen yet. Then that ends it, unless the tests were started as a
/// shell's background job, which does not hear interrupts: then the next finds it at work.
fn interrupt_early(mut child: Child, folder: &Path) -> End {
    send_interrupt(&child);
    let key = folder.join("data/keys/mining-rewards.pem");
    let mut has_ended = || child.try_wait().expect("our child").is_some();
    wait_until("end, nor work", || has_ended() || key.exists());
    if !has_ended() {
        send_interrupt(&child);
    }
    end(child)
}

fn send_interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

fn end(mut child: Child) -> End {
    wait_until("end", || child.try_wait().expect("our child").is_some());
    let output = child.wait_with_output().expect("our child");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status, text(output.stdout), text(output.stderr))
}

/// Asserts that a miner which was interrupted left nothing half done: one that is started after it
/// gets to work, and ends as always.
fn assert_whole(folder: &Path) {
    let next = start(folder);
    let chain = folder.join("data").join(network().folder_name());
    wait_until("chain in use", || is_in_use(&chain));
    let (status, _, stderr) = interrupt(next);
    assert_eq!(status.code(), Some(0), "{stderr}");
    for place in [folder.join("data/keys"), chain] {
        let files = std::fs::read_dir(&place).expect("a folder").map(|file| file.expect("a file"));
        let drafts = files.filter(|file| file.path().extension().is_some_and(|end| end == "new"));
        assert_eq!(drafts.count(), 0, "in {}", place.display());
    }
}

/// Whether a process writes the chain.
fn is_in_use(chain: &Path) -> bool {
    let lock = std::fs::File::open(chain.join("chain.lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)))
}

#[test]
fn behaviour_55_a_miner_interrupted_at_any_stage_of_its_start_leaves_nothing_half_done() {
    let folder = network().folder_name();
    // From "before it has read its command line" to "at work".
    let stages = [
        None,
        Some("data".to_owned()),
        Some("data/keys/mining-rewards.pem".to_owned()),
        Some(format!("data/{folder}/miner.lock")),
        Some(format!("data/{folder}/chain.lock")),
        Some(format!("data/{folder}/chain.db")),
        Some(format!("data/{folder}/chain.db-wal")),
    ];
    for stage in stages {
        let home = tempfile::tempdir().expect("a folder");
        let child = start(home.path());
        let (status, _, stderr) = match &stage {
            None => interrupt_early(child, home.path()),
            Some(file) => {
                wait_until(file, || home.path().join(file).exists());
                interrupt(child)
            }
        };
        // Until it listens, which is before it touches anything, the system ends it.
        let is_untouched = stage.is_none() && status.signal() == Some(2);
        assert!(status.code() == Some(0) || is_untouched, "{stage:?}: {status}: {stderr}");
        assert_whole(home.path());
    }
}

#[test]
fn behaviour_55_a_miner_that_waits_for_the_chain_ends_when_it_is_interrupted() {
    let home = tempfile::tempdir().expect("a folder");
    let chain = home.path().join("data").join(network().folder_name());
    std::fs::create_dir_all(&chain).expect("created");
    let held = Ledger::open(&chain, &network()).expect("new");
    let child = start(home.path());
    wait_until("miner.lock", || chain.join("miner.lock").exists());
    let (status, stdout, stderr) = interrupt(child);
    assert_eq!((status.code(), stdout.as_str()), (Some(0), ""), "{stderr}");
    drop(held);
    assert_whole(home.path());
}
