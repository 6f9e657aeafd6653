//! The limits of the protocol, which every node shares. A node's own limits (its mempool, its
//! links) stand in the crate that enforces them.

use std::time::Duration;

/// The most bytes of one encoded message, and so of a TCP frame's content: 1 MiB.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;
/// The most bytes of one datagram.
pub const MAX_DATAGRAM_BYTES: usize = 1_200;
/// The most bytes of one encoded block under any rules: what fits into a message with its frame.
pub const MAX_BLOCK_BYTES: usize = MAX_MESSAGE_BYTES - 1024;
/// The bytes of an encoded block without payments.
pub const EMPTY_BLOCK_BYTES: usize = 192;
/// The bytes of an encoded transaction without a memo.
pub const MIN_TRANSACTION_BYTES: usize = 160;
/// The most bytes of a memo.
pub const MAX_MEMO_BYTES: usize = 512;
/// The bytes of an encoded transaction with the longest memo.
pub const MAX_TRANSACTION_BYTES: usize = MIN_TRANSACTION_BYTES + MAX_MEMO_BYTES;
/// The most payments of one block under any rules.
pub const MAX_BLOCK_PAYMENTS: usize = (MAX_BLOCK_BYTES - EMPTY_BLOCK_BYTES) / MIN_TRANSACTION_BYTES;
/// The most characters of a network's name.
pub const MAX_NAME_BYTES: usize = 20;

/// The most headers in an answer.
pub const MAX_HEADERS: usize = 1_000;
/// The most entries of a locator: ten near the tip, then one for each doubling of the distance.
pub const MAX_LOCATOR: usize = 80;
/// The most blocks asked for in one request.
pub const MAX_BLOCKS: usize = 128;
/// The most transaction ids in an answer.
pub const MAX_IDS: usize = 16_384;
/// The most transactions asked for in one request; as many of the largest fit into a message.
pub const MAX_TRANSACTIONS: usize = 1_024;

/// How many ancestors the median time past looks at.
pub const MEDIAN_BLOCKS: usize = 11;
/// How far a block's time may be ahead of a node's clock before the node lets it wait.
pub const MAX_FUTURE: Duration = Duration::from_secs(120);
