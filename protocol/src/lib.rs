//! Everything about Cairn that is true without a chain, a socket or a clock: its quantities,
//! transactions, blocks and messages, and the rules that need no context.
//!
//! Validation has three stages, and the types show which are done:
//!
//! | stage | done by | turns | into |
//! |---|---|---|---|
//! | structural | [`codec::decode`] | bytes | [`Transaction`], [`SealedHeader`], [`Block`] |
//! | semantic | [`Transaction::verify`], [`SealedHeader::prove`], [`Block::verify`] | those | [`VerifiedTransaction`], [`ProvenHeader`], [`VerifiedBlock`] |
//! | contextual | the ledger | those | a chain |
//!
//! Start with [`Rules`] (what a network is), then [`transaction`] and [`block`].

#![forbid(unsafe_code)]

pub mod account;
pub mod address;
pub mod amount;
pub mod block;
pub mod bounded;
pub mod codec;
pub mod counters;
pub mod hash;
pub mod header;
pub mod keys;
pub mod limits;
pub mod merkle;
pub mod messages;
pub mod network;
pub mod retarget;
pub mod rules;
pub mod target;
pub mod time;
pub mod transaction;
pub mod view;

pub use account::AccountId;
pub use address::Address;
pub use amount::Amount;
pub use block::{Block, BlockError, Reward, VerifiedBlock};
pub use bounded::Bounded;
pub use counters::{Height, Sequence};
pub use hash::{BlockHash, ContentRoot, NetworkId, TransactionId};
pub use header::{BlockRef, Header, HeaderError, Proof, ProvenHeader, SealedHeader};
pub use keys::SecretKey;
pub use network::Network;
pub use rules::{NetworkName, Rules, RulesError};
pub use target::{Target, Work};
pub use time::Timestamp;
pub use transaction::{
    Memo, Payment, Signature, Transaction, TransactionError, VerifiedTransaction,
};
pub use view::{BlockView, PaymentView};
