//! What the miner tells its user, one line an event: for people, or as JSON.

use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::time::Duration;

use cairn_protocol::{Address, Amount, BlockHash, Height, NetworkName, Timestamp};
use serde::{Serialize, Serializer};

/// The characters of a hash that people are shown.
const SHORT_HASH: usize = 16;

/// Something that happened. Field names and types are the contract of `--json`: amounts are
/// decimal strings with six places, hashes lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// The miner is at work; always first.
    Started {
        #[serde(serialize_with = "text")]
        network: NetworkName,
        data_dir: String,
        status_port: u16,
        blocks_port: u16,
        transactions_port: u16,
        #[serde(serialize_with = "number")]
        height: Height,
        #[serde(serialize_with = "text")]
        tip: BlockHash,
        #[serde(serialize_with = "text")]
        reward_address: Address,
    },
    /// We found a block, and it is the tip.
    BlockMined {
        #[serde(serialize_with = "number")]
        height: Height,
        #[serde(serialize_with = "text")]
        hash: BlockHash,
        /// The reward included.
        transactions: usize,
        #[serde(serialize_with = "text")]
        reward: Amount,
        /// Since the tip before it, or since the start.
        #[serde(serialize_with = "seconds", rename = "seconds")]
        after: Duration,
    },
    /// Another node's block is the tip.
    BlockAdopted {
        #[serde(serialize_with = "number")]
        height: Height,
        #[serde(serialize_with = "text")]
        hash: BlockHash,
        transactions: usize,
        /// How many blocks came at once, this one the last of them.
        #[serde(skip)]
        blocks: usize,
        /// Who served it, `null` if that node is gone.
        from: Option<SocketAddr>,
    },
    /// Another branch has more work than ours had.
    Reorg {
        disconnected: usize,
        connected: usize,
        #[serde(serialize_with = "number")]
        height: Height,
        #[serde(serialize_with = "text")]
        hash: BlockHash,
    },
    /// How it goes, every ten seconds.
    HashRate {
        hashes_per_second: u64,
        #[serde(serialize_with = "number")]
        height: Height,
        /// Payments that wait for a block.
        mempool: usize,
        links: usize,
    },
    /// Something that the user should know.
    Warning { code: &'static str, message: String },
    /// The end; always last.
    Stopped {
        #[serde(serialize_with = "number")]
        height: Height,
        reason: &'static str,
    },
}

impl Event {
    /// The event as one line of JSON. `time` is in milliseconds since the Unix epoch.
    pub(crate) fn to_json(&self, time: Timestamp) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            time: u64,
            #[serde(flatten)]
            event: &'a Event,
        }
        let line = Line { time: time.millis(), event: self };
        serde_json::to_string(&line).expect("an event has text keys and finite numbers only")
    }
}

impl Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started {
                network,
                data_dir,
                status_port,
                blocks_port,
                transactions_port,
                height,
                reward_address,
                ..
            } => write!(
                f,
                "started: network {network} at height {height}, rewards to {reward_address}, data \
                 in {data_dir}, ports {status_port} (status), {blocks_port} (blocks), \
                 {transactions_port} (transactions)",
            ),
            Self::BlockMined { height, hash, transactions, reward, after } => write!(
                f,
                "block {height} mined: {hash:.SHORT_HASH$}.. {}, reward {reward}, after {:.1} s",
                count(*transactions, "transaction"),
                after.as_secs_f64(),
            ),
            Self::BlockAdopted { height, hash, transactions, blocks, from } => {
                write!(f, "block {height} adopted: {hash:.SHORT_HASH$}.. ")?;
                match blocks {
                    0 | 1 => write!(f, "{}", count(*transactions, "transaction"))?,
                    many => write!(f, "{many} blocks at once")?,
                }
                from.map_or(Ok(()), |from| write!(f, ", from {from}"))
            }
            Self::Reorg { disconnected, connected, height, hash } => write!(
                f,
                "reorganised: {} undone, {} connected; block {height} is the tip: \
                 {hash:.SHORT_HASH$}..",
                count(*disconnected, "block"),
                count(*connected, "block"),
            ),
            Self::HashRate { hashes_per_second, height, mempool, links } => write!(
                f,
                "{} at height {height}; {} waiting, {}",
                crate::hash_rate::in_words(*hashes_per_second),
                count(*mempool, "payment"),
                count(*links, "link"),
            ),
            Self::Warning { message, .. } => write!(f, "warning: {message}"),
            Self::Stopped { height, reason } => write!(f, "stopped at height {height}: {reason}"),
        }
    }
}

