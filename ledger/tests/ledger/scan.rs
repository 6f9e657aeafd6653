//! Scanning: the blocks of the active chain where they lie, and no others.

use cairn_ledger::{LedgerError, LedgerReader};
use cairn_protocol::codec::encode;
use cairn_protocol::{Block, BlockRef, Bounded, Height};
use rusqlite::Connection;

use crate::chain::Chain;
use crate::damage::{block, body_of, change_body, run};
use crate::kit::{height, network};
use crate::storage::{busy_chain, maturing};

/// The blocks above a height, at most so many, and how it ended.
fn scanned(
    reader: &LedgerReader,
    above: Height,
    most: usize,
) -> (Vec<(BlockRef, Block)>, Result<(), LedgerError>) {
    let mut shown = Vec::new();
    let ended = reader.scan(above, most, &mut |place, view| {
        let payments = view.payments().map(|payment| payment.decode());
        let payments = Bounded::first(payments.collect::<Result<Vec<_>, _>>()?);
        shown.push((place, Block { sealed: view.sealed()?, reward: view.reward()?, payments }));
        Ok(())
    });
    (shown, ended)
}

#[test]
fn the_active_blocks_are_shown_as_they_are_stored() {
    // It has been through a reorganisation.
    let chain = busy_chain(&maturing());
    let reader = chain.reader();
    let (all, ended) = scanned(&reader, Height::GENESIS, usize::MAX);
    ended.expect("whole");
    let places: Vec<_> = all.iter().map(|(place, _)| *place).collect();
    let active = reader.changes_since(chain.network.genesis_ref(), usize::MAX).expect("a chain");
    assert_eq!(places, active.connected);
    for (place, shown) in &all {
        let stored = reader.block_bytes(*place).expect("a chain").expect("a block");
        assert_eq!(encode(shown), stored);
    }
    assert!(all.iter().any(|(_, shown)| !shown.payments.is_empty()));
    let (some, ended) = scanned(&reader, height(3), 4);
    ended.expect("whole");
    assert_eq!(some, all[3..7]);
    assert_eq!(scanned(&reader, reader.tip().expect("a chain").block.height, 4).0, []);
}

#[test]
fn a_chain_of_genesis_alone_shows_nothing() {
    let chain = Chain::new(&network(|_| {}));
    let (shown, ended) = scanned(&chain.reader(), Height::GENESIS, usize::MAX);
    ended.expect("whole");
    assert_eq!(shown, []);
}

/// What a scan says that meets this damage at height 5, after the blocks before it.
fn found(damage: impl FnOnce(&Connection, BlockRef)) -> String {
    let chain = busy_chain(&maturing());
    let (file, fifth) = (chain.file(), block(&chain, 5));
    damage(&file, fifth);
    let (shown, ended) = scanned(&chain.reader(), Height::GENESIS, usize::MAX);
    assert!(shown.len() <= 5 || shown[4].0 != fifth, "it was believed");
    let Err(LedgerError::Damaged(_, what)) = ended else { panic!("{ended:?}") };
    what
}

#[test]
fn damage_is_named_and_never_shown() {
    let flipped = |file: &Connection, fifth: BlockRef| {
        let sql = "UPDATE bodies SET bytes = zeroblob(length(bytes)) WHERE id = ?1";
        run(file, sql, [body_of(file, fifth)]);
    };
    assert!(found(flipped).contains("does not match its checksum"));
    let another = |file: &Connection, fifth: BlockRef| {
        let sql = "UPDATE headers SET body = 1 WHERE hash = ?1";
        run(file, sql, [fifth.hash.0]);
    };
    assert!(found(another).contains("does not match its checksum"));
    let gone = |file: &Connection, fifth: BlockRef| {
        run(file, "DELETE FROM bodies WHERE id = ?1", [body_of(file, fifth)]);
    };
    assert!(found(gone).contains("is missing"));
    let hidden = |file: &Connection, _| run(file, "DELETE FROM active WHERE height = 5", []);
    assert!(found(hidden).contains("height 5 is missing"));
    let cut = |file: &Connection, fifth| change_body(file, fifth, |bytes| bytes.truncate(190));
    assert!(found(cut).contains("malformed"));
    // A height that no block can have, which only whoever reads the reward notices.
    let odd = |file: &Connection, fifth| change_body(file, fifth, |bytes| bytes[143] = 0xff);
    assert!(found(odd).contains("malformed"));
}

#[test]
fn an_end_that_is_missing_is_not_the_tip() {
    let mut chain = busy_chain(&maturing());
    let tip = chain.tip().height;
    run(&chain.file(), "DELETE FROM active WHERE height = ?1", [tip.get().cast_signed()]);
    let (_, ended) = scanned(&chain.reader(), Height::GENESIS, usize::MAX);
    assert!(matches!(ended, Err(LedgerError::Damaged(..))), "{ended:?}");
}
