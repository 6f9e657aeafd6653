use cairn_ledger::Ledger;
use cairn_protocol::{Height, Memo};

use super::tests::{key, made_elsewhere, mine, network, record, sequences, sign};
use super::*;

/// A payment of this sequence and memo, of which nothing more is known.
fn recorded(sequence: u64, memo: &str) -> Recorded {
    let mut payment = sign(Account::default(), &[]).payment;
    payment.sequence = Sequence::new(sequence).expect("small");
    payment.memo = Memo::new(memo.into()).expect("short");
    Recorded { transaction: key().sign(payment, network().id()), made: None, fate: None }
}

fn with_fate(fate: Fate, recorded: Recorded) -> Recorded {
    Recorded { fate: Some(fate), ..recorded }
}

/// A new outbox with these payments.
fn outbox(payments: &[Recorded]) -> (tempfile::TempDir, Outbox) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut outbox = Outbox::open(folder.path()).expect("new");
    let added = payments.len().try_into().expect("few");
    let merged = outbox.merge(payments).expect("written");
    assert_eq!(merged, Merged { added, ..Merged::default() });
    (folder, outbox)
}

#[test]
fn what_is_taken_in_comes_out_again() {
    let made = BlockRef { height: Height::GENESIS.next(), hash: BlockHash([7; 32]) };
    let payments = [
        Recorded { made: Some(made), ..recorded(0, "made") },
        with_fate(Fate::Made, recorded(1, "deep")),
        with_fate(Fate::GivenUp, recorded(2, "overtaken")),
    ];
    let (_folder, mut outbox) = outbox(&payments);
    assert_eq!(outbox.all().expect("readable"), payments);
    assert!(outbox.compare(&payments).expect("readable").is_nothing());
    assert!(outbox.merge(&payments).expect("written").is_nothing());
    assert_eq!(outbox.all().expect("readable"), payments);
}

#[test]
fn payments_taken_in_wait_and_are_decided_like_any_other() {
    let [ours, theirs] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let mut ledger = Ledger::open(ours.path(), &network()).expect("new");
    mine(&mut ledger, &[]);
    let reader = ledger.reader().expect("readable");
    let mut outbox = Outbox::open(ours.path()).expect("new");
    let payments = [(); 3].map(|()| record(&mut outbox, &reader));
    mine(&mut ledger, &payments[..1]);
    let mut copy = Outbox::open(theirs.path()).expect("new");
    copy.merge(&outbox.all().expect("readable")).expect("written");
    let told = |outbox: &Outbox| {
        let (waiting, undecided) = (outbox.unconfirmed(&reader), outbox.undecided(&reader));
        (waiting.expect("readable"), undecided.expect("readable"))
    };
    assert_eq!(told(&copy), told(&outbox));
    assert_eq!(sequences(&told(&copy).0), [1, 2]);
    assert_eq!(record(&mut copy, &reader).payment.sequence.get(), 3);
}

#[test]
fn an_older_backup_takes_no_payment_away_so_no_sequence_is_given_out_twice() {
    let payments = [recorded(0, ""), recorded(1, ""), recorded(2, "")];
    let (folder, mut outbox) = outbox(&payments);
    assert!(outbox.merge(&payments[..1]).expect("written").is_nothing());
    assert_eq!(outbox.all().expect("readable"), payments);
    let ledger = Ledger::open(folder.path(), &network()).expect("new");
    let next = record(&mut outbox, &ledger.reader().expect("readable"));
    assert_eq!(next.payment.sequence.get(), 3);
}

#[test]
fn what_is_recorded_here_stands_against_another_payment_of_its_sequence() {
    let (here, there) = (recorded(0, "here"), recorded(0, "there"));
    let given_up = |one: &Recorded| with_fate(Fate::GivenUp, one.clone());
    let made = |one: &Recorded| with_fate(Fate::Made, one.clone());
    let nothing = Merged::default();
    let (added, settled, passed_over) = (
        Merged { added: 1, ..nothing },
        Merged { settled: 1, ..nothing },
        Merged { passed_over: 1, ..nothing },
    );
    let cases = [
        // What is here, what is taken in, what that does, and what is here then.
        (here.clone(), there.clone(), passed_over, here.clone()),
        (made(&here), there.clone(), passed_over, made(&here)),
        (here.clone(), made(&there), passed_over, here.clone()),
        (here.clone(), given_up(&there), nothing, here.clone()),
        (given_up(&here), there.clone(), added, there.clone()),
        (given_up(&here), made(&there), added, made(&there)),
        (given_up(&here), given_up(&there), nothing, given_up(&here)),
        (here.clone(), given_up(&here), settled, given_up(&here)),
        (here.clone(), made(&here), settled, made(&here)),
        (made(&here), here.clone(), nothing, made(&here)),
        (given_up(&here), here.clone(), nothing, given_up(&here)),
        (given_up(&here), made(&here), nothing, given_up(&here)),
    ];
    for (number, (first, second, expected, left)) in cases.into_iter().enumerate() {
        let (_folder, mut outbox) = outbox(&[first]);
        let second = [second];
        assert_eq!(outbox.compare(&second).expect("readable"), expected, "case {number}");
        assert_eq!(outbox.merge(&second).expect("written"), expected, "case {number}");
        assert_eq!(outbox.all().expect("readable"), [left], "case {number}");
    }
}

#[test]
fn all_of_one_moment_are_read_while_another_process_records() {
    let (folder, mut writer) = outbox(&[recorded(0, "")]);
    let reader = Outbox::open_existing(folder.path()).expect("readable").expect("there");
    let change = writer.database.transaction_with_behavior(TransactionBehavior::Immediate);
    let change = change.expect("free");
    let tip = network().genesis_ref();
    assert_eq!(insert(&change, &made_elsewhere(1), tip), Ok(true));
    assert_eq!(reader.all().expect("not kept waiting").len(), 1);
    change.commit().expect("written");
    assert_eq!(reader.all().expect("readable").len(), 2);
}

#[test]
fn a_damaged_payment_gets_into_no_backup() {
    let (folder, outbox) = outbox(&[recorded(0, ""), recorded(1, "")]);
    outbox.database.execute("UPDATE payments SET fate = 1 WHERE sequence = 1", []).expect("SQL");
    let error = outbox.all().expect_err("its checksum differs");
    assert!(matches!(&error, OutboxError::Damaged(file, _) if *file == folder.path().join(FILE)));
}
