//! `wallet sync`.

use std::process::{Child, Command};

use cairn_home::MinerLock;
use cairn_ledger::{Ledger, LedgerError};

use crate::chain;
use crate::home::{Home, Outcome, wait_for};
use crate::peer::Peer;

/// Waits until this holds.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(what, || holds().then_some(()));
}

/// Whether another process writes the chain of this data directory.
fn is_followed(home: &Home) -> bool {
    let opened = Ledger::open(&home.chain_folder(), &chain::network());
    matches!(opened, Err(LedgerError::InUse(_)))
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

#[test]
fn behaviour_55_a_sync_interrupted_at_any_stage_of_its_start_leaves_nothing_half_done() {
    let folder = chain::network().folder_name();
    for stage in ["", "chain.lock", "chain.db", "chain.db-wal"] {
        let home = Home::new();
        let sync = home.start(&["sync"]);
        let file = home.data().join(&folder).join(stage);
        wait_for(stage, || file.exists().then_some(()));
        interrupt(&sync);
        let outcome = Outcome::of(sync);
        assert_eq!(outcome.code, 0, "{stage}: {outcome:?}");
        home.run(&["list-addresses", "--json"]).json();
        let next = home.start(&["sync"]);
        wait_until("sync", || is_followed(&home));
        interrupt(&next);
        assert_eq!(Outcome::of(next).code, 0, "{stage}");
    }
}

#[test]
fn behaviour_54_beside_another_process_once_tells_where_that_is() {
    let home = Home::new();
    let miner = home.new_address("miner");
    let mut ledger = home.chain();
    chain::mine(&mut ledger, miner, 4);
    let told = home.json(&["sync", "--once"]);
    assert_eq!((&told["height"], &told["blocks_received"]), (&4.into(), &0.into()));
    assert_eq!(told["tip"], ledger.tip().block.hash.to_string());
}

#[test]
fn behaviour_54_a_miner_gets_the_chain_and_gives_it_back() {
    let home = Home::new();
    let sync = home.start(&["sync"]);
    wait_until("sync", || home.chain_folder().exists() && is_followed(&home));
    for _ in 0..2 {
        let miner = MinerLock::acquire(&home.chain_folder()).expect("no other miner");
        let mut ledger = None;
        wait_until("hand-over", || {
            ledger = Ledger::open(&home.chain_folder(), &chain::network()).ok();
            ledger.is_some()
        });
        drop((ledger, miner));
        wait_until("taking back", || is_followed(&home));
    }
    interrupt(&sync);
    let outcome = Outcome::of(sync);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(outcome.stderr.matches("a miner has started").count(), 2, "{outcome:?}");
}

#[test]
fn once_that_hears_nobody_exits_with_5() {
    let home = Home::new();
    let (code, message) = home.error(&["sync", "--once"], 5);
    assert_eq!(code, "nobody_heard");
    assert!(message.contains("for 2 s") && message.contains("--peer"), "{message}");
    assert_eq!(home.error(&["sync", "--once", "--timeout", "1"], 7).0, "timed_out");
}

#[test]
fn once_downloads_what_a_peer_has() {
    let (there, here) = (Home::new(), Home::new());
    let miner = there.new_address("miner");
    let mut ledger = there.chain();
    chain::mine(&mut ledger, miner, 25);
    let tip = ledger.tip().block.hash.to_string();
    let peer = Peer::start(ledger, miner);
    for received in [25, 0] {
        let told = here.json(&["sync", "--once", "--peer", &peer.address()]);
        assert_eq!((&told["height"], &told["tip"]), (&25.into(), &tip.as_str().into()));
        assert_eq!(told["blocks_received"], received);
    }
}
