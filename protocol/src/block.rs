//! Blocks: a sealed header, one reward, payments in order; and the verified form.

use bincode::{Decode, Encode};

use crate::account::AccountId;
use crate::amount::Amount;
use crate::bounded::Bounded;
use crate::codec::{encode, encoded_len};
use crate::counters::Height;
use crate::hash::{ContentRoot, Digest256, Tag, TransactionId};
use crate::header::{BlockRef, Header, HeaderError, Proof, ProvenHeader, SealedHeader};
use crate::limits::{EMPTY_BLOCK_BYTES, MAX_BLOCK_PAYMENTS};
use crate::merkle;
use crate::network::Network;
use crate::transaction::{Signature, Transaction, TransactionError, VerifiedTransaction};

/// What a block pays to whoever mined it: the subsidy of its height and the fees of its payments.
///
/// It commits to the height, so no two rewards of a chain are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Reward {
    /// The block's height.
    pub height: Height,
    /// Who is paid.
    pub recipient: AccountId,
    /// Subsidy and fees.
    pub amount: Amount,
}

/// A block as it is sent and stored, unverified: [`Block::verify`] makes it a [`VerifiedBlock`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Block {
    /// Header and proof of work.
    pub sealed: SealedHeader,
    /// The one reward.
    pub reward: Reward,
    /// The payments, in the order in which they are applied.
    pub payments: Bounded<Transaction, MAX_BLOCK_PAYMENTS>,
}

/// Signatures that are checked in one equation. More would be little faster, and a wrong one takes as
/// many single checks to be found.
const BATCH: usize = 1_024;

impl Block {
    /// Checks all that can be checked without a chain: the proof of work first, which costs a
    /// forger the most and us the least, and the signatures last.
    ///
    /// # Errors
    /// [`BlockError`], by the first rule it breaks.
    pub fn verify(self, network: &Network) -> Result<VerifiedBlock, BlockError> {
        let verified = Self::verify_all(vec![self], network).map_err(|(_, error)| error)?;
        Ok(verified.into_iter().next().expect("as many as were given"))
    }

    /// Verifies many at once, with the same verdict on each; faster, because signatures of several
    /// blocks are checked together.
    ///
    /// # Errors
    /// The index of a block that is not valid, and a rule it breaks. Of all blocks, proofs, contents
    /// and sizes are checked first, then signatures, then rewards; of each kind it is the first.
    pub fn verify_all(
        blocks: Vec<Self>,
        network: &Network,
    ) -> Result<Vec<VerifiedBlock>, (usize, BlockError)> {
        Self::verify_unknown(blocks, network, &|_| None)
    }

    /// The same as [`Self::verify_all`], for somebody who has verified some payments before:
    /// `known` gives the payment of an id, if it is one of those. Its signature is not checked again
    /// if it is the block's; another one for the same payment is.
    ///
    /// # Errors
    /// As [`Self::verify_all`].
    pub fn verify_unknown(
        blocks: Vec<Self>,
        network: &Network,
        known: &dyn Fn(&TransactionId) -> Option<VerifiedTransaction>,
    ) -> Result<Vec<VerifiedBlock>, (usize, BlockError)> {
        let (mut verified, mut counts) = (Vec::with_capacity(blocks.len()), Vec::new());
        let mut payments = Payments::default();
        for (index, block) in blocks.into_iter().enumerate() {
            let (header, ids, bytes) =
                block.check_commitments(network).map_err(|error| (index, error))?;
            counts.push(ids.len());
            for (transaction, id) in block.payments.into_vec().into_iter().zip(ids) {
                payments.add(transaction, known(&id).filter(|known| known.id() == id));
            }
            let payments = Vec::new();
            verified.push(VerifiedBlock { header, reward: block.reward, payments, bytes });
        }
        let payments = payments.verify(network).map_err(|(place, error)| {
            let (block, index) = position(&counts, place);
            (block, BlockError::Payment { index, error })
        })?;
        let mut payments = payments.into_iter();
        for (index, (block, count)) in verified.iter_mut().zip(counts).enumerate() {
            block.payments = payments.by_ref().take(count).collect();
            check_reward(&block.reward, &block.payments, &block.header, network)
                .map_err(|error| (index, error))?;
        }
        Ok(verified)
    }

