//! A full disk under each program: it is named, nothing is lost, and all goes on with new space.

use cairn_forge::Recipe;
use cairn_tests::{
    Home, Miner, Outcome, Process, Program, SmallDisk, TestNetwork, path_text, wait_until,
};

/// More blocks than a disk of three mebibytes holds.
const MANY_BLOCKS: u32 = 6_000;

/// So many blocks of a payment each.
fn chain(blocks: u32) -> Recipe {
    Recipe { blocks, payments: 1, ..Recipe::default() }
}

/// A command ends with 1 and names the full disk.
fn names_the_full_disk(outcome: &Outcome) {
    let (_, message) = outcome.error(1);
    assert!(message.contains("the disk is full"), "{message}");
}

/// What `wallet` prints on this disk.
fn wallet_json(disk: &SmallDisk, arguments: &[&str]) -> serde_json::Value {
    disk.run(Program::Wallet, &[arguments, &["--json"]].concat()).json()
}

/// The commands that write a whole chain say why they end, leave no half file, and can be run again.
#[test]
fn a_full_disk_ends_a_rebuild_an_export_and_an_import_and_loses_nothing() {
    let Some(disk) = SmallDisk::mount(TestNetwork::new().home(), 3) else { return };
    let mine = ["--blocks", "3", "--threads", "1", "--json"];
    assert_eq!(disk.run(Program::Miner, &mine).code, 0);
    let list = disk.run(Program::Wallet, &["list-addresses", "--json"]).json();
    let elsewhere = disk.home().path().with_file_name("chain.cairn");
    let elsewhere = path_text(&elsewhere);
    assert_eq!(disk.run(Program::Miner, &["export", &elsewhere]).code, 0);
    let files = disk.shell("cd \"$0\" && find . -type f | sort").stdout;

    disk.fill();
    let here = path_text(&disk.home().path().join("chain.cairn"));
    for command in [&["rebuild"][..], &["export", &here]] {
        let arguments = [command, &["--json"]].concat();
        let (code, message) = disk.run(Program::Miner, &arguments).error(1);
        assert_eq!(code, "disk_full", "{message}");
    }
    disk.make_room();
    assert_eq!(disk.shell("cd \"$0\" && find . -type f | sort").stdout, files);
    assert_eq!(disk.run(Program::Wallet, &["list-addresses", "--json"]).json(), list);

    // A data directory of its own, on the same disk.
    let other = path_text(&disk.home().path().join("other"));
    let import = ["import", &elsewhere, "--json"];
    let script = format!("mkdir \"{other}\" && dd if=/dev/zero of=\"$0/filler\" bs=1k");
    assert_eq!(disk.shell(&script).code, 1);
    let in_other = |arguments: &[&str]| {
        let command = disk.home().command_in(Program::Miner, other.as_ref(), arguments);
        Outcome::of(&mut Process::start(&mut disk.inside(&command)))
    };
    let (code, message) = in_other(&import).error(1);
    assert_eq!(code, "disk_full", "{message}");
    disk.make_room();
    assert_eq!(in_other(&import).json()["tip"], list["tip"]);
    assert_eq!(disk.run(Program::Miner, &["rebuild", "--json"]).json()["tip"], list["tip"]);
}

#[test]
fn a_full_disk_is_named_and_nothing_is_lost() {
    let Some(disk) = SmallDisk::mount(TestNetwork::new().home(), 3) else { return };
    wallet_json(&disk, &["new-address", "alice"]);

    // No half key, no half chain.
    disk.fill();
    let (code, message) = disk.run(Program::Wallet, &["new-address", "bob", "--json"]).error(6);
    assert_eq!(code, "disk_full", "{message}");
    assert_eq!(disk.shell("ls -A \"$0/keys\"").stdout, "alice.pem");
    let reward_to_alice = ["--reward-to", "alice", "--threads", "1", "--json"];
    names_the_full_disk(&disk.run(Program::Miner, &reward_to_alice));
    disk.make_room();

    // It fills up under a miner, which says so and ends; what it had is still there.
    let mut miner = Miner::of(disk.start(Program::Miner, &reward_to_alice));
    miner.wait_for_mined(2);
    disk.fill();
    names_the_full_disk(&Outcome::of(miner.process()));
    assert_eq!(miner.events().pop().expect("events")["event"], "stopped");
    disk.make_room();
    let list = wallet_json(&disk, &["list-addresses"]);
    assert!(list["height"].as_u64() >= Some(2), "{list}");
    Miner::of(disk.start(Program::Miner, &reward_to_alice)).wait_for_mined(1);
}

