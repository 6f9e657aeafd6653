//! The bytes of a backup file.
//!
//! ```text
//! 43524201        magic: "CRB" 01
//! u64             when it was written, in milliseconds since 1970
//! u32             how many key files; for each, in the order of their names:
//!   part            the name, without .pem
//!   part            the file, at most 16 KiB
//! u32             how many networks; for each, in the order of their folders:
//!   part            the name of the folder, such as cairn-0123abcd
//!   u32             how many payments; for each, in the order of senders and sequences:
//!     part            u8 fate (0 unknown, 1 made, 2 given up), then the block that was the tip
//!                     when it was made: 00, or 01, u64 height and [32] hash; then the transaction
//! [32]            SHA-256 of all before
//!
//! part            u32 length, bytes
//! ```
//!
//! Integers are little-endian, transactions as in docs/PROTOCOL.md. A file has at most 256 MiB: room
//! for a million payments, and too little to take all memory by. The signatures of the payments are
//! not checked here, but by each node to which they are repeated.

use std::collections::BTreeMap;
use std::fmt::Display;

use cairn_protocol::codec;
use cairn_protocol::hash::{Digest256, sha256};
use cairn_protocol::{BlockRef, Timestamp, Transaction};

use super::Backup;
use crate::data_dir::NetworkFolder;
use crate::keys::{KeyName, MAX_FILE_BYTES};
use crate::outbox::{Fate, Recorded};

/// The most bytes of a backup file.
pub const MAX_BYTES: usize = 256 * 1024 * 1024;

const MAGIC: [u8; 3] = *b"CRB";
/// Another number is another layout.
const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = size_of::<Digest256>();

/// Why bytes are no backup.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It has the beginning of something else.
    #[error("it is no backup of this wallet")]
    Foreign,
    /// It says that it has another layout.
    #[error("it has layout {0}, and this program knows {VERSION}: use the program that wrote it")]
    Version(u8),
    /// It has more than [`MAX_BYTES`].
    #[error("it has more than {MAX_BYTES} bytes")]
    TooLarge,
    /// The checksum is another one.
    #[error("its end is missing or some of its bytes have changed")]
    Damaged,
    /// The checksum is right, but not what it is of: no program of ours has written it.
    #[error("no wallet has written it so: {0}")]
    Malformed(String),
}

/// The bytes that stand for a backup.
///
/// # Errors
/// [`Unusable::TooLarge`].
pub(super) fn encode(backup: &Backup) -> Result<Vec<u8>, Unusable> {
    let mut bytes = codec::encode(&(MAGIC, VERSION, backup.written));
    put_count(&mut bytes, backup.keys.len())?;
    for (name, file) in &backup.keys {
        put_part(&mut bytes, name.as_str().as_bytes())?;
        put_part(&mut bytes, file)?;
    }
    put_count(&mut bytes, backup.payments.len())?;
    for (folder, payments) in &backup.payments {
        put_part(&mut bytes, folder.as_str().as_bytes())?;
        put_count(&mut bytes, payments.len())?;
        for payment in payments {
            put_part(&mut bytes, &encode_payment(payment))?;
        }
    }
    bytes.extend(sha256(&[&bytes]));
    if bytes.len() > MAX_BYTES { Err(Unusable::TooLarge) } else { Ok(bytes) }
}

/// The backup for which these bytes stand.
///
/// # Errors
/// [`Unusable`], if a single bit is not as it was written.
pub(super) fn decode(bytes: &[u8]) -> Result<Backup, Unusable> {
    if bytes.len() > MAX_BYTES {
        return Err(Unusable::TooLarge);
    }
    match bytes.strip_prefix(&MAGIC) {
        Some([VERSION, ..]) => {}
        Some([other, ..]) => return Err(Unusable::Version(*other)),
        Some([]) => return Err(Unusable::Damaged),
        None => return Err(Unusable::Foreign),
    }
    let (content, checksum) =
        bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(Unusable::Damaged)?;
    if sha256(&[content]) != *checksum {
        return Err(Unusable::Damaged);
    }
    let mut rest = Reader(content);
    let backup = read_backup(&mut rest)?;
    if rest.0.is_empty() { Ok(backup) } else { Err(malformed("bytes after its end")) }
}

