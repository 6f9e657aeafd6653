//! The bytes of the file.
//!
//! ```text
//! 43524101        magic: "CRA" 01
//! [32]            network id
//! u32, bytes      the rules, as docs/PROTOCOL.md encodes them
//! u64, [32]       height and hash of the last block
//! [32]            SHA-256 of all before
//!
//! chunks, one after the other:
//!   u32             bytes of the blocks that follow, at least 1
//!   blocks          from height 1 on; each: u32 length, and its encoding
//!   [32]            SHA-256 of the chunk so far
//!
//! u32             0: no further chunk
//! u64             how many blocks
//! u64, [32]       height and hash of the last block
//! [32]            SHA-256 of all before
//! ```
//!
//! Integers are little-endian. A chunk has at most 2 MiB, so that this is all the memory that a file
//! can make its reader set aside.

use std::fmt::Display;
use std::io::{self, Read, Write};

use cairn_protocol::codec::{decode, encode};
use cairn_protocol::hash::{Digest256, RunningHash, sha256};
use cairn_protocol::limits::MAX_BLOCK_BYTES;
use cairn_protocol::{BlockRef, Height, Network, NetworkId, Rules};

use super::{ImportError, Unusable};
use crate::stored::{StoredBlock, StoredBlocks};

const MAGIC: [u8; 3] = *b"CRA";
/// Another number is another layout.
pub(super) const VERSION: u8 = 1;
/// More than the rules of any network.
const MAX_RULES_BYTES: usize = 4 << 10;
/// A batch of blocks that is full, and its last block.
const MAX_CHUNK_BYTES: usize = 2 << 20;
const CHECKSUM_BYTES: usize = size_of::<Digest256>();
const PLACE_BYTES: usize = size_of::<u64>() + size_of::<Digest256>();

/// Writes a file.
pub(super) struct Writer<'w> {
    output: &'w mut dyn Write,
    hash: RunningHash,
    bytes: u64,
}

impl<'w> Writer<'w> {
    /// Begins the file of a chain that ends here.
    pub(super) fn begin(
        output: &'w mut dyn Write,
        network: &Network,
        tip: BlockRef,
    ) -> io::Result<Self> {
        let rules = encode(network.rules());
        let mut head = encode(&(MAGIC, VERSION, network.id()));
        put_part(&mut head, &rules);
        head.extend(encode(&tip));
        let mut writer = Self { output, hash: RunningHash::default(), bytes: 0 };
        writer.put_checked(head)?;
        Ok(writer)
    }

    /// Writes the next blocks, at least one.
    pub(super) fn chunk(&mut self, batch: &StoredBlocks) -> io::Result<()> {
        let mut blocks = Vec::new();
        for block in batch.blocks() {
            put_part(&mut blocks, &block.bytes);
        }
        let mut chunk = Vec::new();
        put_part(&mut chunk, &blocks);
        self.put_checked(chunk)
    }

    /// Ends the file, and returns how many bytes it has.
    pub(super) fn finish(mut self, tip: BlockRef) -> io::Result<u64> {
        self.put(&encode(&(0_u32, tip.height, tip)))?;
        let checksum = self.hash.digest();
        self.put(&checksum)?;
        Ok(self.bytes)
    }

    /// Writes bytes and their checksum.
    fn put_checked(&mut self, mut bytes: Vec<u8>) -> io::Result<()> {
        bytes.extend(sha256(&[&bytes]));
        self.put(&bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)?;
        self.hash.add(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

fn put_part(bytes: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).expect("at most a chunk");
    bytes.extend(length.to_le_bytes());
    bytes.extend(part);
}

/// Reads a file.
pub(super) struct Reader<'r> {
    input: &'r mut dyn Read,
    hash: RunningHash,
    /// The bytes so far.
    at: u64,
    /// The last block so far.
    last: BlockRef,
    /// The last block of the file.
    end: BlockRef,
}

impl<'r> Reader<'r> {
    /// Reads what stands before the blocks.
    ///
    /// # Errors
    /// If this is no file of this network.
    pub(super) fn begin(input: &'r mut dyn Read, network: &Network) -> Result<Self, ImportError> {
        let genesis = network.genesis_ref();
        let hash = RunningHash::default();
        let mut reader = Self { input, hash, at: 0, last: genesis, end: genesis };
        let magic =
            reader.take(MAGIC.len() + size_of_val(&VERSION)).map_err(|error| match error {
                ImportError::Unusable(_) => Unusable::Foreign.into(),
                other => other,
            })?;
        match magic.strip_prefix(&MAGIC) {
            Some([VERSION]) => {}
            Some([other, ..]) => return Err(Unusable::Version(*other).into()),
            _ => return Err(Unusable::Foreign.into()),
        }
        let id = reader.take(size_of::<Digest256>())?;
        let length = reader.length(0, MAX_RULES_BYTES)?;
        let rules = reader.take(length)?;
        let place = reader.take(PLACE_BYTES)?;
        reader.check(0, reader.hash.digest())?;
        let rules: Rules = decode(&rules).map_err(malformed)?;
        if let Some(difference) = network.rules().difference(&rules) {
            return Err(Unusable::OtherRules(difference).into());
        }
        if decode::<NetworkId>(&id).map_err(malformed)? != network.id() {
            return Err(malformed("its network is not that of its rules").into());
        }
        reader.end = decode(&place).map_err(malformed)?;
        Ok(reader)
    }