/// "1 block", "2 blocks".
fn count(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

fn text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn number<S: Serializer>(height: &Height, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(height.get())
}

/// To the millisecond.
fn seconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    #[expect(clippy::cast_precision_loss, reason = "exact for 285,000 years")]
    let millis = span.as_millis() as f64;
    serializer.serialize_f64(millis / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_protocol::AccountId;

    const HASH: BlockHash = BlockHash([0xab; 32]);

    fn height() -> Height {
        Height::from(12)
    }

    fn address() -> Address {
        Address::new("cairn".parse().expect("a name"), AccountId([7; 32]))
    }

    fn check(event: &Event, text: &str, json: &serde_json::Value) {
        assert_eq!(event.to_string(), text);
        let time = Timestamp::from_millis(1_700_000_000_123).expect("small");
        let mut line: serde_json::Value =
            serde_json::from_str(&event.to_json(time)).expect("valid JSON");
        let time = line.as_object_mut().expect("an object").remove("time");
        assert_eq!(time, Some(1_700_000_000_123_u64.into()));
        assert_eq!(line, *json);
    }

    #[test]
    fn started() {
        let event = Event::Started {
            network: "cairn".parse().expect("a name"),
            data_dir: "/data".into(),
            status_port: 2606,
            blocks_port: 2607,
            transactions_port: 2608,
            height: height(),
            tip: HASH,
            reward_address: address(),
        };
        let text = format!(
            "started: network cairn at height 12, rewards to {}, data in /data, ports 2606 \
             (status), 2607 (blocks), 2608 (transactions)",
            address()
        );
        let json = serde_json::json!({
            "event": "started", "network": "cairn", "data_dir": "/data", "status_port": 2606,
            "blocks_port": 2607, "transactions_port": 2608, "height": 12,
            "tip": "ab".repeat(32), "reward_address": address().to_string(),
        });
        check(&event, &text, &json);
    }

    #[test]
    fn block_mined() {
        let event = Event::BlockMined {
            height: height(),
            hash: HASH,
            transactions: 3,
            reward: "10".parse().expect("an amount"),
            after: Duration::from_micros(1_606_900),
        };
        let text =
            "block 12 mined: abababababababab.. 3 transactions, reward 10.000000, after 1.6 s";
        let json = serde_json::json!({
            "event": "block_mined", "height": 12, "hash": "ab".repeat(32), "transactions": 3,
            "reward": "10.000000", "seconds": 1.606,
        });
        check(&event, text, &json);
    }

    #[test]
    fn block_adopted() {
        let from = "127.0.0.1:2607".parse().ok();
        let event = |transactions, blocks, from| Event::BlockAdopted {
            height: height(),
            hash: HASH,
            transactions,
            blocks,
            from,
        };
        let json = |transactions: usize, from: Option<&str>| {
            serde_json::json!({
                "event": "block_adopted", "height": 12, "hash": "ab".repeat(32),
                "transactions": transactions, "from": from,
            })
        };
        let text = "block 12 adopted: abababababababab.. 1 transaction, from 127.0.0.1:2607";
        check(&event(1, 1, from), text, &json(1, Some("127.0.0.1:2607")));
        let text = "block 12 adopted: abababababababab.. 57 blocks at once";
        check(&event(2, 57, None), text, &json(2, None));
    }

    #[test]
    fn reorg() {
        let event = Event::Reorg { disconnected: 1, connected: 2, height: height(), hash: HASH };
        let text = "reorganised: 1 block undone, 2 blocks connected; block 12 is the tip: \
                    abababababababab..";
        let json = serde_json::json!({
            "event": "reorg", "disconnected": 1, "connected": 2, "height": 12,
            "hash": "ab".repeat(32),
        });
        check(&event, text, &json);
    }

    #[test]
    fn hash_rate() {
        let event = Event::HashRate {
            hashes_per_second: 23_456_789,
            height: height(),
            mempool: 0,
            links: 1,
        };
        let text = "23.5 MH/s at height 12; 0 payments waiting, 1 link";
        let json = serde_json::json!({
            "event": "hash_rate", "hashes_per_second": 23_456_789, "height": 12, "mempool": 0,
            "links": 1,
        });
        check(&event, text, &json);
    }

    #[test]
    fn warning_and_stopped() {
        let event = Event::Warning { code: "catching_up", message: "wait".to_owned() };
        let json = serde_json::json!({
            "event": "warning", "code": "catching_up", "message": "wait",
        });
        check(&event, "warning: wait", &json);
        let event = Event::Stopped { height: height(), reason: "interrupted" };
        let json = serde_json::json!({
            "event": "stopped", "height": 12, "reason": "interrupted",
        });
        check(&event, "stopped at height 12: interrupted", &json);
    }
}
