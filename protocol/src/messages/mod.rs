//! What nodes say to each other: [`Datagram`]s on one host or LAN, and [`Message`]s on TCP links.

mod datagram;
mod link;

pub use datagram::{Announcement, Datagram, DatagramError};
pub use link::{
    Answer, EncodedBlock, FRAME_PREFIX_BYTES, FrameError, Hello, HelloError, Locator, Message,
    Request, RequestId, frame, frame_length,
};

use std::fmt;

use bincode::{Decode, Encode};

use crate::counters::Height;
use crate::hash::BlockHash;
use crate::header::BlockRef;
use crate::target::Work;
use crate::time::Timestamp;

/// The first four bytes of every datagram and of every hello.
pub const MAGIC: [u8; 4] = *b"CRN\x01";
/// The version of the messages in docs/PROTOCOL.md.
pub const VERSION: u16 = 1;

/// A number that a node draws when it starts, by which it recognises its own messages and two
/// links to the same node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct InstanceId(pub [u8; 16]);

impl fmt::Display for InstanceId {
    /// The first eight hexadecimal digits, enough for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&const_hex::encode(&self.0[..4]))
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InstanceId({})", const_hex::encode(self.0))
    }
}

/// What a node says of itself. It is a hint and proves nothing: headers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Status {
    /// Who says it.
    pub instance: InstanceId,
    /// The height of its tip.
    pub height: Height,
    /// The hash of its tip.
    pub tip: BlockHash,
    /// All work up to its tip.
    pub work: Work,
    /// The TCP port of its block server, 0 if it has none.
    pub blocks_port: u16,
    /// Its clock, for warnings only.
    pub clock: Timestamp,
}

impl Status {
    /// The tip and where it stands.
    pub fn tip_ref(&self) -> BlockRef {
        BlockRef { height: self.height, hash: self.tip }
    }
}
