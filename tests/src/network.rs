//! A network of its own for each test: rules that make blocks come fast, and ports that are free.

use std::net::{Ipv4Addr, UdpSocket};

use cairn_protocol::{Network, Rules};

use crate::home::Home;

/// Rules and UDP ports that the data directories of one test share. No two test networks hear
/// each other: they differ in name, and so in network id, and in ports.
#[derive(Clone, Debug)]
pub struct TestNetwork {
    rules: Rules,
    settings: Vec<String>,
}

impl TestNetwork {
    /// A network that settles at about one block a second, whatever the machine does.
    pub fn new() -> Self {
        let rules = Rules {
            name: format!("test{:08x}", random()).parse().expect("a name"),
            difficulty: 10,
            block_interval_seconds: 1,
            half_life_seconds: 2,
            ..Rules::default()
        };
        let settings =
            ["intervals.status_seconds=1", "intervals.transaction_seconds=1", "ports.blocks=0"];
        let settings = settings.map(str::to_owned).to_vec();
        Self { rules, settings }.on_other_ports()
    }

    /// A network with other rules, and the same otherwise.
    #[must_use]
    pub fn with_rules(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(&mut self.rules);
        self
    }

    /// The same network with another setting, as `--set` takes it.
    #[must_use]
    pub fn with(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// The same network with a key left at its built-in value.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.settings.retain(|setting| !setting.starts_with(&format!("{key}=")));
        self
    }

    /// The same network on other UDP ports: a part that only static peers connect with the rest.
    #[must_use]
    pub fn on_other_ports(&self) -> Self {
        let [status, transactions] = free_udp_ports();
        self.clone()
            .with(&format!("ports.status={status}"))
            .with(&format!("ports.transactions={transactions}"))
    }

    /// A new data directory for programs of this network.
    pub fn home(&self) -> Home {
        let rules = &self.rules;
        let mut settings = vec![
            format!("rules.name={:?}", rules.name.as_str()),
            format!("rules.difficulty={}", rules.difficulty),
            format!("rules.block_interval_seconds={}", rules.block_interval_seconds),
            format!("rules.half_life_seconds={}", rules.half_life_seconds),
            format!("rules.min_block_transactions={}", rules.min_block_transactions),
            format!("rules.min_block_wait_seconds={}", rules.min_block_wait_seconds),
            format!("rules.block_reward=\"{}\"", rules.block_reward),
            format!("rules.reward_maturity={}", rules.reward_maturity),
            format!("rules.max_block_bytes={}", rules.max_block_bytes),
        ];
        settings.extend(self.settings.iter().cloned());
        Home::new(Network::new(rules.clone()).expect("possible rules"), settings)
    }
}

impl Default for TestNetwork {
    fn default() -> Self {
        Self::new()
    }
}

/// Two UDP ports that nobody uses now. Held at the same time, so that they differ.
fn free_udp_ports() -> [u16; 2] {
    let sockets = [(); 2].map(|()| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"));
    sockets.map(|socket| socket.local_addr().expect("bound").port())
}

/// Four bytes that differ between processes and calls.
fn random() -> u32 {
    use std::hash::{BuildHasher, RandomState};
    // The standard library's hasher is keyed at random; its low half will do.
    let hash = RandomState::new().hash_one(());
    u32::try_from(hash & u64::from(u32::MAX)).expect("masked")
}
