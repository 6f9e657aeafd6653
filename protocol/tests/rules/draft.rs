//! [`Draft`]: a block that is right but for what a test changes. Its content root is built here
//! from docs/PROTOCOL.md, and its proof is found.

use cairn_protocol::block::Reward;
use cairn_protocol::codec::encode;
use cairn_protocol::hash::Tag;
use cairn_protocol::{
    AccountId, Block, BlockError, BlockHash, Bounded, ContentRoot, Header, Height, Network, Proof,
    SealedHeader, Target, Timestamp, Transaction, merkle,
};

use crate::kit::{coins, payment, signed};

#[derive(Clone)]
pub(crate) struct Draft {
    network: Network,
    pub(crate) version: u32,
    pub(crate) height: Height,
    pub(crate) target: Target,
    /// In place of the right one.
    pub(crate) content: Option<ContentRoot>,
    /// Whether the hash meets the target.
    pub(crate) proven: bool,
    pub(crate) reward: Reward,
    pub(crate) payments: Vec<Transaction>,
}

impl Draft {
    /// Block 1 with no payments: its reward is 10 coins.
    pub(crate) fn new(network: &Network) -> Self {
        let height = Height::from(1);
        Self {
            network: network.clone(),
            version: 1,
            height,
            target: network.rules().floor(),
            content: None,
            proven: true,
            reward: Reward { height, recipient: AccountId([7; 32]), amount: coins("10") },
            payments: Vec::new(),
        }
    }

    /// The same with so many payments, whose fees are in the reward.
    pub(crate) fn with_payments(network: &Network, count: u32) -> Self {
        let mut draft = Self::new(network);
        draft.payments = (0..count).map(|n| signed(network, |p| *p = payment(n, 0))).collect();
        let fees = draft.payments.iter().map(|one| one.payment.fee).sum::<Option<_>>();
        let amount = fees.and_then(|fees| fees.checked_add(coins("10")));
        draft.reward.amount = amount.expect("small fees");
        draft
    }

    pub(crate) fn block(&self) -> Block {
        let header = Header {
            version: self.version,
            height: self.height,
            parent: BlockHash(self.network.id().0),
            content: self.content.unwrap_or_else(|| self.content_root()),
            time: Timestamp::from_millis(1).expect("small"),
            target: self.target,
        };
        let seal = |nonce| SealedHeader { header, proof: Proof { salt: [3; 16], nonce } };
        let fits = |sealed: &SealedHeader| self.target.is_met_by(&sealed.hash()) == self.proven;
        Block {
            sealed: (0..100_000).map(seal).find(fits).expect("a small difficulty"),
            reward: self.reward,
            payments: Bounded::new(self.payments.clone()).expect("few"),
        }
    }

    /// The error by which the block is refused, and its rule.
    pub(crate) fn refused(&self) -> (BlockError, &'static str) {
        let error = self.block().verify(&self.network).expect_err("not valid");
        (error, error.rule())
    }

    pub(crate) fn assert_accepted(&self) {
        let block = self.block();
        let verified = block.clone().verify(&self.network).expect("valid");
        assert_eq!(verified.to_block(), block);
    }

    pub(crate) fn content_root(&self) -> ContentRoot {
        let reward = Tag::RewardLeaf.hash(&[&encode(&self.reward)]);
        let leaf = |one: &Transaction| {
            let id = one.payment.id(self.network.id());
            Tag::PaymentLeaf.hash(&[id.as_bytes(), &one.signature.0])
        };
        let leaves: Vec<_> =
            std::iter::once(reward).chain(self.payments.iter().map(leaf)).collect();
        ContentRoot(Tag::Content.hash(&[&merkle::root(&leaves)]))
    }
}
