//! [`BlockView`]: what an encoded block says, read where it stands.
//!
//! Whoever looks for a few payments among millions need not decode all the others: every part of a
//! block but a memo has one length, so sender and recipient are found by their places. A view only
//! shows that the lengths fit together; of bytes that were validated when they were stored, that is
//! enough. What it gives out, [`codec::decode`] has read.

use crate::account::AccountId;
use crate::block::Reward;
use crate::codec::{self, CodecError};
use crate::header::SealedHeader;
use crate::limits::{EMPTY_BLOCK_BYTES, MAX_BLOCK_PAYMENTS, MAX_MEMO_BYTES, MIN_TRANSACTION_BYTES};
use crate::transaction::Transaction;

/// The bytes of a header with its proof, which a block starts with.
const SEALED_BYTES: usize = 136;
/// The bytes of a reward, which follows.
const REWARD_BYTES: usize = 48;
/// Where it says whose it is: after the height.
const REWARDED_AT: usize = 8;
/// The bytes of a list's length.
const LENGTH_BYTES: usize = 8;
/// Where a transaction says how long its memo is: after two accounts and three numbers.
const MEMO_LENGTH_AT: usize = 88;

const _: () = assert!(SEALED_BYTES + REWARD_BYTES + LENGTH_BYTES == EMPTY_BLOCK_BYTES);

/// An encoded block.
#[derive(Clone, Debug)]
pub struct BlockView<'a> {
    sealed: &'a [u8],
    reward: &'a [u8],
    rewarded: &'a [u8; 32],
    payments: Payments<'a>,
}

impl<'a> BlockView<'a> {
    /// Looks at the encoding of a block.
    ///
    /// # Errors
    /// [`CodecError`] if its lengths do not fit together. Numbers that are out of range are noticed
    /// only where they are read.
    pub fn new(bytes: &'a [u8]) -> Result<Self, CodecError> {
        let read = || {
            let (sealed, rest) = bytes.split_at_checked(SEALED_BYTES)?;
            let (reward, rest) = rest.split_at_checked(REWARD_BYTES)?;
            let (length, rest) = rest.split_first_chunk::<LENGTH_BYTES>()?;
            let left = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let payments = Payments { left, rest };
            let rewarded = reward.get(REWARDED_AT..)?.first_chunk()?;
            (left <= MAX_BLOCK_PAYMENTS).then_some(Self { sealed, reward, rewarded, payments })
        };
        let view = read().ok_or_else(|| malformed("a block's lengths do not fit"))?;
        let mut walk = view.payments();
        walk.by_ref().for_each(drop);
        match (walk.left, walk.rest.len()) {
            (0, 0) => Ok(view),
            (0, trailing) => Err(CodecError::Trailing(trailing)),
            _ => Err(malformed("a payment's lengths do not fit")),
        }
    }

    /// The header with its proof.
    ///
    /// # Errors
    /// [`CodecError`] if it does not decode.
    pub fn sealed(&self) -> Result<SealedHeader, CodecError> {
        codec::decode(self.sealed)
    }

    /// The reward.
    ///
    /// # Errors
    /// [`CodecError`] if it does not decode.
    pub fn reward(&self) -> Result<Reward, CodecError> {
        codec::decode(self.reward)
    }

    /// Who gets the reward.
    pub fn rewarded(&self) -> AccountId {
        AccountId(*self.rewarded)
    }

    /// The payments, in order.
    pub fn payments(&self) -> Payments<'a> {
        self.payments.clone()
    }

    /// How many payments there are.
    pub fn payment_count(&self) -> usize {
        self.payments.left
    }
}

/// The payments of an encoded block, in order.
#[derive(Clone, Debug)]
pub struct Payments<'a> {
    left: usize,
    rest: &'a [u8],
}

impl<'a> Iterator for Payments<'a> {
    type Item = PaymentView<'a>;

    /// The next payment; none either where the rest is malformed, which [`BlockView::new`] excludes.
    fn next(&mut self) -> Option<PaymentView<'a>> {
        let left = self.left.checked_sub(1)?;
        let length = self.rest.get(MEMO_LENGTH_AT..)?.first_chunk::<LENGTH_BYTES>()?;
        let memo = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        if memo > MAX_MEMO_BYTES {
            return None;
        }
        let (bytes, rest) = self.rest.split_at_checked(MIN_TRANSACTION_BYTES + memo)?;
        let (sender, after) = bytes.split_first_chunk()?;
        let recipient = after.first_chunk()?;
        (self.left, self.rest) = (left, rest);
        Some(PaymentView { sender, recipient, bytes })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left))
    }
}

/// An encoded payment, with its signature.
#[derive(Clone, Copy, Debug)]
pub struct PaymentView<'a> {
    sender: &'a [u8; 32],
    recipient: &'a [u8; 32],
    bytes: &'a [u8],
}

impl PaymentView<'_> {
    /// Who pays.
    pub fn sender(&self) -> AccountId {
        AccountId(*self.sender)
    }

    /// Who is paid.
    pub fn recipient(&self) -> AccountId {
        AccountId(*self.recipient)
    }

    /// All of it, decoded.
    ///
    /// # Errors
    /// [`CodecError`] if it does not decode.
    pub fn decode(&self) -> Result<Transaction, CodecError> {
        codec::decode(self.bytes)
    }
}

fn malformed(what: &str) -> CodecError {
    CodecError::Malformed(what.to_owned())
}
