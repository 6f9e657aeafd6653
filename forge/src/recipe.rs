//! [`Recipe`]: what a forged chain is made of, and whether it can be made.

use std::time::Duration;

use cairn_protocol::hash::sha256;
use cairn_protocol::limits::{EMPTY_BLOCK_BYTES, MIN_TRANSACTION_BYTES};
use cairn_protocol::{Amount, Height, Network, SecretKey, Timestamp};

use crate::accounts::MAX_COST;
use crate::sign::in_parallel;

/// The hardest difficulty at which a chain is forged: some 65,000 hashes a block.
const MAX_DIFFICULTY: u8 = 16;

/// All that decides what a forged chain holds. Another number of blocks gives the same chain,
/// longer or shorter; a change of anything else gives another chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// What keys and payments are drawn from.
    pub seed: u64,
    /// How many blocks follow genesis.
    pub blocks: u32,
    /// How many payments each of them holds, but for the first, which has none: nobody could pay.
    pub payments: u32,
    /// How many accounts pay each other, and get the rewards in turn.
    pub accounts: u32,
    /// The time of the first block.
    pub start: Timestamp,
    /// The time between two blocks: whole milliseconds, at least one.
    pub spacing: Duration,
}

impl Default for Recipe {
    /// 100 blocks without payments for ten accounts, one a second from November 2023 on.
    fn default() -> Self {
        Self {
            seed: 1,
            blocks: 100,
            payments: 0,
            accounts: 10,
            start: Timestamp::from_millis(1_700_000_000_000).expect("in range"),
            spacing: Duration::from_secs(1),
        }
    }
}

impl Recipe {
    /// The keys of the accounts. The first gets the reward of block 1, the next that of block 2.
    pub fn keys(&self) -> Vec<SecretKey> {
        let numbers: Vec<_> = (0..self.accounts).collect();
        in_parallel(&numbers, |part| part.iter().map(|number| self.key(*number)).collect())
    }

    /// The time of the last block. Whoever is given the chain must not have an earlier clock.
    pub fn end(&self) -> Timestamp {
        self.time_of(Height::from(self.blocks))
    }

    /// All payments of the chain.
    pub fn total_payments(&self) -> u64 {
        u64::from(self.payments) * u64::from(self.blocks.saturating_sub(1))
    }

    /// The time of the block at this height.
    pub(crate) fn time_of(&self, height: Height) -> Timestamp {
        let millis = u64::try_from(self.spacing.as_millis()).unwrap_or(u64::MAX);
        let steps = height.since(Height::from(1));
        self.start.after(Duration::from_millis(millis.saturating_mul(steps)))
    }

    /// Whether such a chain can be made for this network.
    ///
    /// # Errors
    /// [`RecipeError`], by what has to be changed first.
    pub fn check(&self, network: &Network) -> Result<(), RecipeError> {
        let rules = network.rules();
        if rules.difficulty > MAX_DIFFICULTY || rules.block_interval_seconds > 0 {
            return Err(RecipeError::Difficulty);
        }
        let transactions = self.payments.saturating_add(1);
        if rules.min_block_transactions > transactions || rules.reward_maturity > 0 {
            return Err(RecipeError::Waiting);
        }
        if self.accounts == 0 {
            return Err(RecipeError::NoAccounts);
        }
        self.check_payments(network)?;
        self.check_times()
    }

    fn check_payments(&self, network: &Network) -> Result<(), RecipeError> {
        let room = network.rules().max_block_bytes as usize - EMPTY_BLOCK_BYTES;
        let most = room / MIN_TRANSACTION_BYTES;
        if self.payments as usize > most {
            return Err(RecipeError::TooManyPayments { given: self.payments, most });
        }
        let subsidy = network.subsidy(Height::from(self.blocks.max(1)));
        let cost = Amount::from_micros(u64::from(self.payments) * MAX_COST);
        if cost.is_none_or(|cost| cost > subsidy) {
            return Err(RecipeError::TooPoor { payments: self.payments, subsidy });
        }
        Ok(())
    }

    fn check_times(&self) -> Result<(), RecipeError> {
        let genesis = Timestamp::ZERO;
        let whole = self.spacing.subsec_nanos().is_multiple_of(1_000_000);
        let last = Height::from(self.blocks);
        let ends = last.checked_sub(1).is_none_or(|before| self.time_of(before) < self.end());
        if self.start > genesis && !self.spacing.is_zero() && whole && (ends || self.blocks < 2) {
            Ok(())
        } else {
            Err(RecipeError::Times)
        }
    }

