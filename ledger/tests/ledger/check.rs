//! The full check: a healthy chain passes, and each kind of damage is found and named. Where a row
//! is changed, its checksum is made to match, so that it is the comparison that finds it.

use std::fs;

use cairn_ledger::{LedgerError, LedgerReader, Stage};
use cairn_protocol::{Amount, BlockRef, Reward, SealedHeader, VerifiedBlock, Work};
use rusqlite::{Connection, params};
use tempfile::TempDir;

use crate::chain::Chain;
use crate::damage::{
    self, SECOND, account_row, block, body_of, change_body, change_ends, change_header,
    put_account, put_active, put_best, run, sibling,
};
use crate::kit::{self, Branch, account, check, height, pay};
use crate::storage::{all_answers, busy_chain, maturing};

/// What the check says of a busy chain after this damage, which is made to its file.
fn found(damage: impl FnOnce(&mut Chain, &Connection)) -> String {
    let network = maturing();
    let mut chain = busy_chain(&network);
    let (reader, file) = (chain.reader(), chain.file());
    check(&reader, &network).expect("whole before");
    damage(&mut chain, &file);
    let error = check(&reader, &network).expect_err("damaged");
    let LedgerError::Damaged(path, what) = &error else { panic!("{error:?}") };
    assert!(path.ends_with("chain.db"));
    what.clone()
}

fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} in {text}");
    }
}

/// All figures of a healthy chain; the progress goes through all stages, up to the end of each.
#[test]
fn a_whole_chain_is_counted() {
    let network = maturing();
    let mut chain = busy_chain(&network);
    let mut stages = Vec::new();
    let mut verifier = kit::OneByOne::new(&network);
    let checked = chain.reader().check(&mut verifier, &mut |progress| stages.push(progress));
    let checked = checked.expect("whole");
    assert_eq!(checked.tip, chain.ledger().tip());
    assert_eq!((checked.headers, checked.blocks, checked.payments), (14, 12, 8));
    assert_eq!(checked.accounts, chain.snapshot().accounts.len() as u64);
    for stage in [Stage::Headers, Stage::Blocks, Stage::Accounts, Stage::File] {
        let last = stages.iter().rfind(|progress| progress.stage == stage).expect("shown");
        assert_eq!(last.done, last.total, "{last:?}");
    }
}

#[test]
fn a_chain_of_genesis_alone_is_whole() {
    let network = maturing();
    let checked = check(&Chain::new(&network).reader(), &network).expect("whole");
    assert_eq!((checked.tip.block, checked.blocks), (network.genesis_ref(), 0));
}

/// Headers ahead of the tip, and blocks that wait for those before them, are no damage.
#[test]
fn a_download_under_way_is_whole() {
    let network = maturing();
    let mut branch = Branch::new(&network, 1);
    branch.mine_empty(9);
    let mut chain = Chain::new(&network);
    chain.add_headers(&branch);
    chain.grow(&branch.blocks()[..3]);
    chain.add(&branch.blocks()[5..7]);
    let checked = check(&chain.reader(), &network).expect("whole");
    assert_eq!((checked.blocks, checked.headers), (3, 10));
}

/// The check is of one moment: what a writer adds meanwhile is not looked at.
#[test]
fn blocks_that_come_meanwhile_do_not_disturb() {
    let network = maturing();
    let mut branch = Branch::new(&network, 1);
    let mut chain = Chain::new(&network);
    chain.grow(&branch.mine_empty(5));
    let (reader, tip) = (chain.reader(), chain.ledger().tip());
    let mut added = 0;
    let checked = reader.check(&mut kit::OneByOne::new(&network), &mut |_| {
        chain.grow(&branch.mine_empty(1));
        added += 1;
    });
    assert_eq!(checked.expect("whole").tip, tip);
    assert!(added > 10 && chain.ledger().tip().work > tip.work);
}

