//! [`Network`]: checked rules together with the genesis block and the id that follow from them.

use crate::amount::Amount;
use crate::codec::encode;
use crate::counters::Height;
use crate::hash::{BlockHash, ContentRoot, NetworkId, Tag};
use crate::header::{BlockRef, HEADER_VERSION, Header, Proof, SealedHeader};
use crate::rules::{Rules, RulesError};
use crate::time::Timestamp;

/// A network that can exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    rules: Rules,
    genesis: SealedHeader,
    id: NetworkId,
}

impl Network {
    /// The network of these rules.
    ///
    /// # Errors
    /// [`RulesError`] if no network can live by them.
    pub fn new(rules: Rules) -> Result<Self, RulesError> {
        rules.check()?;
        let header = Header {
            version: HEADER_VERSION,
            height: Height::GENESIS,
            parent: BlockHash::default(),
            content: ContentRoot(Tag::Rules.hash(&[&encode(&rules)])),
            time: Timestamp::ZERO,
            target: rules.floor(),
        };
        let genesis = SealedHeader { header, proof: Proof::default() };
        let id = NetworkId(genesis.hash().0);
        Ok(Self { rules, genesis, id })
    }

    /// What the network agrees on.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The hash of the genesis block.
    pub fn id(&self) -> NetworkId {
        self.id
    }

    /// The block that every chain of this network starts with. It needs no proof of work, holds
    /// no reward and no payment, and its content root commits to the rules.
    pub fn genesis(&self) -> &SealedHeader {
        &self.genesis
    }

    /// Where the genesis block stands.
    pub fn genesis_ref(&self) -> BlockRef {
        BlockRef { height: Height::GENESIS, hash: BlockHash(self.id.0) }
    }

    /// What the block at this height creates: the block reward while `reward * height` stays
    /// below 2^63, so that all that was ever created is an [`Amount`].
    pub fn subsidy(&self, height: Height) -> Amount {
        let reward = self.rules.block_reward;
        if height > Height::GENESIS && height <= self.last_subsidised() {
            reward
        } else {
            Amount::ZERO
        }
    }

    /// What the blocks up to this height, included, created together.
    pub fn issued(&self, height: Height) -> Amount {
        let blocks = height.min(self.last_subsidised()).get();
        Amount::from_micros(self.rules.block_reward.micros() * blocks)
            .expect("the last subsidised height keeps the product below 2^63")
    }

    fn last_subsidised(&self) -> Height {
        let reward = self.rules.block_reward.micros();
        Height::new(Amount::MAX.micros() / reward).expect("a quotient of 2^63 - 1")
    }

    /// The name of this network's folder in a data directory, such as `cairn-0f3a5c7e`.
    pub fn folder_name(&self) -> String {
        format!("{}-{}", self.rules.name, self.id.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_changes_the_id() {
        let id = |rules| Network::new(rules).expect("possible").id();
        let rules = Rules::default;
        let variants = [
            rules(),
            Rules { name: "other".parse().expect("a name"), ..rules() },
            Rules { difficulty: 23, ..rules() },
            Rules { block_interval_seconds: 11, ..rules() },
            Rules { half_life_seconds: 201, ..rules() },
            Rules { block_interval_seconds: 0, min_block_transactions: 2, ..rules() },
            Rules { block_interval_seconds: 0, min_block_transactions: 3, ..rules() },
            Rules { min_block_wait_seconds: 601, ..rules() },
            Rules { block_reward: Amount::MAX, ..rules() },
            Rules { reward_maturity: 1, ..rules() },
            Rules { max_block_bytes: 999_999, ..rules() },
        ];
        let ids: std::collections::BTreeSet<_> = variants.clone().map(id).into();
        assert_eq!(ids.len(), variants.len());
    }

    #[test]
    fn subsidies_never_leave_63_bits() {
        let block_reward = Amount::from_micros(1 << 61).expect("an amount");
        let network = Network::new(Rules { block_reward, ..Rules::default() }).expect("possible");
        let heights = [0, 1, 3, 4, 5, u32::MAX].map(Height::from);
        let zero = Amount::ZERO;
        let expected = [zero, block_reward, block_reward, zero, zero, zero];
        assert_eq!(heights.map(|height| network.subsidy(height)), expected);
        assert_eq!(network.issued(Height::MAX).micros(), 3 << 61);
        assert_eq!(network.issued(Height::from(2)).micros(), 2 << 61);
    }
}
