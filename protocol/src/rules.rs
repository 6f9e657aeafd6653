//! [`Rules`]: what a network agrees on. Another value of any of them is another network.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bincode::{Decode, Encode, de::Decoder, error::DecodeError};

use crate::amount::Amount;
use crate::limits::{EMPTY_BLOCK_BYTES, MAX_BLOCK_BYTES, MAX_NAME_BYTES, MAX_TRANSACTION_BYTES};
use crate::target::Target;

/// A network's name, also the prefix of its addresses: 1 to 20 of `a-z` and `0-9`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode)]
pub struct NetworkName(String);

impl NetworkName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NetworkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text is not a network's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a network name: it takes 1 to 20 of the characters a-z and 0-9")]
pub struct ParseNameError(String);

impl FromStr for NetworkName {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, ParseNameError> {
        let fits = (1..=MAX_NAME_BYTES).contains(&text.len());
        let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if fits && plain { Ok(Self(text.to_owned())) } else { Err(ParseNameError(text.to_owned())) }
    }
}

impl<Context> Decode<Context> for NetworkName {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let bytes = crate::bounded::BoundedBytes::<MAX_NAME_BYTES>::decode(decoder)?.into_vec();
        let text = String::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
        text.ok_or(DecodeError::Other("not a network name"))
    }
}
bincode::impl_borrow_decode!(NetworkName);

/// The rules of a network, as `[rules]` of config.toml names them. Plain data: [`crate::Network`]
/// is the checked form.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Rules {
    /// The network's name and address prefix.
    pub name: NetworkName,
    /// Leading zero bits of a block hash at the easiest.
    pub difficulty: u8,
    /// The intended seconds between blocks; 0: the difficulty never changes.
    pub block_interval_seconds: u32,
    /// The seconds off schedule after which the target has doubled or halved.
    pub half_life_seconds: u32,
    /// The fewest transactions of a block, its reward included.
    pub min_block_transactions: u32,
    /// The seconds after its parent from which on a block may have fewer.
    pub min_block_wait_seconds: u32,
    /// What a block creates, before fees.
    pub block_reward: Amount,
    /// How many blocks later a reward is credited.
    pub reward_maturity: u32,
    /// The most bytes of an encoded block.
    pub max_block_bytes: u32,
}

impl Default for Rules {
    /// The rules of the network `cairn`, equal to those in the repository's config.toml.
    fn default() -> Self {
        Self {
            name: NetworkName("cairn".to_owned()),
            difficulty: 24,
            block_interval_seconds: 10,
            half_life_seconds: 200,
            min_block_transactions: 1,
            min_block_wait_seconds: 600,
            block_reward: Amount::from_micros(10_000_000).expect("ten coins exist"),
            reward_maturity: 0,
            max_block_bytes: 1_000_000,
        }
    }
}

impl Rules {
    /// The easiest target.
    pub fn floor(&self) -> Target {
        Target::with_leading_zeros(self.difficulty)
    }

    /// The intended time between blocks; zero: the difficulty never changes.
    pub fn block_interval(&self) -> Duration {
        Duration::from_secs(self.block_interval_seconds.into())
    }

    /// From how long after its parent on a block may have fewer than the fewest transactions.
    pub fn min_block_wait(&self) -> Duration {
        Duration::from_secs(self.min_block_wait_seconds.into())
    }

    /// Checks that a network can live by these rules.
    ///
    /// # Errors
    /// [`RulesError`], by the first rule that cannot be, with the remedy.
    pub fn check(&self) -> Result<(), RulesError> {
        if self.difficulty > MAX_DIFFICULTY {
            return Err(RulesError::Difficulty(self.difficulty));
        }
        if self.block_interval_seconds > 0 && self.half_life_seconds == 0 {
            return Err(RulesError::HalfLife);
        }
        if self.block_reward.is_zero() {
            return Err(RulesError::BlockReward);
        }
        let largest = u32::try_from(MAX_BLOCK_BYTES).expect("1 MiB fits");
        let smallest = u32::try_from(EMPTY_BLOCK_BYTES + MAX_TRANSACTION_BYTES).expect("small");
        if !(smallest..=largest).contains(&self.max_block_bytes) {
            let given = self.max_block_bytes;
            return Err(RulesError::MaxBlockBytes { given, smallest, largest });
        }
        self.check_min_block_transactions()
    }

    fn check_min_block_transactions(&self) -> Result<(), RulesError> {
        let fewest = self.min_block_transactions;
        if fewest == 0 {
            return Err(RulesError::NoTransactions);
        }
        if fewest > 1 && self.block_interval_seconds > 0 {
            return Err(RulesError::MovingDifficulty { fewest });
        }
        let payments = u64::from(fewest - 1);
        let bytes = EMPTY_BLOCK_BYTES as u64 + payments * MAX_TRANSACTION_BYTES as u64;
        if bytes > u64::from(self.max_block_bytes) {
            return Err(RulesError::TooSmallForFewest { fewest, bytes });
        }
        Ok(())
    }