fn read_backup(rest: &mut Reader<'_>) -> Result<Backup, Unusable> {
    rest.take(MAGIC.len() + size_of_val(&VERSION))?;
    let written: Timestamp =
        codec::decode(rest.take(size_of::<Timestamp>())?).map_err(malformed)?;
    let mut keys = BTreeMap::new();
    for _ in 0..rest.count()? {
        let name: KeyName = rest.name()?;
        let file = rest.part()?;
        if file.len() as u64 > MAX_FILE_BYTES {
            return Err(malformed("a key file that is too long"));
        }
        put_last(&mut keys, name, file.to_vec())?;
    }
    let mut networks = BTreeMap::new();
    for _ in 0..rest.count()? {
        let folder: NetworkFolder = rest.name()?;
        put_last(&mut networks, folder, read_payments(rest)?)?;
    }
    Ok(Backup { written, keys, payments: networks })
}

fn read_payments(rest: &mut Reader<'_>) -> Result<Vec<Recorded>, Unusable> {
    let mut payments: Vec<Recorded> = Vec::new();
    for _ in 0..rest.count()? {
        let payment = decode_payment(rest.part()?)?;
        if payments.last().is_some_and(|last| last.place() >= payment.place()) {
            return Err(malformed("payments out of order"));
        }
        payments.push(payment);
    }
    Ok(payments)
}

/// As [`decode_payment`] reads it.
type StoredPayment = (u8, Option<BlockRef>, Transaction);

fn encode_payment(payment: &Recorded) -> Vec<u8> {
    let fate = u8::try_from(Fate::number(payment.fate)).expect("it is 0, 1 or 2");
    codec::encode(&(fate, payment.made, payment.transaction.clone()))
}

fn decode_payment(bytes: &[u8]) -> Result<Recorded, Unusable> {
    let (fate, made, transaction) = codec::decode::<StoredPayment>(bytes).map_err(malformed)?;
    let fate = Fate::from_number(fate.into())
        .map_err(|number| malformed(format!("{number} is no fate of a payment")))?;
    Ok(Recorded { transaction, made, fate })
}

fn put_count(bytes: &mut Vec<u8>, count: usize) -> Result<(), Unusable> {
    let count = u32::try_from(count).map_err(|_| Unusable::TooLarge)?;
    bytes.extend(count.to_le_bytes());
    Ok(())
}

fn put_part(bytes: &mut Vec<u8>, part: &[u8]) -> Result<(), Unusable> {
    put_count(bytes, part.len())?;
    bytes.extend(part);
    Ok(())
}

/// Puts what must come after all that is there. So each name is read once.
fn put_last<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: V) -> Result<(), Unusable> {
    if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
        return Err(malformed("names out of order"));
    }
    map.insert(key, value);
    Ok(())
}

fn malformed(reason: impl Display) -> Unusable {
    Unusable::Malformed(reason.to_string())
}

/// What is left to read. Nothing is set aside for what is only announced.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Unusable> {
        let (taken, rest) =
            self.0.split_at_checked(length).ok_or_else(|| malformed("it ends early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn count(&mut self) -> Result<u32, Unusable> {
        codec::decode(self.take(size_of::<u32>())?).map_err(malformed)
    }

    fn part(&mut self) -> Result<&'a [u8], Unusable> {
        let length = self.count()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// A part that is a name of the kind asked for: never a path that leads elsewhere.
    fn name<T: std::str::FromStr<Err: Display>>(&mut self) -> Result<T, Unusable> {
        let text = std::str::from_utf8(self.part()?).map_err(malformed)?;
        text.parse().map_err(malformed)
    }
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
