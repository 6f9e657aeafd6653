//! What the tests of whole nodes share: nodes on loopback, each with a chain of its own, and a
//! hand-made peer.

pub(crate) mod chain;
pub(crate) mod wire;

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use cairn_ledger::Ledger;
use cairn_network::{BlocksPort, Handle, Running, Settings, Told, Work};
use cairn_node::{Event, MempoolLimits, Template};
use cairn_protocol::{AccountId, Network, Proof, Rules, SecretKey};
use tempfile::TempDir;

/// The longest that anything in these tests may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A network whose blocks are found at once.
pub(crate) fn network() -> Network {
    let rules = Rules { difficulty: 2, block_interval_seconds: 0, ..Rules::default() };
    Network::new(rules).expect("possible")
}

pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

/// A UDP port that nobody uses.
pub(crate) fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.255.255.255:0").expect("a free port");
    socket.local_addr().expect("bound").port()
}

/// Where a group of nodes meets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) status_port: u16,
    pub(crate) transactions_port: u16,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { status_port: free_port(), transactions_port: free_port() }
    }

    pub(crate) fn settings(self) -> Settings {
        Settings {
            status_port: self.status_port,
            blocks_port: BlocksPort::Exactly(0),
            transactions_port: self.transactions_port,
            lan: false,
            peers: Vec::new(),
            status_interval: Duration::from_millis(300),
            mempool: MempoolLimits::default(),
            reward_to: None,
        }
    }
}

/// Settings of a node that hears nobody by broadcast.
pub(crate) fn deaf() -> Settings {
    Place { status_port: 0, transactions_port: 0 }.settings()
}

/// A running node and its chain's folder.
pub(crate) struct TestNode {
    pub(crate) running: Running,
    pub(crate) handle: Handle,
    pub(crate) folder: TempDir,
}

impl TestNode {
    pub(crate) async fn start(network: &Network, settings: Settings) -> Self {
        Self::start_in(TempDir::new().expect("a folder"), network, settings).await
    }

    pub(crate) async fn start_in(folder: TempDir, network: &Network, settings: Settings) -> Self {
        let ledger = open(folder.path(), network);
        let running = Running::start(ledger, settings).await.expect("starts");
        let handle = running.handle();
        Self { running, handle, folder }
    }

    /// Where its block server is.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.running.ports().blocks))
    }

    pub(crate) fn height(&self) -> u64 {
        self.handle.tip().block.height.get()
    }

    /// Finds blocks until the tip has this height.
    pub(crate) async fn mine_to(&mut self, network: &Network, height: u64) {
        let mut work = self.running.work();
        let started = Instant::now();
        while self.height() < height {
            assert!(started.elapsed() < PATIENCE, "at {} of {height}", self.height());
            let template = match &*work.borrow_and_update() {
                Work::Mine(template) => Some(template.clone()),
                Work::Rest(_) => None,
            };
            if let Some(template) = template {
                let before = self.height();
                self.handle.mined(template.seal(search(&template), network).expect("proven"));
                let handle = self.handle.clone();
                eventually("the block is the tip", || handle.tip().block.height.get() > before)
                    .await;
            }
            let _ = tokio::time::timeout(Duration::from_millis(50), work.changed()).await;
        }
    }

    /// The next event that `choose` names.
    pub(crate) async fn event<T>(&mut self, choose: impl Fn(&Told) -> Option<T>) -> T {
        let search = async {
            loop {
                let told = self.running.next_event().await.expect("the node runs");
                if let Some(found) = choose(&told) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.expect("the event comes in time")
    }

    /// The message of the next warning with this code.
    pub(crate) async fn warning(&mut self, wanted: &str) -> String {
        self.event(|told| match &told.event {
            Event::Warning { code, message } if *code == wanted => Some(message.clone()),
            _ => None,
        })
        .await
    }
}

pub(crate) fn open(folder: &Path, network: &Network) -> Ledger {
    Ledger::open(folder, network).expect("a chain")
}

/// The first proof for a template.
pub(crate) fn search(template: &Template) -> Proof {
    let header = template.header();
    let digest = header.digest();
    (0..u32::MAX)
        .map(|nonce| Proof { salt: [1; 16], nonce })
        .find(|proof| header.target.is_met_by(&proof.hash(&digest)))
        .expect("it is easy")
}

/// Waits until something is true.
pub(crate) async fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_true() {
        assert!(started.elapsed() < PATIENCE, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until a node has this one's tip.
pub(crate) async fn same_tip(nodes: &[&TestNode]) {
    eventually("all have one tip", || {
        let mut tips = nodes.iter().map(|node| node.handle.tip().block);
        let first = tips.next();
        tips.all(|tip| Some(tip) == first)
    })
    .await;
}

pub(crate) fn miner(settings: Settings, seed: u8) -> Settings {
    Settings { reward_to: Some(account(seed)), ..settings }
}

pub(crate) fn account(seed: u8) -> AccountId {
    key(seed).account()
}