    /// Checks the proof of work, and that the header commits to this content. Returns the proven
    /// header, the ids of the payments and the size.
    fn check_commitments(
        &self,
        network: &Network,
    ) -> Result<(ProvenHeader, Vec<TransactionId>, usize), BlockError> {
        let header = self.sealed.prove(network)?;
        let bytes = encoded_len(self);
        let ids: Vec<_> = self.payments.iter().map(|t| t.payment.id(network.id())).collect();
        let signed = ids.iter().zip(self.payments.iter().map(|t| &t.signature));
        check_content(&header, content_root(&self.reward, signed))?;
        check_size(bytes, network)?;
        Ok((header, ids, bytes))
    }
}

/// The payments of many blocks, one after the other.
#[derive(Default)]
struct Payments {
    /// Those that were verified before, in their places.
    places: Vec<Option<VerifiedTransaction>>,
    /// The others, and their places.
    unverified: Vec<Transaction>,
    unverified_at: Vec<usize>,
}

impl Payments {
    fn add(&mut self, transaction: Transaction, known: Option<VerifiedTransaction>) {
        let known = known.filter(|known| *known.transaction() == transaction);
        if known.is_none() {
            self.unverified.push(transaction);
            self.unverified_at.push(self.places.len());
        }
        self.places.push(known);
    }

    /// All of them, in their order. The error names one by its place.
    fn verify(
        self,
        network: &Network,
    ) -> Result<Vec<VerifiedTransaction>, (usize, TransactionError)> {
        let verified = verify_in_batches(self.unverified, network)
            .map_err(|(index, error)| (self.unverified_at[index], error))?;
        let mut verified = verified.into_iter();
        let all = self.places.into_iter().map(|known| known.or_else(|| verified.next()));
        Ok(all.map(|one| one.expect("each was known or is verified")).collect())
    }
}

/// Verifies many transactions. The error names one by its index.
fn verify_in_batches(
    mut transactions: Vec<Transaction>,
    network: &Network,
) -> Result<Vec<VerifiedTransaction>, (usize, TransactionError)> {
    let mut verified = Vec::with_capacity(transactions.len());
    while !transactions.is_empty() {
        let rest = transactions.split_off(transactions.len().min(BATCH));
        let batch = std::mem::replace(&mut transactions, rest);
        let before = verified.len();
        verified.extend(
            Transaction::verify_all(batch, network.id())
                .map_err(|(index, error)| (before + index, error))?,
        );
    }
    Ok(verified)
}

/// In which block the payment at this place among all is, and its index there.
fn position(counts: &[usize], place: usize) -> (usize, usize) {
    let mut index = place;
    for (block, count) in counts.iter().enumerate() {
        if index < *count {
            return (block, index);
        }
        index -= count;
    }
    unreachable!("a place is that of one of the payments")
}

/// A block that is valid without context. Only [`Block::verify`] and [`VerifiedBlock::seal`] make
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBlock {
    header: ProvenHeader,
    reward: Reward,
    payments: Vec<VerifiedTransaction>,
    bytes: usize,
}

impl VerifiedBlock {
    /// The block of a header, a proof that was found for it, and payments that were verified
    /// before: [`Block::verify`] for one's own block, without checking each signature again.
    ///
    /// # Errors
    /// [`BlockError`], by the first rule it breaks.
    pub fn seal(
        header: Header,
        proof: Proof,
        reward: Reward,
        payments: Vec<VerifiedTransaction>,
        network: &Network,
    ) -> Result<Self, BlockError> {
        let header = SealedHeader { header, proof }.prove(network)?;
        let bytes = block_bytes(&payments);
        check_content(&header, content_root_of(&reward, &payments))?;
        check_size(bytes, network)?;
        check_reward(&reward, &payments, &header, network)?;
        Ok(Self { header, reward, payments, bytes })
    }

    /// The proven header.
    pub fn header(&self) -> &ProvenHeader {
        &self.header
    }

    /// The reward.
    pub fn reward(&self) -> &Reward {
        &self.reward
    }

    /// The payments, in order.
    pub fn payments(&self) -> &[VerifiedTransaction] {
        &self.payments
    }

    /// Where the block stands.
    pub fn block_ref(&self) -> BlockRef {
        self.header.block_ref()
    }

    /// The number of transactions, the reward included.
    pub fn transaction_count(&self) -> usize {
        1 + self.payments.len()
    }

    /// The bytes of its encoding.
    pub fn encoded_len(&self) -> usize {
        self.bytes
    }

