use cairn_protocol::{BlockHash, Height, SecretKey};

use super::*;
use crate::backup::kit;

fn payment(sequence: u64, memo: &str) -> Recorded {
    let transaction = kit::payment(&kit::network(1), sequence, memo);
    Recorded { transaction, made: None, fate: None }
}

/// Two keys, and three payments of two networks.
fn backup() -> Backup {
    let made = BlockRef { height: Height::GENESIS.next(), hash: BlockHash([7; 32]) };
    let name = |text: &str| text.parse().expect("a name");
    let folder = |text: &str| text.parse().expect("a folder");
    let first = Recorded { made: Some(made), fate: Some(Fate::Made), ..payment(0, "") };
    let second = Recorded { fate: Some(Fate::GivenUp), ..payment(1, "a memo") };
    Backup {
        written: Timestamp::from_millis(1_700_000_000_000).expect("a time"),
        keys: BTreeMap::from([
            (name("alice"), b"no key, but a file".to_vec()),
            (name("bob"), Vec::new()),
        ]),
        payments: BTreeMap::from([
            (folder("cairn-0123abcd"), vec![first, second]),
            (folder("test-01234567"), vec![payment(5, "other")]),
        ]),
    }
}

/// What is refused although its checksum is right.
fn refusal(content: &[u8]) -> String {
    let sealed = [content, &sha256(&[content])].concat();
    match decode(&sealed) {
        Err(Unusable::Malformed(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

/// The beginning of each file.
fn head() -> Vec<u8> {
    codec::encode(&(MAGIC, VERSION, Timestamp::ZERO))
}

fn part(bytes: &[u8]) -> Vec<u8> {
    let mut part = Vec::new();
    put_part(&mut part, bytes).expect("short");
    part
}

fn count(number: u32) -> [u8; 4] {
    number.to_le_bytes()
}

#[test]
fn a_backup_comes_back_as_it_was() {
    let bytes = encode(&backup()).expect("small");
    assert!(bytes.starts_with(b"CRB\x01"));
    assert_eq!(decode(&bytes), Ok(backup()));
    let empty = Backup { keys: BTreeMap::new(), payments: BTreeMap::new(), ..backup() };
    assert_eq!(decode(&encode(&empty).expect("small")), Ok(empty));
}

#[test]
fn behaviour_53_wherever_its_end_is_missing_it_is_refused() {
    let bytes = encode(&backup()).expect("small");
    for length in 0..bytes.len() {
        let expected = if length < MAGIC.len() { Unusable::Foreign } else { Unusable::Damaged };
        assert_eq!(decode(&bytes[..length]), Err(expected), "{length} bytes");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(decode(&longer), Err(Unusable::Damaged));
}

#[test]
fn behaviour_53_whichever_bit_has_changed_it_is_refused() {
    let bytes = encode(&backup()).expect("small");
    for bit in 0..8 * bytes.len() {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let expected = match bit / 8 {
            0..=2 => Unusable::Foreign,
            3 => Unusable::Version(changed[3]),
            _ => Unusable::Damaged,
        };
        assert_eq!(decode(&changed), Err(expected), "bit {bit}");
    }
}

#[test]
fn what_is_none_and_what_is_newer_are_told_apart() {
    let pem = SecretKey::from_seed([1; 32]).to_pem();
    assert_eq!(decode(pem.as_ref().as_bytes()), Err(Unusable::Foreign));
    assert_eq!(decode(b"SQLite format 3\0"), Err(Unusable::Foreign));
    let mut newer = encode(&backup()).expect("small");
    newer[3] = 2;
    let error = decode(&newer).expect_err("newer");
    assert!(error.to_string().contains("layout 2, and this program knows 1"), "{error}");
}

#[test]
fn a_name_that_leads_elsewhere_is_refused() {
    for name in ["../evil", "/etc/passwd", ".hidden", "", "a/b", "a\0"] {
        let content =
            [&head()[..], &count(1), &part(name.as_bytes()), &part(b""), &count(0)].concat();
        assert!(refusal(&content).contains("cannot be the name of a key"), "{name:?}");
    }
    for folder in ["../cairn-0123abcd", "keys", "cairn-0123abcd/..", ".."] {
        let content =
            [&head()[..], &count(0), &count(1), &part(folder.as_bytes()), &count(0)].concat();
        assert!(refusal(&content).contains("name of a network's folder"), "{folder:?}");
    }
    let content = [&head()[..], &count(1), &part(&[0xff]), &part(b""), &count(0)].concat();
    assert!(refusal(&content).contains("utf-8"), "not a text");
}

#[test]
fn numbers_that_promise_more_than_there_is_are_refused() {
    let most = count(u32::MAX);
    let one_key = [&count(1)[..], &part(b"alice")].concat();
    for content in [
        [&head()[..], &most].concat(),
        [&head()[..], &count(1), &most].concat(),
        [&head()[..], &one_key, &most].concat(),
        [&head()[..], &count(0), &most].concat(),
        [&head()[..], &count(0), &count(1), &part(b"cairn-0123abcd"), &most].concat(),
    ] {
        assert_eq!(refusal(&content), "it ends early");
    }
    let long = vec![b'x'; 16 * 1024 + 1];
    let content = [&head()[..], &one_key, &part(&long), &count(0)].concat();
    assert_eq!(refusal(&content), "a key file that is too long");
    let content = [&head()[..], &count(0), &count(0), b"more"].concat();
    assert_eq!(refusal(&content), "bytes after its end");
}

#[test]
fn what_stands_twice_or_out_of_order_is_refused() {
    let key = |name: &str| [part(name.as_bytes()), part(b"")].concat();
    let keys = |names: [&str; 2]| {
        [&head()[..], &count(2), &key(names[0]), &key(names[1]), &count(0)].concat()
    };
    for names in [["alice", "alice"], ["bob", "alice"]] {
        assert_eq!(refusal(&keys(names)), "names out of order");
    }
    assert_eq!(refusal(&[&keys(["alice", "bob"])[..], b"x"].concat()), "bytes after its end");
    let payments = |parts: &[Vec<u8>]| {
        let folder = part(b"cairn-0123abcd");
        let number = count(parts.len().try_into().expect("few"));
        [&head()[..], &count(0), &count(1), &folder, &number, &parts.concat()].concat()
    };
    let [first, second] = [0, 1].map(|sequence| part(&encode_payment(&payment(sequence, ""))));
    for order in [[second.clone(), first.clone()], [first.clone(), first]] {
        assert_eq!(refusal(&payments(&order)), "payments out of order");
    }
    let mut fate = encode_payment(&payment(0, ""));
    fate[0] = 3;
    assert_eq!(refusal(&payments(&[part(&fate)])), "3 is no fate of a payment");
}