    fn key(&self, number: u32) -> SecretKey {
        let parts: [&[u8]; 3] =
            [b"cairn/forge/key\0", &self.seed.to_le_bytes(), &number.to_le_bytes()];
        SecretKey::from_seed(sha256(&parts))
    }
}

/// Why a chain cannot be made by a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// The network's blocks take work.
    #[error(
        "blocks are forged at a fixed difficulty of at most {MAX_DIFFICULTY}; set \
         rules.block_interval_seconds to 0 and rules.difficulty to 0"
    )]
    Difficulty,
    /// The network's blocks wait for payments, or its coins for blocks.
    #[error(
        "coins and blocks are forged that wait for nothing; set rules.reward_maturity to 0, and \
         rules.min_block_transactions to one more than the payments of a block at most"
    )]
    Waiting,
    /// Nobody could get the rewards.
    #[error("there are 0 accounts, and somebody has to get the rewards; ask for at least 1")]
    NoAccounts,
    /// The network's largest block does not hold them.
    #[error("a block of this network has room for {most} payments, not for {given}")]
    TooManyPayments {
        /// What was asked for.
        given: u32,
        /// What fits.
        most: usize,
    },
    /// The reward of one block must cover whatever the next one pays.
    #[error(
        "a block creates {subsidy} coins at the chain's end, and {payments} payments may take \
         more; ask for fewer"
    )]
    TooPoor {
        /// How many a block has.
        payments: u32,
        /// What the last block creates.
        subsidy: Amount,
    },
    /// The times of the blocks would not ascend.
    #[error(
        "block times must ascend from after 1970 on, by whole milliseconds; choose another start \
         or spacing"
    )]
    Times,
}

#[cfg(test)]
mod tests {
    use cairn_protocol::Rules;

    use super::*;
    use crate::network;

    #[test]
    fn what_cannot_be_forged_is_refused() {
        let refused = |recipe: Recipe| recipe.check(&network(0)).expect_err("impossible");
        let recipe = Recipe::default;
        assert_eq!(refused(Recipe { accounts: 0, ..recipe() }), RecipeError::NoAccounts);
        let (given, most) = (6_249, 6_248);
        assert_eq!(
            refused(Recipe { payments: given, ..recipe() }),
            RecipeError::TooManyPayments { given, most }
        );
        for times in [
            Recipe { start: Timestamp::ZERO, ..recipe() },
            Recipe { spacing: Duration::ZERO, ..recipe() },
            Recipe { spacing: Duration::from_micros(1_500), ..recipe() },
            Recipe { spacing: Duration::MAX, ..recipe() },
        ] {
            assert_eq!(refused(times), RecipeError::Times);
        }
        assert_eq!(Recipe { payments: 6_248, ..recipe() }.check(&network(0)), Ok(()));
    }

    #[test]
    fn networks_that_cannot_be_forged_for_are_refused() {
        let recipe = Recipe { payments: 1, ..Recipe::default() };
        let check = |change: fn(&mut Rules)| {
            let mut rules = network(0).rules().clone();
            change(&mut rules);
            recipe.check(&Network::new(rules).expect("possible"))
        };
        assert_eq!(check(|rules| rules.difficulty = 17), Err(RecipeError::Difficulty));
        assert_eq!(check(|rules| rules.block_interval_seconds = 1), Err(RecipeError::Difficulty));
        assert_eq!(check(|rules| rules.reward_maturity = 1), Err(RecipeError::Waiting));
        assert_eq!(check(|rules| rules.min_block_transactions = 2), Ok(()));
        assert_eq!(check(|rules| rules.min_block_transactions = 3), Err(RecipeError::Waiting));
        let poor = check(|rules| rules.block_reward = Amount::from_micros(1).expect("small"));
        assert!(matches!(poor, Err(RecipeError::TooPoor { .. })), "{poor:?}");
        let soon_over = check(|rules| rules.block_reward = Amount::MAX);
        assert!(matches!(soon_over, Err(RecipeError::TooPoor { .. })), "{soon_over:?}");
    }

    #[test]
    fn keys_follow_from_the_seed_and_their_number() {
        let accounts = |seed, accounts| -> Vec<_> {
            let recipe = Recipe { seed, accounts, ..Recipe::default() };
            recipe.keys().iter().map(SecretKey::account).collect()
        };
        let many = accounts(1, 500);
        assert_eq!(accounts(1, 3), many[..3]);
        assert_eq!(many.iter().collect::<std::collections::BTreeSet<_>>().len(), 500);
        assert_ne!(accounts(2, 1), many[..1]);
    }
}
