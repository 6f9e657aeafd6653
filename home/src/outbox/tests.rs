use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use cairn_ledger::Ledger;
use cairn_protocol::block::content_root_of;
use cairn_protocol::header::HEADER_VERSION;
use cairn_protocol::{
    Amount, Header, Memo, Network, Payment, Proof, Reward, Rules, SecretKey, Timestamp,
    VerifiedBlock,
};

use super::database::LAYOUT;
use super::*;
use crate::failure::Failure;
use crate::repeater::Repeater;

pub(super) fn network() -> Network {
    let rules = Rules { difficulty: 0, block_interval_seconds: 0, ..Rules::default() };
    Network::new(rules).expect("possible")
}

pub(super) fn key() -> SecretKey {
    SecretKey::from_seed([1; 32])
}

/// Signs the next payment of [`key`], whatever the account has.
pub(super) fn sign(account: Account, waiting: &[Transaction]) -> Transaction {
    let payment = Payment {
        sender: key().account(),
        recipient: SecretKey::from_seed([2; 32]).account(),
        amount: Amount::from_micros(1).expect("an amount"),
        fee: Amount::ZERO,
        sequence: next_sequence(account, waiting),
        memo: Memo::default(),
    };
    key().sign(payment, network().id())
}

pub(super) fn record(outbox: &mut Outbox, reader: &LedgerReader) -> Transaction {
    let signed = |account, waiting: &[Transaction]| Ok::<_, OutboxError>(sign(account, waiting));
    outbox.record(reader, key().account(), signed).expect("recorded")
}

/// Adds a block with these payments on the tip, whose reward is [`key`]'s.
pub(super) fn mine(ledger: &mut Ledger, payments: &[Transaction]) -> BlockRef {
    mine_on(ledger, ledger.tip().block, payments)
}

/// Adds such a block on any block.
fn mine_on(ledger: &mut Ledger, parent: BlockRef, payments: &[Transaction]) -> BlockRef {
    let network = network();
    let payments: Vec<_> =
        payments.iter().map(|one| one.clone().verify(network.id()).expect("valid")).collect();
    let height = parent.height.next();
    let reward = Reward { height, recipient: key().account(), amount: network.subsidy(height) };
    let header = Header {
        version: HEADER_VERSION,
        height,
        parent: parent.hash,
        content: content_root_of(&reward, &payments),
        time: Timestamp::from_millis(1_000 * height.get()).expect("early"),
        target: network.rules().floor(),
    };
    let time = header.time;
    let block = VerifiedBlock::seal(header, Proof::default(), reward, payments, &network);
    let block = block.expect("any hash will do");
    let place = block.block_ref();
    let added = ledger.add_blocks(&[block], time).expect("written");
    assert_eq!(added.refused, []);
    place
}

pub(super) fn sequences(transactions: &[Transaction]) -> Vec<u64> {
    transactions.iter().map(|one| one.payment.sequence.get()).collect()
}

#[test]
fn behaviour_59_twelve_at_once_get_twelve_consecutive_sequences() {
    let folder = tempfile::tempdir().expect("a folder");
    let _ledger = Ledger::open(folder.path(), &network()).expect("new");
    let recorded: BTreeSet<u64> = std::thread::scope(|scope| {
        let pay = || {
            let reader = LedgerReader::open(folder.path(), &network()).expect("there");
            let mut outbox = Outbox::open(folder.path()).expect("opens");
            record(&mut outbox, &reader).payment.sequence.get()
        };
        let threads: Vec<_> = (0..12).map(|_| scope.spawn(pay)).collect();
        threads.into_iter().map(|thread| thread.join().expect("ends")).collect()
    });
    assert_eq!(recorded, (0..12).collect());
}