#[test]
fn a_download_onto_a_full_disk_ends_and_goes_on_with_more_space() {
    let network = TestNetwork::forged();
    let source = network.home();
    let tip = source.forge(&chain(MANY_BLOCKS)).pop().expect("blocks");
    let _serving = source.mine(&[]);
    let Some(disk) = SmallDisk::mount(network.home(), 3) else { return };
    let sync = ["sync", "--once", "--json"];
    names_the_full_disk(&disk.run(Program::Wallet, &sync));
    disk.grow(64);
    let before = disk.run(Program::Miner, &["check", "--json"]).json();
    let synced = disk.run(Program::Wallet, &sync).json();
    assert_eq!(synced["tip"], tip.hash.to_string());
    let received = synced["blocks_received"].as_u64().zip(before["height"].as_u64());
    assert_eq!(received.map(|(new, old)| new + old), Some(tip.height.get()), "it has gone on");
    assert_eq!(disk.run(Program::Miner, &["check", "--json"]).json()["tip"], synced["tip"]);
}

#[test]
fn payments_and_backups_on_a_full_disk_are_all_or_nothing() {
    let Some(disk) = SmallDisk::mount(TestNetwork::new().home(), 8) else { return };
    disk.run(Program::Miner, &["--blocks", "2", "--threads", "1"]);
    wallet_json(&disk, &["new-address", "alice"]);
    let send = ["send", "mining-rewards", "1", "alice", "--offline"];
    let first = wallet_json(&disk, &send);
    assert_eq!(first["sequence"], 0);

    disk.fill();
    names_the_full_disk(&disk.run(Program::Wallet, &[&send[..], &["--json"]].concat()));
    let file = path_text(&disk.home().path().join("coins.backup"));
    let (code, message) = disk.run(Program::Wallet, &["backup", &file, "--json"]).error(1);
    assert_eq!(code, "disk_full", "{message}");
    assert_eq!(disk.shell("ls -A \"$0\" | grep -c backup").stdout, "0", "no half backup");
    // What is there can be taken to another disk.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let file = path_text(&elsewhere.path().join("coins.backup"));
    assert_eq!(wallet_json(&disk, &["backup", &file])["payments"], 1);
    disk.make_room();

    assert_eq!(wallet_json(&disk, &send)["sequence"], 1);
    let mut miner = Miner::of(disk.start(Program::Miner, &["--threads", "1", "--json"]));
    let alice = || {
        let list = wallet_json(&disk, &["list-addresses"]);
        let addresses = list["addresses"].as_array().expect("a list");
        let found = addresses.iter().find(|entry| entry["name"] == "alice");
        found.expect("her key")["balance"].clone()
    };
    wait_until("both payments are made", || alice() == "2.000000");
    miner.process().kill();
}

/// The command, which may write no file beyond so many bytes.
fn limited(home: &Home, bytes: u32, program: Program, arguments: &[&str]) -> Process {
    let command = home.command(program, arguments);
    let mut limited = std::process::Command::new("prlimit");
    limited.arg(format!("--fsize={bytes}:unlimited")).arg("--").arg(command.get_program());
    limited
        .args(command.get_args())
        .envs(command.get_envs().filter_map(|(name, value)| value.map(|value| (name, value))));
    Process::start(&mut limited)
}

/// A limit on the size of files would end a program by a signal, without a word.
#[test]
fn a_limit_on_the_size_of_files_is_named_and_nothing_is_lost() {
    let network = TestNetwork::forged();
    let (source, home) = (network.home(), network.home());
    source.forge(&chain(1_000));
    let serving = source.mine(&[]);
    let run = |bytes, program, arguments: &[&str]| {
        let arguments = [arguments, &["--json"]].concat();
        Outcome::of(&mut limited(&home, bytes, program, &arguments))
    };
    assert_eq!(run(0, Program::Wallet, &["new-address", "bob"]).error(6).0, "disk_full");
    home.new_address("alice");
    names_the_full_disk(&run(100_000, Program::Wallet, &["sync", "--once"]));
    assert_eq!(home.wallet_json(&["sync", "--once"])["height"], 1_000);
    drop(serving);
    names_the_full_disk(&run(10_000, Program::Miner, &["--threads", "1"]));

    source.copy_key("account-1", &home);
    let send = ["send", "account-1", "1", "alice", "--offline"];
    let first = home.wallet_json(&send)["sequence"].as_u64().expect("a number");
    names_the_full_disk(&run(0, Program::Wallet, &send));
    let file = path_text(&home.path().join("coins.backup"));
    let (code, message) = run(100, Program::Wallet, &["backup", &file]).error(1);
    assert_eq!(code, "disk_full", "{message}");
    assert_eq!(home.wallet_json(&["backup", &file])["payments"], 1);

    // The same under a miner that has work.
    let mut miner = home.start_miner(&[]);
    miner.wait_for_mined(1);
    let process = miner.process().id().to_string();
    let mut limit = std::process::Command::new("prlimit");
    limit.args(["--fsize=10000:unlimited", "--pid", &process]);
    assert_eq!(Outcome::of(&mut Process::start(&mut limit)).code, 0);
    assert_eq!(home.wallet_json(&send)["sequence"], first + 1);
    names_the_full_disk(&Outcome::of(miner.process()));
    home.mine(&[]).wait_for_mined(1);
    assert_eq!(home.balance("alice"), 2_000_000);
    assert_eq!(home.miner_outcome(&["check", "--json"]).code, 0);
}