/// Without a write-ahead log a reader would keep the writer from writing until it gave up.
#[test]
fn where_readers_hold_up_the_writer_a_check_waits_for_its_end() {
    let network = maturing();
    let mut chain = busy_chain(&network);
    chain.close();
    chain.file().pragma_update(None, "journal_mode", "DELETE").expect("SQL");
    let writer = fs::File::open(chain.path().join("chain.lock")).expect("a lock");
    writer.try_lock().expect("free");
    let error = check(&chain.reader(), &network).expect_err("somebody writes");
    assert!(matches!(error, LedgerError::InUse(_)), "{error}");
    drop(writer);
    check(&chain.reader(), &network).expect("whole");
}

#[test]
fn behaviour_53_a_body_with_a_flipped_bit_is_named() {
    for at in [0, 150, 200] {
        let text = found(|chain, file| {
            let (block, key) = (block(chain, 6), body_of(file, block(chain, 6)));
            let sql = "SELECT bytes FROM bodies WHERE id = ?1";
            let mut bytes: Vec<u8> = file.query_row(sql, [key], |row| row.get(0)).expect("one");
            bytes[at] ^= 1;
            run(file, "UPDATE bodies SET bytes = ?2 WHERE id = ?1", (key, bytes));
            assert_eq!(block.height, height(6));
        });
        has(&text, &["the body of block", "at height 6", "does not match its checksum"]);
    }
}

/// A checksum proves nothing: the content is compared with the header, and verified.
#[test]
fn behaviour_53_a_body_that_somebody_forged_is_named() {
    let change =
        |change: fn(&mut Vec<u8>)| found(|chain, file| change_body(file, block(chain, 6), change));
    let header = change(|bytes| bytes[0] ^= 1);
    has(&header, &["block", "at height 6", "another header than the table headers"]);
    let content = change(|bytes| *bytes.last_mut().expect("a signature") ^= 1);
    has(&content, &["block", "at height 6", "breaks rule B1"]);
    let short = change(|bytes| bytes.truncate(bytes.len() - 1));
    has(&short, &["block", "at height 6", "does not decode"]);
}

#[test]
fn behaviour_53_a_missing_block_in_the_middle_is_named() {
    let missing = ["block", "at height 6", "missing"];
    let text = found(|chain, file| {
        run(file, "DELETE FROM bodies WHERE id = ?1", [body_of(file, block(chain, 6))]);
        // As many rows as before: it is not their number that tells.
        file.execute("INSERT INTO bodies (bytes, sum) VALUES (x'00', 0)", []).expect("SQL");
    });
    has(&text, &missing);
    let delete = |table: &'static str| {
        found(move |chain, file| {
            let sql = format!("DELETE FROM {table} WHERE height = 6 AND hash = ?1");
            run(file, &sql, [block(chain, 6).hash.0]);
        })
    };
    has(&delete("active"), &["active block at height 6", "missing"]);
    has(&delete("best"), &["best header at height 6", "missing"]);
    has(&delete("headers"), &["headers at height 6 are missing"]);
}

#[test]
fn behaviour_53_a_damaged_header_is_named() {
    let changed = |at: usize, sum: bool| {
        found(move |chain, file| {
            let block = block(chain, 7);
            let sql = "SELECT sealed FROM headers WHERE hash = ?1";
            let sealed = file.query_row(sql, [block.hash.0], |row| row.get(0));
            let mut sealed: Vec<u8> = sealed.expect("a header");
            sealed[at] ^= 1;
            if sum {
                let hex = const_hex::encode(&sealed);
                change_header(file, block, &format!("sealed = x'{hex}'"));
            } else {
                let sql = "UPDATE headers SET sealed = ?2 WHERE hash = ?1";
                run(file, sql, params![block.hash.0, sealed]);
            }
        })
    };
    let name = "the header of block";
    for at in [20, 50, 120, 135] {
        has(&changed(at, false), &[name, "at height 7", "does not match its checksum"]);
    }
    // Content and proof: another hash than that by which all others know it.
    for at in [50, 120, 135] {
        has(&changed(at, true), &[name, "at height 7", "has the hash"]);
    }
}