#[test]
fn behaviour_58_payments_wait_until_a_block_holds_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = Ledger::open(folder.path(), &network()).expect("new");
    mine(&mut ledger, &[]);
    let reader = ledger.reader().expect("readable");
    let mut outbox = Outbox::open(folder.path()).expect("opens");
    let first = record(&mut outbox, &reader);
    record(&mut outbox, &reader);
    record(&mut outbox, &reader);
    assert_eq!(sequences(&outbox.unconfirmed(&reader).expect("readable")), [0, 1, 2]);
    mine(&mut ledger, &[first]);
    assert_eq!(sequences(&outbox.unconfirmed(&reader).expect("readable")), [1, 2]);
    let all = outbox.payments_from(key().account(), Sequence::FIRST).expect("readable");
    assert_eq!(sequences(&all), [0, 1, 2]);
    assert_eq!(outbox.senders().expect("readable"), [key().account()]);
}

#[test]
fn behaviour_58_a_payment_is_repeated_unchanged_until_it_is_made_and_made_once() {
    const INTERVAL: Duration = Duration::from_secs(5);
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = Ledger::open(folder.path(), &network()).expect("new");
    let fork = mine(&mut ledger, &[]);
    let reader = ledger.reader().expect("readable");
    let payment = [record(&mut Outbox::open(folder.path()).expect("opens"), &reader)];
    let mut repeater = Repeater::new(folder.path().to_owned(), INTERVAL);
    let mut now = Instant::now();
    let mut due = || {
        now += INTERVAL;
        repeater.due(now, &network()).expect("readable")
    };
    let recipient = payment[0].payment.recipient;
    let paid = |ledger: &Ledger| ledger.account(&recipient).expect("readable").balance.micros();

    assert_eq!([due(), due()], [payment.clone(), payment.clone()]);
    mine(&mut ledger, &payment);
    assert_eq!((due(), paid(&ledger)), (Vec::new(), 1));
    let next = mine_on(&mut ledger, fork, &[]);
    mine_on(&mut ledger, next, &[]);
    assert_eq!((due(), paid(&ledger)), (payment.to_vec(), 0), "a better branch lacks it");
    mine(&mut ledger, &payment);
    assert_eq!((due(), paid(&ledger)), (Vec::new(), 1));
}

#[test]
fn behaviour_59_payments_in_a_row_have_consecutive_sequences_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut made = Vec::new();
    // No node runs, and no block holds any of them.
    for _ in 0..3 {
        let ledger = Ledger::open(folder.path(), &network()).expect("opens");
        let reader = ledger.reader().expect("readable");
        let mut outbox = Outbox::open(folder.path()).expect("opens");
        made.extend([(); 2].map(|()| record(&mut outbox, &reader)));
    }
    assert_eq!(sequences(&made), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn what_is_refused_is_not_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(folder.path(), &network()).expect("new");
    let reader = ledger.reader().expect("readable");
    let mut outbox = Outbox::open(folder.path()).expect("opens");
    let refusal = |_: Account, _: &[Transaction]| Err(OutboxError::Busy("no".into()));
    outbox.record(&reader, key().account(), refusal).expect_err("refused");
    assert_eq!(outbox.senders().expect("readable"), []);
}

#[test]
fn rule_n11_a_gap_is_filled_first() {
    let account = Account { sequence: Sequence::from(5), ..Account::default() };
    let waiting = |sequences: &[u32]| -> Vec<Transaction> {
        let waiting = |&sequence| {
            let account = Account { sequence: Sequence::from(sequence), ..Account::default() };
            sign(account, &[])
        };
        sequences.iter().map(waiting).collect()
    };
    let next = |sequences: &[u32]| next_sequence(account, &waiting(sequences)).get();
    assert_eq!([next(&[]), next(&[5, 6]), next(&[6, 7]), next(&[5, 7])], [5, 7, 5, 6]);
}

#[test]
fn another_connections_record_changes_the_revision() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(folder.path(), &network()).expect("new");
    let reader = ledger.reader().expect("readable");
    assert!(Outbox::open_existing(folder.path()).expect("readable").is_none());
    let mut writer = Outbox::open(folder.path()).expect("opens");
    let watcher = Outbox::open_existing(folder.path()).expect("readable").expect("there");
    let before = watcher.revision().expect("readable");
    assert_eq!(watcher.revision().expect("readable"), before);
    record(&mut writer, &reader);
    assert_ne!(watcher.revision().expect("readable"), before);
}

