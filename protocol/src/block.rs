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

impl Block {
    /// Checks all that can be checked without a chain: the proof of work first, which costs a
    /// forger the most and us the least, and the signatures last.
    ///
    /// # Errors
    /// [`BlockError`], by the first rule it breaks.
    pub fn verify(self, network: &Network) -> Result<VerifiedBlock, BlockError> {
        let header = self.sealed.prove(network)?;
        let bytes = encoded_len(&self);
        let ids: Vec<_> = self.payments.iter().map(|t| t.payment.id(network.id())).collect();
        let signed = ids.iter().zip(self.payments.iter().map(|t| &t.signature));
        check_content(&header, content_root(&self.reward, signed))?;
        check_size(bytes, network)?;
        let payments = Transaction::verify_all(self.payments.into_vec(), network.id())
            .map_err(|(index, error)| BlockError::Payment { index, error })?;
        check_reward(&self.reward, &payments, &header, network)?;
        Ok(VerifiedBlock { header, reward: self.reward, payments, bytes })
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::{Memo, Payment};
    use crate::{BlockHash, Rules, SecretKey, Sequence, Timestamp};

    fn network() -> Network {
        Network::new(Rules { difficulty: 1, max_block_bytes: 2_000, ..Rules::default() })
            .expect("possible")
    }

    fn coins(text: &str) -> Amount {
        text.parse().expect("an amount")
    }

    fn payment(network: &Network, sequence: u32, memo: usize) -> Transaction {
        let key = SecretKey::from_seed([5; 32]);
        let payment = Payment {
            sender: key.account(),
            recipient: AccountId([9; 32]),
            amount: coins("1"),
            fee: coins("0.25"),
            sequence: Sequence::from(sequence),
            memo: Memo::new(vec![b'x'; memo]).expect("short"),
        };
        key.sign(payment, network.id())
    }

    fn reward(amount: &str) -> Reward {
        let recipient = AccountId([7; 32]);
        Reward { height: Height::from(1), recipient, amount: coins(amount) }
    }

    /// A block with a correct content root and proof, whatever else is wrong with it.
    fn block(network: &Network, reward: Reward, payments: Vec<Transaction>) -> Block {
        let ids: Vec<_> = payments.iter().map(|t| t.payment.id(network.id())).collect();
        let content = content_root(&reward, ids.iter().zip(payments.iter().map(|t| &t.signature)));
        let header = Header {
            version: 1,
            height: Height::from(1),
            parent: BlockHash(network.id().0),
            content,
            time: Timestamp::from_millis(1).expect("small"),
            target: network.rules().floor(),
        };
        let payments = Bounded::new(payments).expect("few");
        seal(Block { sealed: SealedHeader { header, proof: Proof::default() }, reward, payments })
    }

    fn seal(mut block: Block) -> Block {
        while !block.sealed.header.target.is_met_by(&block.sealed.hash()) {
            block.sealed.proof.nonce += 1;
        }
        block
    }

    #[test]
    fn a_good_block_is_verified_whole_and_when_sealed_from_verified_payments() {
        let network = network();
        let payments = vec![payment(&network, 0, 0), payment(&network, 1, 5)];
        let block = block(&network, reward("10.5"), payments);
        let verified = block.clone().verify(&network).expect("valid");
        assert_eq!(verified.to_block(), block);
        assert_eq!(verified.encoded_len(), encode(&block).len());
        assert_eq!(verified.transaction_count(), 3);
        let payments = verified.payments().to_vec();
        let SealedHeader { header, proof } = block.sealed;
        let sealed = VerifiedBlock::seal(header, proof, block.reward, payments, &network);
        assert_eq!(sealed, Ok(verified));
    }

    #[test]
    fn each_rule_is_refused_by_its_name() {
        let network = network();
        let refused = |block: Block| {
            let error = block.verify(&network).expect_err("not valid");
            let rule = error.rule();
            (error, rule)
        };
        let mut unproven = block(&network, reward("10"), Vec::new());
        while unproven.sealed.header.target.is_met_by(&unproven.sealed.hash()) {
            unproven.sealed.proof.nonce += 1;
        }
        assert_eq!(refused(unproven), (BlockError::Header(HeaderError::ProofOfWork), "H4"));

        let mut other = block(&network, reward("10"), Vec::new());
        other.reward.recipient = AccountId([8; 32]);
        assert_eq!(refused(other), (BlockError::ContentRoot, "B1"));

        let payments: Vec<_> = (0..3).map(|n| payment(&network, n, 512)).collect();
        let large = block(&network, reward("10.75"), payments);
        assert_eq!(refused(large), (BlockError::TooLarge { bytes: 2_208, most: 2_000 }, "B2"));

        let mut forged = payment(&network, 0, 0);
        forged.payment.amount = coins("2");
        let error = TransactionError::Signature;
        let forged = block(&network, reward("10.25"), vec![forged]);
        assert_eq!(refused(forged), (BlockError::Payment { index: 0, error }, "T4"));

        let early = Reward { height: Height::from(2), ..reward("10") };
        let early = block(&network, early, Vec::new());
        assert_eq!(refused(early), (BlockError::RewardHeight(Height::from(2)), "B3"));

        for paid in ["9.999999", "10.000001", "10.250000"] {
            let expected = BlockError::RewardAmount { paid: coins(paid), due: coins("10") };
            assert_eq!(refused(block(&network, reward(paid), Vec::new())), (expected, "B5"));
        }
    }

    #[test]
    fn fees_that_overflow_are_refused() {
        let network = network();
        let key = SecretKey::from_seed([5; 32]);
        let payments = (0..2).map(|sequence| {
            let mut payment = payment(&network, sequence, 0).payment;
            payment.fee = Amount::from_micros(Amount::MAX.micros() - 1_000_000).expect("below");
            key.sign(payment, network.id())
        });
        let block = block(&network, reward("10"), payments.collect());
        assert_eq!(block.verify(&network), Err(BlockError::FeesTooLarge));
        assert_eq!(BlockError::FeesTooLarge.rule(), "B4");
    }

    #[test]
    fn the_size_limit_is_exact() {
        let network = network();
        // 192 bytes without payments, 160 and the memo for each.
        let with_memo = |memo| {
            let payments = vec![
                payment(&network, 0, 512),
                payment(&network, 1, 512),
                payment(&network, 2, memo),
            ];
            block(&network, reward("10.75"), payments).verify(&network)
        };
        assert_eq!(with_memo(304).expect("valid").encoded_len(), 2_000);
        assert_eq!(with_memo(305), Err(BlockError::TooLarge { bytes: 2_001, most: 2_000 }));
    }

    #[test]
    fn only_a_foreign_content_leaves_the_header_in_peace() {
        assert!(!BlockError::ContentRoot.condemns_header());
        assert!(BlockError::FeesTooLarge.condemns_header());
    }
}