/// What is known of a header is compared with what is known of its parent.
#[test]
fn behaviour_53_work_and_marks_of_a_header_follow_from_its_parent() {
    let changed =
        |set: &'static str| found(move |chain, file| change_header(file, block(chain, 7), set));
    let name = ["the header of block", "at height 7"];
    for (set, words) in [
        ("work = zeroblob(32)", "has the work 0 and not"),
        ("invalid = 1", "is marked as invalid, and has a body"),
        ("complete = NULL", "is marked wrongly as complete"),
        ("body = NULL", "is marked wrongly as complete"),
        ("complete = 1000", "became complete out of order"),
        ("complete = 1", "became complete out of order"),
        ("seen = 1000", "was seen out of order"),
        ("seen = 1", "was seen out of order"),
    ] {
        has(&changed(set), &[&name[..], &[words]].concat());
    }
    // The block before: its child descends from an invalid one.
    let text = found(|chain, file| {
        change_header(file, block(chain, 6), "invalid = 1, body = NULL, complete = NULL");
    });
    has(&text, &["at height 6", "not complete"]);
}

/// A row whose key does not say where its header stands cannot be found when it is needed.
#[test]
fn behaviour_53_a_header_in_another_place_is_named() {
    let text = found(|chain, file| {
        let sql = "UPDATE headers SET height = 99 WHERE hash = ?1";
        let tip = chain.tip();
        run(file, sql, [tip.hash.0]);
    });
    has(&text, &["the header of block", "at height 12", "stands at height 99"]);
}

#[test]
fn behaviour_53_a_changed_account_is_named() {
    for (balance, sequence) in [(1, 0), (0, 1)] {
        let text = found(|_, file| {
            let (had, sent) = account_row(file, 3);
            put_account(file, 3, had + balance, sent + sequence);
        });
        has(&text, &[&format!("account {:?} has ", account(3)), "where its blocks leave it"]);
    }
    let text = found(|_, file| {
        run(file, "UPDATE accounts SET balance = balance + 1 WHERE key = ?1", [account(3).0]);
    });
    has(&text, &[&format!("account {:?} does not match its checksum", account(3))]);
}

#[test]
fn behaviour_53_a_missing_account_and_one_too_many_are_named() {
    // Of any place in the order of the keys, the first and the last among them.
    for number in 3..=10 {
        let text = found(|_, file| {
            run(file, "DELETE FROM accounts WHERE key = ?1", [account(number).0]);
        });
        has(&text, &[&format!("account {:?} is missing", account(number))]);
    }
    for number in 100..110 {
        let text = found(|_, file| put_account(file, number, 1, 0));
        has(&text, &[&format!("account {:?} has a row", account(number))]);
    }
}

/// Coins that move between accounts leave the supply as it is, and are found all the same.
#[test]
fn behaviour_53_coins_in_other_hands_are_named() {
    let text = found(|_, file| {
        for (number, more) in [(3, 1), (4, -1)] {
            let (had, sent) = account_row(file, number);
            put_account(file, number, had + more, sent);
        }
    });
    has(&text, &["where its blocks leave it"]);
}

#[test]
fn behaviour_53_a_wrong_tip_is_named() {
    let works = found(|_, file| change_ends(file, |tip, _| tip.1 = Work::ZERO));
    let times = found(|_, file| change_ends(file, |tip, _| tip.2 = kit::now()));
    let lower = found(|chain, file| {
        let below = block(chain, 11);
        change_ends(file, |tip, _| tip.0 = below);
    });
    for text in [works, times, lower] {
        has(&text, &["its tip is "]);
    }
    let text = found(|_, file| change_ends(file, |tip, _| tip.0.height = height(13)));
    has(&text, &["height 13"]);
    let text = found(|_, file| change_ends(file, |_, best| best.1 = Work::ZERO));
    has(&text, &["its best header is "]);
}

/// A chain that ends too low, consistently: there is a complete branch with more work.
#[test]
fn behaviour_53_a_branch_that_was_not_followed_is_named() {
    let cut = |table: &str| {
        found(|chain, file| {
            let ledger = chain.ledger();
            let parent = ledger.block(ledger.tip().block).expect("a disk").expect("the tip");
            let parent = parent.sealed.header.parent_ref();
            let work = ledger.header_work(parent).expect("a disk").expect("known");
            let (_, sealed) =
                chain.reader().header_at(parent.height).expect("a chain").expect("its parent");
            let end = (parent, work, sealed.header.time);
            let is_tip = table == "active";
            change_ends(file, |tip, best| *if is_tip { tip } else { best } = end);
            run(file, &format!("DELETE FROM {table} WHERE height = 12"), []);
        })
    };
    has(&cut("active"), &["its tip is "]);
    has(&cut("best"), &["its best header is "]);
}