#[test]
fn behaviour_53_a_damaged_file_is_named_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE);
    let content = b"This is no database, and long enough to be read as one. ".repeat(100);
    fs::write(&path, &content).expect("written");
    for opened in
        [Outbox::open(folder.path()).map(drop), Outbox::open_existing(folder.path()).map(drop)]
    {
        let error = opened.expect_err("damaged");
        assert!(matches!(&error, OutboxError::Damaged(file, _) if *file == path), "{error:?}");
        assert_eq!(Failure::from(error).code(), "damaged_outbox");
    }
    assert_eq!(fs::read(&path).expect("readable"), content);
}

#[test]
fn behaviour_53_a_file_that_ends_within_a_page_is_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(Outbox::open(folder.path()).expect("new"));
    let path = folder.path().join(FILE);
    let whole = fs::read(&path).expect("readable");
    for bytes in [1, 5_000, whole.len() - 1] {
        fs::write(&path, &whole[..bytes]).expect("written");
        for opened in
            [Outbox::open(folder.path()).err(), Outbox::open_existing(folder.path()).err()]
        {
            assert!(matches!(opened, Some(OutboxError::Damaged(..))), "{bytes} bytes: {opened:?}");
        }
        assert_eq!(fs::read(&path).expect("readable"), whole[..bytes]);
    }
}

#[test]
fn behaviour_53_a_database_that_only_looks_like_ours_is_damaged() {
    let schemas = [
        "CREATE TABLE other (id INTEGER)",
        "CREATE TABLE payments (sender TEXT, sequence INTEGER, signed TEXT); \
         INSERT INTO payments VALUES ('somebody', 0, 'something')",
    ];
    for schema in schemas {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Connection::open(folder.path().join(FILE)).expect("opens");
        database.execute_batch(schema).expect("SQL");
        database.pragma_update(None, "user_version", LAYOUT).expect("written");
        let senders = Outbox::open(folder.path()).and_then(|outbox| outbox.senders());
        let error = senders.expect_err("it is not");
        assert!(matches!(error, OutboxError::Damaged(..)), "{error:?}");
    }
}

#[test]
fn behaviour_53_a_flipped_bit_is_noticed_or_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = Ledger::open(folder.path(), &network()).expect("new");
    mine(&mut ledger, &[]);
    let reader = ledger.reader().expect("readable");
    let mut outbox = Outbox::open(folder.path()).expect("opens");
    let payments = [(); 3].map(|()| record(&mut outbox, &reader));
    mine(&mut ledger, &payments[..1]);
    drop(outbox);
    let path = folder.path().join(FILE);
    let look = || {
        let outbox = Outbox::open_existing(folder.path())?;
        let outbox = outbox.ok_or_else(|| OutboxError::Damaged(path.clone(), "empty".into()))?;
        Ok::<_, OutboxError>((outbox.undecided(&reader)?, outbox.unconfirmed(&reader)?))
    };
    let before = look().expect("whole");
    let whole = fs::read(&path).expect("readable");
    let mut noticed = 0;
    for at in (0..whole.len()).filter(|at| whole[*at] != 0) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&path, &flipped).expect("written");
        match look() {
            Ok((undecided, waiting)) => {
                // Where a payment was made only says from where on to search.
                let payments = |all: &[Undecided]| -> Vec<_> {
                    all.iter().map(|one| one.transaction.clone()).collect()
                };
                assert_eq!(payments(&undecided), payments(&before.0), "byte {at}");
                assert_eq!(waiting, before.1, "byte {at}");
            }
            Err(_) => noticed += 1,
        }
    }
    assert!(noticed > 3 * 168, "all bytes of the payments");
}

