//! How the programs end.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;

use cairn_tests::{Program, Signal, TestNetwork, text, wait_until};

#[test]
fn fault_13_a_miner_ends_by_ctrl_c_and_by_sigterm() {
    let home = TestNetwork::new().home();
    for (signal, reason) in [(Signal::INT, "interrupted"), (Signal::TERM, "terminated")] {
        let mut miner = home.mine(&[]);
        miner.wait_for_mined(1);
        let status = miner.process().end_by(signal);
        assert_eq!(status.code(), Some(0), "{reason}");
        let last = miner.events().pop().expect("events");
        assert_eq!((&last["event"], &last["reason"]), (&"stopped".into(), &reason.into()));
        // A block may be connected at the very moment of the stop.
        let height = last["height"].as_u64().expect("a height");
        assert!((height..=height + 1).contains(&home.tip().0), "{last}");
    }
}

#[test]
fn wallet_sync_ends_by_ctrl_c_and_by_sigterm() {
    let network = TestNetwork::new();
    let (home, elsewhere) = (network.home(), network.home());
    let _miner = elsewhere.mine(&[]);
    for signal in [Signal::INT, Signal::TERM] {
        let height = if home.chain_file().exists() { home.tip().0 } else { 0 };
        let mut sync = home.start_wallet(&["sync"]);
        wait_until("the wallet follows", || home.chain_file().exists() && home.tip().0 > height);
        let status = sync.end_by(signal);
        assert_eq!(status.code(), Some(0), "{signal:?}");
    }
}

#[test]
fn a_miner_stops_after_as_many_blocks_as_asked_for() {
    let home = TestNetwork::new().home();
    let outcome = home.miner_outcome(&["--blocks", "3", "--threads", "1"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let lines: Vec<_> = outcome.stdout.lines().collect();
    assert!(lines[0].starts_with("started: network test"), "{outcome:?}");
    let mined = lines.iter().filter(|line| line.contains(" mined: ")).count();
    assert!(mined >= 3, "{outcome:?}");
    assert!(lines[lines.len() - 1].starts_with("stopped at height "), "{outcome:?}");
    assert!(home.balance("mining-rewards") >= 30_000_000);
}

#[test]
fn a_miner_whose_output_nobody_reads_any_more_ends_quietly() {
    let home = TestNetwork::new().home();
    let mut command = home.command(Program::Miner, &["--json", "--threads", "1"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    assert!(lines.next().expect("a line").expect("text").contains("\"started\""));
    drop(lines);
    wait_until("its end", || child.try_wait().expect("our child").is_some());
    assert_eq!(child.wait().expect("ended").code(), Some(0));
}

#[test]
fn a_miner_whose_usual_port_is_taken_serves_on_another() {
    // Whoever has the port, it is taken.
    let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 2607));
    let home = TestNetwork::new().without("ports.blocks").home();
    let miner = home.mine(&[]);
    let port = &miner.wait_for_event("started")["blocks_port"];
    assert_ne!(*port, 2607);
    let message = text(&miner.wait_for_warning("port_taken")["message"]);
    assert!(message.contains("2607") && message.contains(&port.to_string()), "{message}");
    assert!(message.contains("ports.blocks"), "{message}");
    miner.wait_for_mined(1);
    let said = miner.events_of("warning").into_iter().filter(|one| one["code"] == "port_taken");
    assert_eq!(said.count(), 1, "it is said once");
}