/// The tables `active` and `best` lead to another block than the stored ends, or past them.
#[test]
fn behaviour_53_a_chain_by_height_with_another_block_is_named() {
    for at in [4, 12] {
        let text = found(|chain, file| {
            let (left, reward) = sibling(chain, at);
            put_active(file, left, &reward);
        });
        let words = if at == 12 { "its tip is " } else { "the table active has block" };
        has(&text, &[words]);
        let text = found(|chain, file| put_best(file, sibling(chain, at).0));
        let words = if at == 12 { "its best header is " } else { "the table best has block" };
        has(&text, &[words]);
    }
    let above = |chain: &mut Chain| BlockRef { height: height(13), ..chain.tip() };
    let text = found(|chain, file| put_best(file, above(chain)));
    has(&text, &["its table best has 14 rows, of which 13 are in use"]);
    let text = found(|chain, file| {
        let (block, recipient) = (above(chain), account(1));
        let reward = Reward { height: block.height, recipient, amount: Amount::ZERO };
        put_active(file, block, &reward);
    });
    has(&text, &["its table active has 14 rows, of which 13 are in use"]);
}

/// A header that descends from an invalid one, and does not say so.
#[test]
fn behaviour_53_a_child_of_an_invalid_header_is_named() {
    let text = found(|chain, file| {
        let reader = chain.reader();
        let (_, tip) = reader.header_at(height(12)).expect("a chain").expect("the tip");
        let mine = |on: &SealedHeader| {
            let (time, target) = (on.header.time.after(SECOND), chain.network.rules().floor());
            *kit::seal(&chain.network, on, account(1), time, target, Vec::new()).header()
        };
        let first = mine(&tip);
        let second = mine(first.sealed());
        let added = chain.ledger().add_headers(&[first, second], kit::now()).expect("a disk");
        assert_eq!((added.new, added.refused), (2, None));
        change_header(file, first.block_ref(), "invalid = 1");
    });
    has(&text, &["at height 14 is not marked as invalid, and its parent is"]);
}

#[test]
fn behaviour_53_another_genesis_is_named() {
    let text = found(|chain, file| {
        change_header(file, chain.network.genesis_ref(), "complete = NULL");
    });
    has(&text, &["its block at height 0 is not the network's genesis"]);
}

/// A stored reward that is not the block's would be credited when it matures.
#[test]
fn behaviour_53_a_reward_that_is_not_the_blocks_is_named() {
    let text = found(|chain, file| {
        let block = block(chain, 12);
        let (recipient, amount) = (account(9), kit::coins("49"));
        put_active(file, block, &Reward { height: block.height, recipient, amount });
    });
    has(&text, &["active block at height 12 has another reward"]);
}

#[test]
fn behaviour_53_a_body_that_no_header_has_is_counted() {
    let text = found(|_, file| {
        run(file, "INSERT INTO bodies (bytes, sum) VALUES (x'00', 0)", []);
    });
    has(&text, &["its table bodies has 14 rows, of which 13 are in use"]);
}

/// A branch that was left is looked at like the active chain.
#[test]
fn behaviour_53_a_block_outside_the_active_chain_is_verified() {
    let left = |chain: &mut Chain| {
        let mut branch = Branch::new(&chain.network, 1);
        branch.mine_empty(4);
        let mut left = branch.fork(3, 2);
        left.mine_empty(1);
        left.tip()
    };
    let text = found(|chain, file| {
        change_body(file, left(chain), |bytes| bytes[150] ^= 1);
    });
    has(&text, &["at height 4", "breaks rule B1"]);
}

/// What the check says of a branch that no ledger has looked at.
fn found_in(branch: &Branch) -> String {
    let chain = Chain::new(branch.network());
    damage::put_branch(&chain.file(), branch);
    check(&chain.reader(), branch.network()).expect_err("a rule is broken").to_string()
}