#[test]
fn an_outbox_that_cannot_be_opened_says_what_to_look_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = Outbox::open(&folder.path().join("missing")).expect_err("no folder");
    assert!(error.to_string().contains("check its owner and mode"), "{error}");
    assert_eq!(Failure::from(error).code(), "permission");
}

#[test]
fn a_newer_layout_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(Outbox::open(folder.path()).expect("new"));
    let database = Connection::open(folder.path().join(FILE)).expect("opens");
    database.pragma_update(None, "user_version", LAYOUT + 1).expect("written");
    let error = Outbox::open(folder.path()).expect_err("newer");
    assert!(error.to_string().contains("layout 4, and this program knows 3"), "{error}");
}

#[test]
fn a_journal_that_was_left_behind_does_not_meet_a_new_file() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("wallet.db-journal"), "stale".repeat(200)).expect("written");
    let outbox = Outbox::open(folder.path()).expect("new");
    assert_eq!(outbox.senders().expect("readable"), []);
}

/// What a process that is killed while it creates the file may leave: an empty file.
#[test]
fn behaviour_53_a_creation_that_was_cut_short_is_finished_later() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(FILE), "").expect("written");
    assert!(Outbox::open_existing(folder.path()).expect("readable").is_none());
    let outbox = Outbox::open(folder.path()).expect("finished");
    assert_eq!(outbox.senders().expect("readable"), []);
}

/// A payment of [`key`] that a copy of it has made elsewhere.
pub(super) fn made_elsewhere(sequence: u64) -> Transaction {
    let copied = &sign(Account::default(), &[]).payment;
    let sequence = Sequence::new(sequence).expect("small");
    let memo = Memo::new(b"elsewhere".to_vec()).expect("short");
    key().sign(Payment { sequence, memo, ..copied.clone() }, network().id())
}

#[test]
fn a_payment_is_undecided_from_its_block_on_until_its_fate_is_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = Ledger::open(folder.path(), &network()).expect("new");
    mine(&mut ledger, &[]);
    let reader = ledger.reader().expect("readable");
    let made = ledger.tip().block;
    let mut outbox = Outbox::open(folder.path()).expect("opens");
    let payments = [(); 3].map(|()| record(&mut outbox, &reader));
    assert_eq!(outbox.undecided(&reader).expect("readable"), []);
    mine(&mut ledger, &payments[..2]);
    let undecided = payments[..2]
        .iter()
        .map(|one| Undecided { transaction: one.clone(), made: Some(made) })
        .collect::<Vec<_>>();
    assert_eq!(outbox.undecided(&reader).expect("readable"), undecided);
    outbox.decide(&payments[0], Fate::Made).expect("written");
    outbox.decide(&made_elsewhere(1), Fate::GivenUp).expect("it is not here");
    assert_eq!(outbox.undecided(&reader).expect("readable"), undecided[1..]);
    assert_eq!(sequences(&outbox.unconfirmed(&reader).expect("readable")), [2]);
}

#[test]
fn behaviour_58_a_payment_that_was_given_up_is_never_made_beside_the_one_that_replaces_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = Ledger::open(folder.path(), &network()).expect("new");
    mine(&mut ledger, &[]);
    let fork = ledger.tip().block;
    let reader = ledger.reader().expect("readable");
    let mut outbox = Outbox::open(folder.path()).expect("opens");
    let overtaken = record(&mut outbox, &reader);
    mine(&mut ledger, &[made_elsewhere(0)]);
    outbox.decide(&overtaken, Fate::GivenUp).expect("written");

    // A better branch holds neither. The user has sent it again: it gets the same sequence, so a
    // block can hold but one of the two.
    let better = mine_on(&mut ledger, fork, &[]);
    mine_on(&mut ledger, better, &[]);
    assert_eq!(outbox.unconfirmed(&reader).expect("readable"), []);
    let again = record(&mut outbox, &reader);
    assert_eq!(again.payment.sequence, overtaken.payment.sequence);
    let again = [again];
    assert_eq!(outbox.unconfirmed(&reader).expect("readable"), again);
    mine(&mut ledger, &again);
    let undecided = outbox.undecided(&reader).expect("readable");
    assert_eq!(undecided.iter().map(|one| &one.transaction).collect::<Vec<_>>(), [&again[0]]);
}

