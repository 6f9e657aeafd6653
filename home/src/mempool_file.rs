//! [`MempoolFile`]: the payments that waited for a block when the chain's writer stopped.
//!
//! Whoever writes the chain reads the file when it starts and replaces it when it stops, both while
//! it holds the chain's lock. In between the file stays. So after a crash the one before is read
//! again, which does no harm: the mempool refuses what a block has taken meanwhile (rule M1), and
//! the rest still waits. Nothing in it is believed before its signature is verified.
//!
//! ```text
//! 43524d01            magic: "CRM" 01
//! [32]                network id
//! u64                 when it was written, in milliseconds since 1970
//! u32, transaction    for each payment: how many bytes, then the bytes
//! [32]                SHA-256 of all before
//! ```

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cairn_network::clock;
use cairn_node::MempoolLimits;
use cairn_protocol::codec::{decode, encode};
use cairn_protocol::hash::{Digest256, sha256};
use cairn_protocol::{NetworkId, Timestamp, Transaction};

use crate::failure::{Exit, Failure};
use crate::files::{remove_if_there, sync_folder, write_private};
use crate::output::Output;

const FILE: &str = "mempool.bin";
/// What is being written, until it is whole.
const DRAFT: &str = "mempool.new";
/// Another last byte is another layout.
const MAGIC: [u8; 4] = *b"CRM\x01";
/// Of a payment's length.
const LENGTH_BYTES: usize = 4;
/// Magic, network and time.
const HEAD_BYTES: usize = MAGIC.len() + 32 + 8;
const CHECKSUM_BYTES: usize = size_of::<Digest256>();

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is larger than [mempool] of the configuration allows")]
    TooLarge,
    #[error("it ends early or some of its bytes have changed")]
    Damaged,
    #[error("it is no such file, or of another version of this program")]
    Unknown,
    #[error("it is another network's")]
    Foreign,
}

/// The file of one network folder.
#[derive(Clone, Debug)]
pub struct MempoolFile {
    folder: PathBuf,
    network: NetworkId,
    limits: MempoolLimits,
}

impl MempoolFile {
    /// The file in this network folder, which need not exist.
    pub fn new(folder: &Path, network: NetworkId, limits: &MempoolLimits) -> Self {
        Self { folder: folder.to_owned(), network, limits: limits.clone() }
    }

    /// The payments that waited at the last stop, not verified yet. If the file cannot be used,
    /// there are none, and a note says so.
    pub fn restore(&self, output: Output) -> Vec<Transaction> {
        self.read(clock::now()).unwrap_or_else(|unusable| {
            let message = format!(
                "the payments that waited for a block when a program last stopped here are not \
                 known any more, their wallets repeat them: {} cannot be used, {unusable}; it is \
                 replaced at the next stop",
                self.path().display()
            );
            output.note("mempool_unusable", &message);
            Vec::new()
        })
    }

    /// Keeps the payments that wait. If that fails, a note says so.
    pub fn keep(&self, waiting: &[Transaction], output: Output) {
        if let Err(error) = self.write(waiting, clock::now()) {
            let tried = "the payments that wait for a block are not kept over this stop, their \
                         wallets repeat them: cannot write";
            let failure = Failure::file_system(Exit::Unexpected, "io", tried, &self.path(), &error);
            output.note("mempool_not_kept", &failure.to_string());
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// What the file holds; nothing if there is none, or if it is as old as a payment may get.
    pub(crate) fn read(&self, now: Timestamp) -> Result<Vec<Transaction>, Unusable> {
        let file = match File::open(self.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened?,
        };
        let mut bytes = Vec::new();
        let most = self.most_bytes();
        file.take(most as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > most {
            return Err(Unusable::TooLarge);
        }
        self.parse(&bytes, now)
    }

    /// How large a file of a full mempool is.
    fn most_bytes(&self) -> usize {
        let lengths = self.limits.max_payments.saturating_mul(LENGTH_BYTES);
        let around = HEAD_BYTES + CHECKSUM_BYTES;
        self.limits.max_bytes.saturating_add(lengths).saturating_add(around)
    }

    fn parse(&self, bytes: &[u8], now: Timestamp) -> Result<Vec<Transaction>, Unusable> {
        if !bytes.starts_with(&MAGIC) {
            return Err(Unusable::Unknown);
        }
        let (content, checksum) =
            bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(Unusable::Damaged)?;
        if sha256(&[content]) != *checksum {
            return Err(Unusable::Damaged);
        }
        let (head, payments) = content.split_at_checked(HEAD_BYTES).ok_or(Unusable::Damaged)?;
        let head: ([u8; 4], NetworkId, Timestamp) = decode(head).map_err(|_| Unusable::Damaged)?;
        let (_, network, written) = head;
        if network != self.network {
            return Err(Unusable::Foreign);
        }
        if now.since(written) >= self.limits.expiry {
            return Ok(Vec::new());
        }
        parse_payments(payments)
    }

    /// Replaces the file; no file stands for no payment.
    pub(crate) fn write(&self, waiting: &[Transaction], now: Timestamp) -> io::Result<()> {
        let draft = self.folder.join(DRAFT);
        // One that a crash has left.
        remove_if_there(&draft)?;
        if waiting.is_empty() {
            return remove_if_there(&self.path());
        }
        let written = write_private(&draft, &self.bytes(waiting, now))
            .and_then(|()| fs::rename(&draft, self.path()))
            .and_then(|()| sync_folder(&self.folder));
        if written.is_err() {
            // Of no use, and perhaps what fills the disk.
            let _ = fs::remove_file(&draft);
        }
        written
    }

    fn bytes(&self, waiting: &[Transaction], now: Timestamp) -> Vec<u8> {
        let mut bytes = encode(&(MAGIC, self.network, now));
        for payment in waiting.iter().map(encode) {
            let length = u32::try_from(payment.len()).expect("a transaction has 672 bytes at most");
            bytes.extend(length.to_le_bytes());
            bytes.extend(payment);
        }
        bytes.extend(sha256(&[&bytes]));
        bytes
    }
}

fn parse_payments(mut rest: &[u8]) -> Result<Vec<Transaction>, Unusable> {
    let mut payments = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<LENGTH_BYTES>().ok_or(Unusable::Damaged)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let (payment, after) = after.split_at_checked(length).ok_or(Unusable::Damaged)?;
        payments.push(decode(payment).map_err(|_| Unusable::Damaged)?);
        rest = after;
    }
    Ok(payments)
}

#[cfg(test)]
#[path = "mempool_file_tests.rs"]
mod tests;
