//! Blocks of a chain, and rows that are changed by hand, with checksums that match: what only a comparison finds.

use std::time::Duration;

use cairn_protocol::codec::{decode, encode};
use cairn_protocol::hash::sha256;
use cairn_protocol::{BlockRef, Reward, SealedHeader, Timestamp, Work};
use rusqlite::{Connection, params};

use crate::chain::Chain;
use crate::kit::{self, Branch, account, height};

/// Between two blocks.
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// The block of the active chain at a height.
pub(crate) fn block(chain: &Chain, at: u32) -> BlockRef {
    let (hash, _) = chain.reader().header_at(height(at)).expect("a chain").expect("below the tip");
    BlockRef { height: height(at), hash }
}

/// A block beside the active one of a height, which is stored too.
pub(crate) fn sibling(chain: &mut Chain, at: u32) -> (BlockRef, Reward) {
    let parent = block(chain, at - 1);
    let (_, parent) = chain.reader().header_at(parent.height).expect("a chain").expect("low");
    let (time, target) = (parent.header.time.after(SECOND), chain.network.rules().floor());
    let block = kit::seal(&chain.network, &parent, account(2), time, target, Vec::new());
    assert_eq!(chain.add(std::slice::from_ref(&block)).refused, []);
    (block.block_ref(), *block.reward())
}

/// What stands in the column `sum` beside this content.
pub(crate) fn sum(content: &[&[u8]]) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = sha256(content);
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

pub(crate) fn run(file: &Connection, sql: &str, values: impl rusqlite::Params) {
    assert_eq!(file.execute(sql, values).expect("SQL"), 1, "one row");
}

/// What stands in a row of `headers`: sealed, work, seen, body, complete, invalid.
type HeaderColumns = (Vec<u8>, Vec<u8>, i64, Option<i64>, Option<i64>, bool);

/// Changes a header's row, and makes its checksum match.
pub(crate) fn change_header(file: &Connection, block: BlockRef, set: &str) {
    let key = (block.height.get().cast_signed(), block.hash.0);
    run(file, &format!("UPDATE headers SET {set} WHERE height = ?1 AND hash = ?2"), key);
    let sql = "SELECT sealed, work, seen, body, complete, invalid FROM headers \
               WHERE height = ?1 AND hash = ?2";
    let read = |row: &rusqlite::Row<'_>| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
    };
    let (sealed, work, seen, body, complete, invalid): HeaderColumns =
        file.query_row(sql, key, read).expect("a row");
    let sealed: SealedHeader = decode(&sealed).expect("a header");
    let work = Work::from_be_bytes(&work.try_into().expect("32 bytes"));
    let (body, complete) = (body.map(i64::cast_unsigned), complete.map(i64::cast_unsigned));
    let content = (sealed, block.hash, work, seen.cast_unsigned(), body, complete, invalid);
    let sum = sum(&[&encode(&content)]);
    let sql = "UPDATE headers SET sum = ?3 WHERE height = ?1 AND hash = ?2";
    run(file, sql, (key.0, key.1, sum));
}

pub(crate) fn body_of(file: &Connection, block: BlockRef) -> i64 {
    let sql = "SELECT body FROM headers WHERE hash = ?1";
    file.query_row(sql, [block.hash.0], |row| row.get(0)).expect("a row")
}

/// Replaces a block's body by a changed one, with its checksum.
pub(crate) fn change_body(file: &Connection, block: BlockRef, change: impl FnOnce(&mut Vec<u8>)) {
    let id = body_of(file, block);
    let sql = "SELECT bytes FROM bodies WHERE id = ?1";
    let mut bytes: Vec<u8> = file.query_row(sql, [id], |row| row.get(0)).expect("a body");
    change(&mut bytes);
    let sum = sum(&[&block.hash.0, &bytes]);
    run(file, "UPDATE bodies SET bytes = ?2, sum = ?3 WHERE id = ?1", (id, bytes, sum));
}

pub(crate) fn put_account(file: &Connection, number: u8, balance: i64, sequence: i64) {
    let key = account(number).0;
    let content = [&key[..], &balance.to_le_bytes(), &sequence.to_le_bytes()];
    let sql = "INSERT OR REPLACE INTO accounts (key, balance, sequence, sum) \
               VALUES (?1, ?2, ?3, ?4)";
    run(file, sql, (key, balance, sequence, sum(&content)));
}

pub(crate) fn account_row(file: &Connection, number: u8) -> (i64, i64) {
    let sql = "SELECT balance, sequence FROM accounts WHERE key = ?1";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    file.query_row(sql, [account(number).0], read).expect("an account")
}

/// Where a chain ends, as it is stored.
type End = (BlockRef, Work, Timestamp);

/// Changes the ends that are stored: of the active chain, and of the best header's.
pub(crate) fn change_ends(file: &Connection, change: impl FnOnce(&mut End, &mut End)) {
    let sql = "SELECT value FROM meta WHERE name = 'state'";
    let value: Vec<u8> = file.query_row(sql, [], |row| row.get(0)).expect("a state");
    let (mut tip, mut best, next): (End, End, u64) = decode(&value).expect("a state");
    change(&mut tip, &mut best);
    put_state(file, &encode(&(tip, best, next)));
}

fn put_state(file: &Connection, value: &[u8]) {
    let sum = sum(&[b"state", value]);
    run(file, "UPDATE meta SET value = ?1, sum = ?2 WHERE name = 'state'", (value, sum));
}

/// Puts a block into the table `active`, in place of what is there.
pub(crate) fn put_active(file: &Connection, block: BlockRef, reward: &Reward) {
    let (recipient, amount) = (reward.recipient.0, reward.amount.micros().cast_signed());
    let sum = sum(&[&encode(&(block.hash, *reward))]);
    let values = (block.height.get().cast_signed(), block.hash.0, recipient, amount, sum);
    run(file, "INSERT OR REPLACE INTO active VALUES (?1, ?2, ?3, ?4, ?5)", values);
}

/// The same for the table `best`.
pub(crate) fn put_best(file: &Connection, block: BlockRef) {
    let values = (block.height.get().cast_signed(), block.hash.0, sum(&[&encode(&block)]));
    run(file, "INSERT OR REPLACE INTO best VALUES (?1, ?2, ?3)", values);
}

/// Writes a branch's rows as a ledger would, without its rules.
pub(crate) fn put_branch(file: &Connection, branch: &Branch) {
    let mut work = Work::ZERO;
    for (index, block) in branch.blocks().iter().enumerate() {
        let (place, number) = (block.block_ref(), 1 + 2 * i64::try_from(index).expect("few"));
        let at = place.height.get().cast_signed();
        work = work.plus(block.header().work());
        let bytes = encode(&block.to_block());
        let body_sum = sum(&[&place.hash.0, &bytes]);
        file.execute("INSERT INTO bodies (bytes, sum) VALUES (?1, ?2)", (bytes, body_sum))
            .expect("SQL");
        let body = file.last_insert_rowid();
        let values = params![
            at,
            place.hash.0,
            encode(block.header().sealed()),
            work.to_be_bytes(),
            number,
            body,
            number + 1
        ];
        run(file, "INSERT INTO headers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0)", values);
        change_header(file, place, "invalid = 0");
        put_active(file, place, block.reward());
        put_best(file, place);
    }
    let end = (branch.tip(), work, branch.last().time);
    let next = 1 + 2 * branch.blocks().len() as u64;
    put_state(file, &encode(&(end, end, next)));
}