#[test]
fn behaviour_59_a_sequence_is_not_recorded_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(folder.path(), &network()).expect("new");
    let reader = ledger.reader().expect("readable");
    let mut outbox = Outbox::open(folder.path()).expect("opens");
    let first = record(&mut outbox, &reader);
    let again = |_: Account, _: &[Transaction]| Ok::<_, OutboxError>(made_elsewhere(0));
    let error = outbox.record(&reader, key().account(), again).expect_err("taken");
    assert!(error.to_string().contains("payment 1 of this account is recorded"), "{error}");
    assert_eq!(outbox.unconfirmed(&reader).expect("readable"), [first]);
}

#[test]
fn senders_are_named_once_each_and_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(folder.path(), &network()).expect("new");
    let reader = ledger.reader().expect("readable");
    let mut outbox = Outbox::open(folder.path()).expect("opens");
    let mut expected = BTreeSet::new();
    for seed in [3, 1, 2, 1, 3, 3] {
        let key = SecretKey::from_seed([seed; 32]);
        expected.insert(key.account());
        let signed = |account, waiting: &[Transaction]| {
            let payment = Payment { sender: key.account(), ..sign(account, waiting).payment };
            Ok::<_, OutboxError>(key.sign(payment, network().id()))
        };
        outbox.record(&reader, key.account(), signed).expect("recorded");
    }
    assert_eq!(outbox.senders().expect("readable"), expected.into_iter().collect::<Vec<_>>());
}

#[test]
fn an_outbox_of_the_first_layout_is_brought_up_to_date() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = Ledger::open(folder.path(), &network()).expect("new");
    let old = sign(Account::default(), &[]);
    let database = Connection::open(folder.path().join(FILE)).expect("opens");
    let first_layout = "
        CREATE TABLE payments (
            sender   BLOB    NOT NULL,
            sequence INTEGER NOT NULL,
            signed   BLOB    NOT NULL,
            PRIMARY KEY (sender, sequence)
        ) STRICT, WITHOUT ROWID;
        PRAGMA user_version = 1;
    ";
    database.execute_batch(first_layout).expect("SQL");
    let row = params![key().account().0, 0, codec::encode(&old)];
    database.execute("INSERT INTO payments VALUES (?1, ?2, ?3)", row).expect("written");
    drop(database);

    let outbox = Outbox::open_existing(folder.path()).expect("readable").expect("there");
    let reader = ledger.reader().expect("readable");
    let old = [old];
    assert_eq!(outbox.unconfirmed(&reader).expect("readable"), old);
    mine(&mut ledger, &[]);
    mine(&mut ledger, &old);
    let [transaction] = old;
    let undecided = Undecided { transaction, made: None };
    assert_eq!(outbox.undecided(&reader).expect("readable"), [undecided]);
}

/// What stands in the tables `payments` and `made`.
fn rows(folder: &Path) -> [i64; 2] {
    let database = Connection::open(folder.join(FILE)).expect("opens");
    ["payments", "made"].map(|table| {
        let sql = format!("SELECT count(*) FROM {table}");
        database.query_row(&sql, [], |row| row.get(0)).expect("SQL")
    })
}

