//! Values that are possible each, but not together.

use cairn_protocol::limits::MAX_TRANSACTION_BYTES;
use cairn_protocol::{Network, RulesError};

use super::source::ConfigError;
use super::{Config, Draft};

impl Draft {
    /// The configuration, if all its values go together.
    pub(super) fn check(self) -> Result<Config, ConfigError> {
        self.check_rules()?;
        self.check_ports()?;
        self.check_mempool()?;
        self.check_links()?;
        let Self { rules, ports, intervals, links, miner, mempool, .. } = self;
        let network = Network::new(rules).expect("the rules were checked");
        Ok(Config { network, ports, intervals, links, miner, mempool })
    }

    fn check_rules(&self) -> Result<(), ConfigError> {
        self.rules.check().map_err(|error| {
            let first = format!("rules.{}", error.key());
            let second = match error {
                RulesError::HalfLife | RulesError::MovingDifficulty { .. } => {
                    "rules.block_interval_seconds"
                }
                RulesError::TooSmallForFewest { .. } => "rules.max_block_bytes",
                _ => first.as_str(),
            };
            self.refuse(&[&first, second], error.to_string())
        })
    }

    fn check_ports(&self) -> Result<(), ConfigError> {
        if self.ports.status != self.ports.transactions || self.ports.status == 0 {
            return Ok(());
        }
        let problem = format!(
            "ports.status and ports.transactions are both {}; give them two different ports",
            self.ports.status
        );
        Err(self.refuse(&["ports.status", "ports.transactions"], problem))
    }

    /// A block's payments must be able to wait until there are enough of them, even if all are
    /// one account's.
    fn check_mempool(&self) -> Result<(), ConfigError> {
        let fewest = self.rules.min_block_transactions;
        let payments = usize::try_from(fewest - 1).unwrap_or(usize::MAX);
        let limits = &self.mempool;
        let needed = [
            ("max_payments", limits.max_payments, payments),
            ("max_per_account", limits.max_per_account, payments),
            ("max_bytes", limits.max_bytes, payments.saturating_mul(MAX_TRANSACTION_BYTES)),
        ];
        for (key, limit, needed) in needed {
            if limit < needed {
                let problem = format!(
                    "mempool.{key} is {limit}, and rules.min_block_transactions {fewest} may need \
                     {needed}; raise the one or lower the other"
                );
                let key = format!("mempool.{key}");
                return Err(self.refuse(&[&key, "rules.min_block_transactions"], problem));
            }
        }
        if limits.max_ahead > limits.max_per_account {
            let problem = format!(
                "mempool.max_ahead is {}, more than the {} of mempool.max_per_account that it is \
                 part of; lower the one or raise the other",
                limits.max_ahead, limits.max_per_account
            );
            return Err(self.refuse(&["mempool.max_ahead", "mempool.max_per_account"], problem));
        }
        Ok(())
    }

    fn check_links(&self) -> Result<(), ConfigError> {
        for peer in &self.links.peers {
            check_peer(peer).map_err(|problem| {
                self.refuse(&["network.peers"], format!("network.peers: {problem}"))
            })?;
        }
        Ok(())
    }

    /// An error that points at what was set last of these keys.
    fn refuse(&self, keys: &[&str], problem: String) -> ConfigError {
        let setting =
            self.settings.iter().rev().find(|setting| keys.contains(&setting.key.as_str()));
        let origin = setting.expect("the built-in values go together").origin.clone();
        ConfigError::new(origin, problem)
    }
}

/// Checks that a text names a node as HOST:PORT, and gives it back.
pub(crate) fn check_peer(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once(':');
    let host = parts.map_or("", |(host, _)| host);
    let port = parts.and_then(|(_, port)| port.parse::<u16>().ok()).unwrap_or(0);
    // An IPv6 address stands in brackets, or its last group would be taken for a port.
    let bare_ipv6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
    let plain = !host.is_empty() && !host.contains(char::is_whitespace);
    if plain && !bare_ipv6 && port > 0 {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "{text:?} does not name a node; write HOST:PORT with its blocks port, such as \
             192.168.1.7:2607"
        ))
    }
}
