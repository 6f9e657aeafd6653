use std::time::Duration;

use cairn_protocol::{AccountId, Amount, Memo, Payment, SecretKey, Sequence};

use super::*;

const NETWORK: NetworkId = NetworkId([7; 32]);

fn now() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000).expect("a time")
}

fn file(folder: &tempfile::TempDir) -> MempoolFile {
    MempoolFile::new(folder.path(), NETWORK, &MempoolLimits::default())
}

fn payments(count: u64) -> Vec<Transaction> {
    let payment = |sequence| Payment {
        sender: SecretKey::from_seed([1; 32]).account(),
        recipient: AccountId([2; 32]),
        amount: Amount::from_micros(1).expect("an amount"),
        fee: Amount::ZERO,
        sequence: Sequence::new(sequence).expect("small"),
        memo: Memo::new(vec![b'm'; 10]).expect("short"),
    };
    let sign = |sequence| SecretKey::from_seed([1; 32]).sign(payment(sequence), NETWORK);
    (0..count).map(sign).collect()
}

/// A file with three payments, whose bytes are then changed.
fn written(change: impl FnOnce(&mut Vec<u8>)) -> (tempfile::TempDir, MempoolFile) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = file(&folder);
    file.write(&payments(3), now()).expect("written");
    let mut bytes = fs::read(file.path()).expect("there");
    change(&mut bytes);
    fs::write(file.path(), bytes).expect("written");
    (folder, file)
}

/// Puts the checksum right, as somebody who wants to be believed would.
fn seal(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len() - CHECKSUM_BYTES);
    bytes.extend(sha256(&[bytes]));
}

#[test]
fn behaviour_49_what_was_written_is_read_and_an_empty_mempool_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = file(&folder);
    assert_eq!(file.read(now()).expect("no file is no error"), []);
    file.write(&payments(3), now()).expect("written");
    assert_eq!(file.read(now()).expect("whole"), payments(3));
    file.write(&payments(2), now()).expect("replaced");
    assert_eq!(file.read(now()).expect("whole"), payments(2));
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1, "no draft is left");
    file.write(&[], now()).expect("removed");
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 0);
    file.write(&[], now()).expect("nothing to remove");
}

#[test]
fn behaviour_49_a_file_cut_short_anywhere_is_damaged() {
    let (_folder, whole) = written(|_| {});
    let bytes = fs::read(whole.path()).expect("there");
    for length in 0..bytes.len() {
        let error = whole.parse(&bytes[..length], now()).expect_err("cut short");
        let is_named = matches!(error, Unusable::Damaged | Unusable::Unknown);
        assert!(is_named, "{length}: {error}");
    }
}

#[test]
fn behaviour_49_a_flipped_bit_anywhere_is_noticed() {
    let (_folder, whole) = written(|_| {});
    let bytes = fs::read(whole.path()).expect("there");
    for index in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[index] ^= 1 << (index % 8);
        whole.parse(&flipped, now()).expect_err("changed");
    }
}

#[test]
fn behaviour_49_lengths_that_lie_are_damage_though_the_checksum_is_right() {
    let first_length = HEAD_BYTES..HEAD_BYTES + LENGTH_BYTES;
    for lie in [0, 1, 169, 171, u32::MAX] {
        let (_folder, file) = written(|bytes| {
            bytes[first_length.clone()].copy_from_slice(&lie.to_le_bytes());
            seal(bytes);
        });
        assert!(matches!(file.read(now()), Err(Unusable::Damaged)), "{lie}");
    }
    let (_folder, file) = written(|bytes| {
        bytes.truncate(20 + CHECKSUM_BYTES);
        seal(bytes);
    });
    assert!(matches!(file.read(now()), Err(Unusable::Damaged)), "no whole head");
}

#[test]
fn behaviour_49_another_networks_file_and_another_layout_are_not_used() {
    let (folder, file) = written(|_| {});
    let other = MempoolFile { network: NetworkId([8; 32]), ..file };
    assert!(matches!(other.read(now()), Err(Unusable::Foreign)));
    drop(folder);
    let (_folder, file) = written(|bytes| {
        bytes[3] = 2;
        seal(bytes);
    });
    assert!(matches!(file.read(now()), Err(Unusable::Unknown)));
}

#[test]
fn behaviour_49_no_more_is_read_than_a_full_mempool_holds() {
    let (_folder, mut file) = written(|_| {});
    let bytes = fs::metadata(file.path()).expect("there").len();
    file.limits.max_payments = 3;
    file.limits.max_bytes = 3 * 170;
    assert_eq!(file.most_bytes() as u64, bytes);
    assert_eq!(file.read(now()).expect("it just fits").len(), 3);
    file.limits.max_bytes -= 1;
    assert!(matches!(file.read(now()), Err(Unusable::TooLarge)));
}

#[test]
fn behaviour_49_what_is_older_than_a_payment_may_get_does_not_come_back() {
    let (_folder, file) = written(|_| {});
    let expiry = file.limits.expiry;
    let almost = now().after(expiry.saturating_sub(Duration::from_millis(1)));
    assert_eq!(file.read(almost).expect("whole").len(), 3);
    assert_eq!(file.read(now().after(expiry)).expect("whole"), []);
    assert_eq!(file.read(Timestamp::ZERO).expect("a clock set back").len(), 3);
}

#[test]
fn behaviour_49_what_cannot_be_used_is_replaced_at_the_next_stop() {
    let (folder, file) = written(|bytes| bytes.fill(0));
    fs::write(folder.path().join(DRAFT), "left by a crash").expect("written");
    file.read(now()).expect_err("damaged");
    file.write(&payments(1), now()).expect("replaced");
    assert_eq!(file.read(now()).expect("whole").len(), 1);
}

#[test]
fn behaviour_49_a_place_that_cannot_be_read_or_written_is_an_error_and_no_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = file(&folder);
    fs::create_dir(file.path()).expect("a folder in the way");
    assert!(matches!(file.read(now()), Err(Unusable::Io(_))));
    file.write(&payments(1), now()).expect_err("it cannot be replaced");
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1, "no draft is left");
    let gone = MempoolFile { folder: folder.path().join("gone"), ..file };
    gone.write(&payments(1), now()).expect_err("nowhere to write");
}

#[test]
#[cfg(unix)]
fn behaviour_49_the_file_is_its_owners() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, file) = written(|_| {});
    // What is replaced keeps no mode of its own.
    file.write(&payments(1), now()).expect("replaced");
    let mode = fs::metadata(file.path()).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