    /// The block as it is sent on.
    pub fn to_block(&self) -> Block {
        let payments = self.payments.iter().map(|payment| payment.transaction().clone());
        Block {
            sealed: *self.header.sealed(),
            reward: self.reward,
            payments: Bounded::first(payments),
        }
    }
}

/// The bytes of a block with these payments.
pub fn block_bytes(payments: &[VerifiedTransaction]) -> usize {
    EMPTY_BLOCK_BYTES + payments.iter().map(VerifiedTransaction::encoded_len).sum::<usize>()
}

/// The content root of a reward and verified payments, in order.
pub fn content_root_of(reward: &Reward, payments: &[VerifiedTransaction]) -> ContentRoot {
    let ids: Vec<_> = payments.iter().map(VerifiedTransaction::id).collect();
    content_root(reward, ids.iter().zip(payments.iter().map(VerifiedTransaction::signature)))
}

/// H(content tag, transaction root): one more hash around the Merkle root, so that a later header
/// version can commit to more under the same size.
fn content_root<'a>(
    reward: &Reward,
    payments: impl Iterator<Item = (&'a TransactionId, &'a Signature)>,
) -> ContentRoot {
    let leaf = |(id, signature): (&TransactionId, &Signature)| {
        Tag::PaymentLeaf.hash(&[id.as_bytes(), &signature.0])
    };
    let reward_leaf = Tag::RewardLeaf.hash(&[&encode(reward)]);
    let leaves: Vec<Digest256> = std::iter::once(reward_leaf).chain(payments.map(leaf)).collect();
    ContentRoot(Tag::Content.hash(&[&merkle::root(&leaves)]))
}

fn check_content(header: &ProvenHeader, root: ContentRoot) -> Result<(), BlockError> {
    if header.header().content == root { Ok(()) } else { Err(BlockError::ContentRoot) }
}

fn check_size(bytes: usize, network: &Network) -> Result<(), BlockError> {
    let most = network.rules().max_block_bytes as usize;
    if bytes <= most { Ok(()) } else { Err(BlockError::TooLarge { bytes, most }) }
}

fn check_reward(
    reward: &Reward,
    payments: &[VerifiedTransaction],
    header: &ProvenHeader,
    network: &Network,
) -> Result<(), BlockError> {
    let height = header.header().height;
    if reward.height != height {
        return Err(BlockError::RewardHeight(reward.height));
    }
    let fees: Option<Amount> = payments.iter().map(|one| one.payment().fee).sum();
    let due = fees
        .and_then(|fees| fees.checked_add(network.subsidy(height)))
        .ok_or(BlockError::FeesTooLarge)?;
    if reward.amount == due {
        Ok(())
    } else {
        Err(BlockError::RewardAmount { paid: reward.amount, due })
    }
}

/// Why a block is not valid on any chain of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// Rules H1 to H4.
    #[error("header: {0}")]
    Header(#[from] HeaderError),
    /// Rule B1: the header commits to this content.
    #[error("its content is not what its header commits to")]
    ContentRoot,
    /// Rule B2: the block is not larger than `max_block_bytes`.
    #[error("it has {bytes} bytes, and the network allows {most}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The network's limit.
        most: usize,
    },
    /// Rules T1 to T4, for one of its payments.
    #[error("payment {index}: {error}")]
    Payment {
        /// Which, from 0.
        index: usize,
        /// What is wrong with it.
        error: TransactionError,
    },
    /// Rule B3: the reward names the block's height.
    #[error("its reward is for height {0}")]
    RewardHeight(Height),
    /// Rule B4: fees and subsidy together are an amount.
    #[error("its fees are more than can exist")]
    FeesTooLarge,
    /// Rule B5: the reward is exactly the subsidy plus the fees.
    #[error("its reward is {paid} where {due} is due")]
    RewardAmount {
        /// What it pays.
        paid: Amount,
        /// The subsidy plus the fees.
        due: Amount,
    },
}

impl BlockError {
    /// The number of the broken rule in docs/PROTOCOL.md.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Header(error) => error.rule(),
            Self::ContentRoot => "B1",
            Self::TooLarge { .. } => "B2",
            Self::Payment { error, .. } => error.rule(),
            Self::RewardHeight(_) => "B3",
            Self::FeesTooLarge => "B4",
            Self::RewardAmount { .. } => "B5",
        }
    }

    /// Whether no block with this hash can ever be valid. A content that the header does not
    /// commit to says nothing about the header: the true content may still come.
    pub fn condemns_header(&self) -> bool {
        !matches!(self, Self::ContentRoot)
    }
}