    /// The first rule, by its name in config.toml, in which these rules differ from others.
    pub fn difference(&self, other: &Self) -> Option<RuleDifference> {
        // Taken apart without `..`, so that a new rule cannot be forgotten here.
        let Self {
            name,
            difficulty,
            block_interval_seconds,
            half_life_seconds,
            min_block_transactions,
            min_block_wait_seconds,
            block_reward,
            reward_maturity,
            max_block_bytes,
        } = self;
        let pairs: [(&'static str, &dyn fmt::Display, &dyn fmt::Display); 9] = [
            ("name", name, &other.name),
            ("difficulty", difficulty, &other.difficulty),
            ("block_interval_seconds", block_interval_seconds, &other.block_interval_seconds),
            ("half_life_seconds", half_life_seconds, &other.half_life_seconds),
            ("min_block_transactions", min_block_transactions, &other.min_block_transactions),
            ("min_block_wait_seconds", min_block_wait_seconds, &other.min_block_wait_seconds),
            ("block_reward", block_reward, &other.block_reward),
            ("reward_maturity", reward_maturity, &other.reward_maturity),
            ("max_block_bytes", max_block_bytes, &other.max_block_bytes),
        ];
        pairs.into_iter().find_map(|(rule, ours, theirs)| {
            let (ours, theirs) = (ours.to_string(), theirs.to_string());
            (ours != theirs).then_some(RuleDifference { rule, ours, theirs })
        })
    }
}

/// The largest `difficulty`: beyond it no block would ever be found.
const MAX_DIFFICULTY: u8 = 128;

/// A rule that two networks do not share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleDifference {
    /// Its name in config.toml.
    pub rule: &'static str,
    /// Its value here.
    pub ours: String,
    /// Its value there.
    pub theirs: String,
}

impl fmt::Display for RuleDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rules.{} is {} here and {} there", self.rule, self.ours, self.theirs)
    }
}

/// Why no network can live by some rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// Rule R1: a block can be found.
    #[error("rules.difficulty is {0}; the largest is {MAX_DIFFICULTY}")]
    Difficulty(u8),
    /// Rule R2: a moving difficulty has a pace.
    #[error(
        "rules.half_life_seconds is 0; set it to about 20 times block_interval_seconds, or set \
         block_interval_seconds to 0 for a fixed difficulty"
    )]
    HalfLife,
    /// Rule R3: coins come into being.
    #[error("rules.block_reward is 0; set at least \"0.000001\", or no coin ever comes into being")]
    BlockReward,
    /// Rule R4: a block holds a payment, and a message holds a block.
    #[error("rules.max_block_bytes is {given}; it must be between {smallest} and {largest}")]
    MaxBlockBytes {
        /// The value.
        given: u32,
        /// A reward and one payment with the longest memo.
        smallest: u32,
        /// What fits into a message.
        largest: u32,
    },
    /// Rule R5: a block has at least its reward.
    #[error("rules.min_block_transactions is 0; the fewest is 1, the reward itself")]
    NoTransactions,
    /// Rule R6: waiting for payments is not taken for slow miners.
    #[error(
        "rules.min_block_transactions is {fewest} with a moving difficulty; set \
         block_interval_seconds to 0, or min_block_transactions to 1"
    )]
    MovingDifficulty {
        /// The value.
        fewest: u32,
    },
    /// Rule R7: the fewest transactions fit into the largest block.
    #[error(
        "rules.min_block_transactions is {fewest}, which may take {bytes} bytes; raise \
         max_block_bytes to that, or lower min_block_transactions"
    )]
    TooSmallForFewest {
        /// The value.
        fewest: u32,
        /// The bytes of that many of the largest transactions.
        bytes: u64,
    },
}

impl RulesError {
    /// The number of the broken rule in docs/PROTOCOL.md.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Difficulty(_) => "R1",
            Self::HalfLife => "R2",
            Self::BlockReward => "R3",
            Self::MaxBlockBytes { .. } => "R4",
            Self::NoTransactions => "R5",
            Self::MovingDifficulty { .. } => "R6",
            Self::TooSmallForFewest { .. } => "R7",
        }
    }

    /// The name in config.toml of the rule to change first.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Difficulty(_) => "difficulty",
            Self::HalfLife => "half_life_seconds",
            Self::BlockReward => "block_reward",
            Self::MaxBlockBytes { .. } => "max_block_bytes",
            Self::NoTransactions
            | Self::MovingDifficulty { .. }
            | Self::TooSmallForFewest { .. } => "min_block_transactions",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for name in ["a", "cairn", "net42", "abcdefghijklmnopqrst"] {
            assert!(name.parse::<NetworkName>().is_ok(), "{name}");
        }
        for name in ["", "Cairn", "a-b", "a b", "ä", "../x", "abcdefghijklmnopqrstu"] {
            assert!(name.parse::<NetworkName>().is_err(), "{name}");
        }
    }

    #[test]
    fn the_classic_profile_and_the_defaults_are_possible() {
        let classic = Rules {
            difficulty: 18,
            block_interval_seconds: 0,
            min_block_transactions: 5,
            ..Rules::default()
        };
        assert_eq!(classic.check(), Ok(()));
        assert_eq!(Rules::default().check(), Ok(()));
    }

    #[test]
    fn seconds_become_durations() {
        let rules = Rules::default();
        assert_eq!(rules.block_interval(), Duration::from_secs(10));
        assert_eq!(rules.min_block_wait(), Duration::from_secs(600));
    }

    #[test]
    fn the_rule_that_differs_is_named() {
        let ours = Rules::default();
        assert_eq!(ours.difference(&ours), None);
        let theirs = Rules { reward_maturity: 3, ..Rules::default() };
        let difference = ours.difference(&theirs).expect("one differs");
        assert_eq!(difference.to_string(), "rules.reward_maturity is 0 here and 3 there");
    }
}