    /// The last block of the file, as its beginning says.
    pub(super) fn end(&self) -> BlockRef {
        self.end
    }

    /// The next blocks, each on its parent; `None` behind the last.
    ///
    /// # Errors
    /// If the file cannot be read, or not a bit of the chunk can be relied on.
    pub(super) fn chunk(&mut self) -> Result<Option<Vec<StoredBlock>>, ImportError> {
        let from = self.at;
        let length = self.length(from, MAX_CHUNK_BYTES)?;
        if length == 0 {
            return self.finish(from).map(|()| None);
        }
        let content = self.take(length)?;
        let prefix = u32::try_from(length).expect("at most a chunk").to_le_bytes();
        self.check(from, sha256(&[&prefix, &content]))?;
        let mut rest = &content[..];
        let mut blocks = Vec::new();
        while !rest.is_empty() {
            let bytes = take_part(&mut rest)?;
            blocks.push(self.next_block(bytes.to_vec())?);
        }
        Ok(Some(blocks))
    }

    /// A block must stand on the one before it.
    fn next_block(&mut self, bytes: Vec<u8>) -> Result<StoredBlock, Unusable> {
        let height = self.last.height.next();
        let bad = |what: &str| malformed(format!("{what} at height {height}"));
        let stored = StoredBlock::of(bytes).ok_or_else(|| bad("there is no header"))?;
        if stored.block.height != height || stored.sealed.header.parent != self.last.hash {
            return Err(bad("a block is not on the one before it"));
        }
        self.last = stored.block;
        Ok(stored)
    }

    /// Compares what stands behind the last chunk, which began at `from`, with what was read.
    fn finish(&mut self, from: u64) -> Result<(), ImportError> {
        let counted = self.take(size_of::<u64>() + PLACE_BYTES)?;
        self.check(from, self.hash.digest())?;
        let counted: (Height, BlockRef) = decode(&counted).map_err(malformed)?;
        if counted != (self.last.height, self.last) || self.end != self.last {
            return Err(malformed("it has other blocks than it says").into());
        }
        if self.input.read(&mut [0]).map_err(ImportError::Read)? > 0 {
            return Err(malformed("there are bytes after its end").into());
        }
        Ok(())
    }

    /// Reads a length of at most so much; more is damage of what begins at `from`.
    fn length(&mut self, from: u64, most: usize) -> Result<usize, ImportError> {
        let length: u32 = decode(&self.take(size_of::<u32>())?).map_err(malformed)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > most { Err(self.changed(from).into()) } else { Ok(length) }
    }

    /// Compares a checksum with the one that stands next, of what began at `from`.
    fn check(&mut self, from: u64, due: Digest256) -> Result<(), ImportError> {
        let stored = self.take(CHECKSUM_BYTES)?;
        if stored == due { Ok(()) } else { Err(self.changed(from).into()) }
    }

    fn changed(&self, from: u64) -> Unusable {
        Unusable::Changed { from, to: self.at, after: self.last.height }
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, ImportError> {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match self.input.read(&mut bytes[filled..]) {
                Ok(0) => {
                    let (bytes, after) = (self.at + filled as u64, self.last.height);
                    return Err(Unusable::Truncated { bytes, after }.into());
                }
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ImportError::Read(error)),
            }
        }
        self.hash.add(&bytes);
        self.at += length as u64;
        Ok(bytes)
    }
}

/// Cuts off a length and so many bytes.
fn take_part<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Unusable> {
    let early = || malformed("a block that ends behind its chunk");
    let (length, after) = rest.split_first_chunk().ok_or_else(early)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (part, after) = after.split_at_checked(length).ok_or_else(early)?;
    *rest = after;
    Ok(part)
}

fn malformed(reason: impl Display) -> Unusable {
    Unusable::Malformed(reason.to_string())
}

const _: () = assert!(MAX_CHUNK_BYTES > MAX_BLOCK_BYTES + (512 << 10), "a full batch and a block");