#[test]
fn payments_that_are_made_for_good_stand_apart_and_wait_again_if_no_block_holds_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = Ledger::open(folder.path(), &network()).expect("new");
    let fork = mine(&mut ledger, &[]);
    let reader = ledger.reader().expect("readable");
    let mut outbox = Outbox::open(folder.path()).expect("opens");
    let payments = [(); 3].map(|()| record(&mut outbox, &reader));
    mine(&mut ledger, &payments[..2]);
    for payment in &payments[..2] {
        outbox.decide(payment, Fate::Made).expect("written");
        outbox.decide(payment, Fate::Made).expect("it was before");
    }
    assert_eq!(rows(folder.path()), [1, 2]);
    assert_eq!(outbox.undecided(&reader).expect("readable"), []);
    assert_eq!(sequences(&outbox.unconfirmed(&reader).expect("readable")), [2]);
    assert_eq!(record(&mut outbox, &reader).payment.sequence.get(), 3);
    assert_eq!(outbox.all().expect("readable").len(), 4);

    // However deep they lay, another branch does not hold them.
    let better = mine_on(&mut ledger, fork, &[]);
    mine_on(&mut ledger, better, &[]);
    let waiting = outbox.unconfirmed(&reader).expect("readable");
    assert_eq!(waiting[..3], payments);
    assert_eq!(record(&mut outbox, &reader).payment.sequence.get(), 4);
    let again = |_: Account, _: &[Transaction]| Ok::<_, OutboxError>(made_elsewhere(0));
    let error = outbox.record(&reader, key().account(), again).expect_err("taken");
    assert!(error.to_string().contains("payment 1 of this account is recorded"), "{error}");
}

/// Nobody looks at them, until all payments are wanted.
#[test]
fn behaviour_53_a_flipped_bit_in_what_stands_apart_is_noticed_where_it_matters() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ledger = Ledger::open(folder.path(), &network()).expect("new");
    let fork = mine(&mut ledger, &[]);
    let reader = ledger.reader().expect("readable");
    let mut outbox = Outbox::open(folder.path()).expect("opens");
    let payments = [(); 3].map(|()| record(&mut outbox, &reader));
    mine(&mut ledger, &payments);
    for one in &payments {
        outbox.decide(one, Fate::Made).expect("written");
    }
    let better = mine_on(&mut ledger, fork, &[]);
    mine_on(&mut ledger, better, &[]);
    drop(outbox);
    let path = folder.path().join(FILE);
    let look = || {
        let outbox = Outbox::open_existing(folder.path())?
            .ok_or_else(|| OutboxError::Damaged(path.clone(), "empty".into()))?;
        let payments = outbox.all()?.into_iter().map(|one| one.transaction);
        Ok::<_, OutboxError>((payments.collect::<Vec<_>>(), outbox.unconfirmed(&reader)?))
    };
    let before = look().expect("whole");
    assert_eq!(before, (payments.to_vec(), payments.to_vec()));
    let whole = fs::read(&path).expect("readable");
    let mut noticed = 0;
    for at in (0..whole.len()).filter(|at| whole[*at] != 0).step_by(3) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&path, &flipped).expect("written");
        match look() {
            Ok(found) => assert_eq!(found, before, "byte {at}"),
            Err(_) => noticed += 1,
        }
    }
    assert!(noticed > 168, "all bytes of the payments");
}

#[test]
fn an_outbox_of_the_second_layout_is_brought_up_to_date() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(folder.path(), &network()).expect("new");
    let reader = ledger.reader().expect("readable");
    let mut outbox = Outbox::open(folder.path()).expect("opens");
    let payments = [(); 3].map(|()| record(&mut outbox, &reader));
    outbox.decide(&payments[0], Fate::Made).expect("written");
    outbox.decide(&payments[1], Fate::GivenUp).expect("written");
    let all = outbox.all().expect("readable");
    drop(outbox);
    let database = Connection::open(folder.path().join(FILE)).expect("opens");
    let back = "
        INSERT INTO payments (sender, sequence, signed, made_height, made_hash, fate, checksum)
            SELECT sender, sequence, signed, made_height, made_hash, fate, checksum FROM made;
        DROP TABLE made; PRAGMA user_version = 2;
    ";
    database.execute_batch(back).expect("SQL");
    drop(database);
    let outbox = Outbox::open_existing(folder.path()).expect("readable").expect("there");
    assert_eq!(outbox.all().expect("readable"), all);
    assert_eq!(rows(folder.path()), [2, 1]);
}
