//! What waits for a block when a node stops, and waits again when it starts.

use std::sync::mpsc;

use cairn_ledger::{Ledger, LedgerError};
use cairn_network::Running;
use cairn_protocol::Transaction;
use tempfile::TempDir;

use crate::support::chain::{block, build, payment};
use crate::support::{TestNode, deaf, network, open};

/// Stops a node; returns what waited, and whether the chain was still locked when that was told.
async fn stop(running: Running, folder: &TempDir) -> (Vec<Transaction>, bool) {
    let (saved, saves) = mpsc::channel();
    let path = folder.path().to_owned();
    let save = move |waiting| {
        let is_locked = matches!(Ledger::open(&path, &network()), Err(LedgerError::InUse(_)));
        saved.send((waiting, is_locked)).expect("the test waits for it");
    };
    running.stop_saving(save).await;
    saves.try_recv().expect("it is called before the node has stopped")
}

#[tokio::test]
async fn behaviour_49_what_waits_at_the_stop_waits_again_after_the_start() {
    let network = network();
    let folder = TempDir::new().expect("a folder");
    build(&mut open(folder.path(), &network), 1, 2, 0);
    let TestNode { running, handle, folder } = TestNode::start_in(folder, &network, deaf()).await;
    let payments = [0, 1, 2].map(|sequence| payment(&network, 1, sequence, 0));
    for payment in &payments {
        handle.submit(payment.clone());
    }
    let (mut waiting, is_locked) = stop(running, &folder).await;
    assert!(is_locked, "whoever opens the chain next finds what was saved");
    waiting.sort_by_key(|one| one.payment.sequence);
    assert_eq!(waiting, payments);

    // Meanwhile a block takes one, and somebody has a try at the file.
    let mut ledger = open(folder.path(), &network);
    let taken = payments[0].clone().verify(network.id()).expect("valid");
    let block = block(&network, ledger.tip(), 1, vec![taken]);
    ledger.add_blocks(&[block], cairn_network::clock::now()).expect("stored");
    let mut forged = payment(&network, 1, 3, 0);
    forged.signature.0[0] ^= 1;
    let saved = [&[forged], &waiting[..]].concat();
    let running = Running::resume(ledger, deaf(), saved).await.expect("starts");
    assert_eq!(running.handle().counters().mempool, 2, "at once");
    let (mut waiting, _) = stop(running, &folder).await;
    waiting.sort_by_key(|one| one.payment.sequence);
    assert_eq!(waiting, payments[1..]);
}