/// Mines one more block.
type Mine = fn(&mut Branch) -> VerifiedBlock;

/// Blocks that the rules of the chain forbid, as if a ledger without those rules had stored them.
#[test]
fn a_chain_that_breaks_a_rule_of_context_is_refused() {
    let network = kit::network(|rules| rules.min_block_transactions = 2);
    let early = |branch: &mut Branch| branch.mine(Vec::new());
    let poor = |branch: &mut Branch| {
        let payment = pay(branch.network(), 7, 0, "1", 2);
        branch.mine(vec![payment])
    };
    let replayed = |branch: &mut Branch| {
        let payment = pay(branch.network(), 1, 1, "1", 2);
        branch.mine(vec![payment])
    };
    for (mine, rule) in [(early as Mine, "C6"), (replayed, "C7"), (poor, "C8")] {
        let mut branch = Branch::new(&network, 1);
        branch.mine(Vec::new());
        let bad = mine(&mut branch);
        let error = found_in(&branch);
        has(&error, &[&format!("block {} breaks rule {rule}", bad.block_ref())]);
    }
    let mut branch = Branch::new(&network, 1);
    branch.mine(Vec::new());
    let target = network.rules().floor();
    let bad = branch.mine_with(branch.last().time, target, Vec::new());
    let error = found_in(&branch);
    has(&error, &[&format!("the header of block {} breaks rule C4", bad.block_ref())]);
}

/// SQLite's own check: an index that has not all of its rows.
#[test]
fn behaviour_53_an_index_that_lacks_rows_is_named() {
    let text = found(|_, file| {
        file.pragma_update(None, "writable_schema", true).expect("SQL");
        let partial = "UPDATE sqlite_schema SET sql = replace(sql, 'invalid = 0', 'invalid = 1') \
                       WHERE name = 'headers_by_work'";
        run(file, partial, []);
        let again = Connection::open(file.path().expect("a file")).expect("a file");
        again.execute_batch("REINDEX").expect("SQL");
        run(
            file,
            "UPDATE sqlite_schema SET sql = replace(sql, 'invalid = 1', 'invalid = 0') \
                   WHERE name = 'headers_by_work'",
            [],
        );
    });
    has(&text, &["headers_by_work"]);
}

#[test]
fn behaviour_53_a_definition_that_is_not_ours_is_named() {
    let text = found(|_, file| {
        file.execute_batch("DROP INDEX headers_by_work").expect("SQL");
    });
    has(&text, &["headers_by_work is not ours"]);
}

/// Bits all over the file: the check finds damage, or none of the answers changes.
#[test]
fn behaviour_53_the_check_finds_every_flipped_bit_that_matters() {
    let network = maturing();
    let mut chain = busy_chain(&network);
    chain.close();
    let bytes = fs::read(chain.path().join("chain.db")).expect("a file");
    let checked = |bytes: &[u8], folder: &TempDir| {
        fs::write(folder.path().join("chain.db"), bytes).expect("a disk");
        LedgerReader::open(folder.path(), &network).and_then(|reader| check(&reader, &network))
    };
    let new_folder = || TempDir::new().expect("a folder");
    let folder = new_folder();
    let whole = checked(&bytes, &folder).expect("whole");
    let truth = all_answers(folder.path(), &network).expect("whole");
    let mut noticed = 0;
    // Steps of a prime spread the flips over all pages and all bits.
    for step in 0..200 {
        let position = step * 15_881 % (bytes.len() * 8);
        let mut flipped = bytes.clone();
        flipped[position / 8] ^= 1 << (position % 8);
        let folder = new_folder();
        match checked(&flipped, &folder) {
            Ok(same) => {
                assert_eq!(same, whole, "bit {position}");
                let answers = all_answers(folder.path(), &network).expect("it was checked");
                assert!(answers == truth, "bit {position} is believed");
            }
            Err(LedgerError::Damaged(..)) => noticed += 1,
            Err(error) => panic!("bit {position}: {error:?}"),
        }
    }
    assert!(noticed > 20, "{noticed}");
}
