//! A network of its own for each test: rules that make blocks come fast, and ports that are free.

use std::net::{Ipv4Addr, UdpSocket};

use cairn_protocol::messages::{Announcement, Datagram};
use cairn_protocol::{Network, Rules};

use crate::home::Home;

/// Rules and UDP ports that the data directories of one test share. No two test networks hear
/// each other: they differ in name, and so in network id, and in ports.
#[derive(Clone, Debug)]
pub struct TestNetwork {
    rules: Rules,
    settings: Vec<String>,
    ports: Ports,
}

/// The UDP ports on which the nodes of a network hear each other.
#[derive(Clone, Copy, Debug)]
struct Ports {
    status: u16,
    transactions: u16,
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
        Self { rules, settings, ports: Ports::free() }
    }

    /// A network of fixed difficulty whose second and later blocks need a payment each: a miner
    /// mines as soon as there is one, and does nothing else. Blocks are so easy that a test makes
    /// them by hand ([`crate::Branch`]).
    pub fn on_demand() -> Self {
        Self::new().with_rules(|rules| {
            rules.difficulty = 8;
            rules.block_interval_seconds = 0;
            rules.min_block_transactions = 2;
            rules.min_block_wait_seconds = u32::MAX;
        })
    }

    /// [`Self::on_demand`] with blocks that take no work at all, for chains that are forged
    /// ([`Home::forge`]): miners show them to others, and do not mine on.
    pub fn forged() -> Self {
        Self::on_demand().with_rules(|rules| rules.difficulty = 0)
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
        Self { ports: Ports::free(), ..self.clone() }
    }

    /// The network that the programs take part in.
    pub fn network(&self) -> Network {
        Network::new(self.rules.clone()).expect("possible rules")
    }

    /// Says something to all nodes of the network, as any process of this machine can.
    pub fn broadcast(&self, announcement: Announcement) {
        let port = match announcement {
            Announcement::Transaction(_) => self.ports.transactions,
            Announcement::Status(_) | Announcement::Solicit { .. } => self.ports.status,
        };
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a free port");
        socket.set_broadcast(true).expect("a socket");
        let datagram = Datagram::new(self.network().id(), announcement).encode();
        socket.send_to(&datagram, ("127.255.255.255", port)).expect("sent");
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
            format!("ports.status={}", self.ports.status),
            format!("ports.transactions={}", self.ports.transactions),
        ];
        settings.extend(self.settings.iter().cloned());
        Home::new(self.network(), settings)
    }
}

impl Default for TestNetwork {
    fn default() -> Self {
        Self::new()
    }
}

impl Ports {
    /// Two that nobody uses now. Held at the same time, so that they differ.
    fn free() -> Self {
        let bind = |()| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let sockets = [(); 2].map(bind);
        let [status, transactions] =
            sockets.each_ref().map(|socket| socket.local_addr().expect("bound").port());
        Self { status, transactions }
    }
}

/// Four bytes that differ between processes and calls.
fn random() -> u32 {
    use std::hash::{BuildHasher, RandomState};
    // The standard library's hasher is keyed at random; its low half will do.
    let hash = RandomState::new().hash_one(());
    u32::try_from(hash & u64::from(u32::MAX)).expect("masked")
}
