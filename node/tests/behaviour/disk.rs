//! What a node does when its disk fails.

use cairn_ledger::Ledger;
use cairn_node::{AdmitError, Input, Node, Origin, Output};

use crate::forge::{Forge, network, payment, start};
use crate::world::settings;

#[test]
fn a_node_whose_chain_is_damaged_says_so_and_does_nothing_more() {
    let network = network();
    let mut chain = Forge::new(&network, 1);
    chain.grow(1);
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = Ledger::open(folder.path(), &network).expect("a disk");
    ledger.add_blocks(&chain.blocks, start()).expect("a disk");
    let mut node = Node::new(ledger, settings(0, true), start());
    assert!(!node.handle(start(), Input::Tick).is_empty());

    // Somebody gives the account another balance than its checksum is of.
    let file = rusqlite::Connection::open(folder.path().join("chain.db")).expect("a file");
    file.execute("UPDATE accounts SET balance = balance + 1", []).expect("a table");
    let transaction = payment(&network, 1, 0, 0);
    let error = node.admit(start(), transaction.clone()).expect_err("damaged");
    assert!(matches!(error, AdmitError::Ledger(_)));
    let outputs = node.handle(start(), Input::Transaction { origin: Origin::Own, transaction });
    let [Output::Halt { message }] = outputs.as_slice() else {
        panic!("{outputs:?}");
    };
    assert!(message.contains("chain.db"), "{message}");
    assert_eq!(node.handle(start(), Input::Tick), []);
    assert_eq!(node.deadline(), None);
}
