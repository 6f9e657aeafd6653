//! The keys of config.toml, and what each may be set to.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use cairn_network::limits::{MAX_STATUS_INTERVAL, MIN_TRANSACTION_INTERVAL};
use cairn_protocol::limits::MAX_TRANSACTION_BYTES;

use super::source::{ConfigError, Setting, Value};
use super::{DEFAULT_BLOCKS_PORT, Draft, Origin};

/// All sections and their keys, in the order of the repository's config.toml.
pub(super) const KEYS: [(&str, &[&str]); 6] = [
    (
        "rules",
        &[
            "name",
            "difficulty",
            "block_interval_seconds",
            "half_life_seconds",
            "min_block_transactions",
            "min_block_wait_seconds",
            "block_reward",
            "reward_maturity",
            "max_block_bytes",
        ],
    ),
    ("ports", &["status", "blocks", "transactions"]),
    ("intervals", &["status_seconds", "transaction_seconds"]),
    ("network", &["lan", "peers"]),
    ("miner", &["threads", "reward_to"]),
    (
        "mempool",
        &["max_payments", "max_bytes", "max_per_account", "max_ahead", "expiry_seconds", "min_fee"],
    ),
];

const ANY_U32: RangeInclusive<i64> = 0..=u32::MAX as i64;
const PORTS: RangeInclusive<i64> = 0..=u16::MAX as i64;
/// A node that spoke less often would have its links closed ([`MAX_STATUS_INTERVAL`]).
const STATUS_SECONDS: RangeInclusive<i64> = 1..=MAX_STATUS_INTERVAL.as_secs().cast_signed();
/// Others take a payment that comes more often for an echo.
const TRANSACTION_SECONDS: RangeInclusive<i64> =
    MIN_TRANSACTION_INTERVAL.as_secs().cast_signed()..=3_600;
const MAX_THREADS: i64 = 1_024;
const MAX_MEMPOOL_PAYMENTS: i64 = 10_000_000;
const MAX_MEMPOOL_BYTES: i64 = 1 << 40;
/// 100 years.
const MAX_EXPIRY_SECONDS: i64 = 100 * 365 * 24 * 60 * 60;

impl Draft {
    /// Changes one value.
    pub(super) fn apply(&mut self, setting: &Setting) -> Result<(), ConfigError> {
        let Self { rules, ports, intervals, links, miner, mempool, .. } = self;
        match setting.key.as_str() {
            "rules.name" => rules.name = setting.text()?,
            "rules.difficulty" => rules.difficulty = setting.number(0..=128)?,
            "rules.block_interval_seconds" => {
                rules.block_interval_seconds = setting.number(ANY_U32)?;
            }
            "rules.half_life_seconds" => rules.half_life_seconds = setting.number(ANY_U32)?,
            "rules.min_block_transactions" => {
                rules.min_block_transactions = setting.number(ANY_U32)?;
            }
            "rules.min_block_wait_seconds" => {
                rules.min_block_wait_seconds = setting.number(ANY_U32)?;
            }
            "rules.block_reward" => rules.block_reward = setting.text()?,
            "rules.reward_maturity" => rules.reward_maturity = setting.number(ANY_U32)?,
            "rules.max_block_bytes" => rules.max_block_bytes = setting.number(ANY_U32)?,
            "ports.status" => ports.status = setting.number(PORTS)?,
            "ports.blocks" => {
                ports.blocks = setting.number(PORTS)?;
                let by_flag = matches!(setting.origin, Origin::Flag(_));
                ports.blocks_by_hand = by_flag || ports.blocks != DEFAULT_BLOCKS_PORT;
            }
            "ports.transactions" => ports.transactions = setting.number(PORTS)?,
            "intervals.status_seconds" => intervals.status = setting.seconds(STATUS_SECONDS)?,
            "intervals.transaction_seconds" => {
                intervals.transaction = setting.seconds(TRANSACTION_SECONDS)?;
            }
            "network.lan" => links.lan = setting.truth()?,
            "network.peers" => links.peers = setting.texts()?,
            "miner.threads" => miner.threads = setting.number(0..=MAX_THREADS)?,
            "miner.reward_to" => miner.reward_to = setting.text()?,
            "mempool.max_payments" => {
                mempool.max_payments = setting.number(1..=MAX_MEMPOOL_PAYMENTS)?;
            }
            "mempool.max_bytes" => {
                let fewest = i64::try_from(MAX_TRANSACTION_BYTES).expect("a small constant");
                mempool.max_bytes = setting.number(fewest..=MAX_MEMPOOL_BYTES)?;
            }
            "mempool.max_per_account" => {
                mempool.max_per_account = setting.number(1..=MAX_MEMPOOL_PAYMENTS)?;
            }
            "mempool.max_ahead" => mempool.max_ahead = setting.number(0..=MAX_MEMPOOL_PAYMENTS)?,
            "mempool.expiry_seconds" => {
                mempool.expiry = setting.seconds(1..=MAX_EXPIRY_SECONDS)?;
            }
            "mempool.min_fee" => mempool.min_fee = setting.text()?,
            _ => return Err(setting.unknown()),
        }
        Ok(())
    }
}

impl Setting {
    /// A whole number in this range, which the type of the value can hold.
    fn number<T: TryFrom<i64>>(&self, range: RangeInclusive<i64>) -> Result<T, ConfigError> {
        let number = match self.value.typed() {
            Value::Number(number) => number.filter(|number| range.contains(number)),
            _ => None,
        };
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
            let wanted = format!("a whole number from {} to {}", range.start(), range.end());
            self.wrong(&wanted)
        })
    }

    fn seconds(&self, range: RangeInclusive<i64>) -> Result<Duration, ConfigError> {
        self.number(range).map(Duration::from_secs)
    }

    fn truth(&self) -> Result<bool, ConfigError> {
        match self.value.typed() {
            Value::Truth(truth) => Ok(*truth),
            _ => Err(self.wrong("true or false")),
        }
    }

    /// What a text says: a name, an amount.
    fn text<T: FromStr<Err: Display>>(&self) -> Result<T, ConfigError> {
        let (Value::Text(text) | Value::Bare(text, _)) = &self.value else {
            return Err(self.wrong("a text in quotes"));
        };
        let problem =
            |error| ConfigError::new(self.origin.clone(), format!("{}: {error}", self.key));
        text.parse().map_err(problem)
    }

    fn texts(&self) -> Result<Vec<String>, ConfigError> {
        let wrong = || self.wrong("a list of texts in quotes, such as [\"example.org:2607\"]");
        let Value::List(items) = self.value.typed() else { return Err(wrong()) };
        let text = |item: &Value| match item {
            Value::Text(text) => Ok(text.clone()),
            _ => Err(wrong()),
        };
        items.iter().map(text).collect()
    }

    fn wrong(&self, wanted: &str) -> ConfigError {
        let problem = format!("{} is {}; set it to {wanted}", self.key, self.value);
        ConfigError::new(self.origin.clone(), problem)
    }

    fn unknown(&self) -> ConfigError {
        let key = &self.key;
        let section = key.split('.').next().unwrap_or(key);
        let remedy = if let Some((_, keys)) = KEYS.iter().find(|(name, _)| *name == section) {
            format!("the keys of [{section}] are {}", keys.join(", "))
        } else if let Some((section, _)) = KEYS.iter().find(|(_, keys)| keys.contains(&section)) {
            format!("did you mean {section}.{key}?")
        } else {
            format!("the sections are {}", KEYS.map(|(name, _)| format!("[{name}]")).join(", "))
        };
        ConfigError::new(self.origin.clone(), format!("unknown key {key}; {remedy}"))
    }
}
