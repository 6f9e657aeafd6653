//! [`Draft`]: a block that needs nothing but its proof.

use cairn_protocol::block::content_root_of;
use cairn_protocol::header::HEADER_VERSION;
use cairn_protocol::{
    AccountId, Amount, BlockError, BlockRef, Header, Network, Proof, Reward, Target, Timestamp,
    VerifiedBlock, VerifiedTransaction,
};

/// A block to be sealed, in any place of any chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The block before it, whether or not anybody knows that one.
    pub parent: BlockRef,
    /// Its time, whether or not it fits there.
    pub time: Timestamp,
    /// Its target, whether or not it is the required one.
    pub target: Target,
    /// Who gets the reward: the subsidy of the height and all fees.
    pub recipient: AccountId,
    /// Its payments, in order, whether or not their senders have the coins.
    pub payments: Vec<VerifiedTransaction>,
}

impl Draft {
    /// The block with the first proof that meets its target, which is searched on this thread: a
    /// few bits of difficulty take no time.
    ///
    /// # Errors
    /// [`BlockError`] if no chain of the network can hold such a block: it has too many payments,
    /// or its target is easier than the network's difficulty.
    pub fn seal(self, network: &Network) -> Result<VerifiedBlock, BlockError> {
        let height = self.parent.height.next();
        let fees: Option<Amount> = self.payments.iter().map(|one| one.payment().fee).sum();
        let amount = fees
            .and_then(|fees| fees.checked_add(network.subsidy(height)))
            .ok_or(BlockError::FeesTooLarge)?;
        let reward = Reward { height, recipient: self.recipient, amount };
        let header = Header {
            version: HEADER_VERSION,
            height,
            parent: self.parent.hash,
            content: content_root_of(&reward, &self.payments),
            time: self.time,
            target: self.target,
        };
        VerifiedBlock::seal(header, first_proof(&header), reward, self.payments, network)
    }
}

/// The first proof that meets the header's target, by nonce and then by salt.
fn first_proof(header: &Header) -> Proof {
    let digest = header.digest();
    let proofs = (0..=u128::MAX).flat_map(|salt| {
        let salt = salt.to_le_bytes();
        (0..=u32::MAX).map(move |nonce| Proof { salt, nonce })
    });
    let mut found = proofs.filter(|proof| header.target.is_met_by(&proof.hash(&digest)));
    found.next().expect("one of 2^160 proofs meets the target")
}

#[cfg(test)]
mod tests {
    use cairn_protocol::BlockHash;
    use cairn_protocol::Height;

    use super::*;
    use crate::network;

    fn draft(target: Target) -> Draft {
        Draft {
            parent: BlockRef { height: Height::from(6), hash: BlockHash([3; 32]) },
            time: Timestamp::from_millis(5).expect("small"),
            target,
            recipient: AccountId([8; 32]),
            payments: Vec::new(),
        }
    }

    #[test]
    fn a_draft_is_sealed_where_it_says() {
        let network = network(4);
        let harder = Target::with_leading_zeros(6);
        let block = draft(harder).seal(&network).expect("valid");
        let header = block.header().header();
        assert_eq!(header.parent_ref(), draft(harder).parent);
        assert_eq!((header.time, header.target), (draft(harder).time, harder));
        let reward = Reward {
            height: Height::from(7),
            recipient: AccountId([8; 32]),
            amount: network.rules().block_reward,
        };
        assert_eq!(*block.reward(), reward);
        assert_eq!(block.to_block().verify(&network), Ok(block));
    }

    #[test]
    fn rule_h3_a_target_above_the_floor_is_refused() {
        let easy = draft(Target::with_leading_zeros(3)).seal(&network(4));
        assert_eq!(easy.expect_err("too easy").rule(), "H3");
    }
}
