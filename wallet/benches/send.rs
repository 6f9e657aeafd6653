//! `wallet send` as a whole process, from its start to its end, while a `wallet sync` downloads a
//! long chain into the same data directory and uses all cores for it. The baseline is the same
//! command once the download is done. `CAIRN_BLOCKS` asks for a shorter chain.

#![expect(clippy::print_stdout, reason = "results are for reading")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cairn_forge::{Chain, NAME, Recipe, batches};
use cairn_home::{CommonArgs, DataDir, KeyName};
use cairn_ledger::{Ledger, LedgerReader};
use cairn_network::{BlocksPort, Running, Settings};
use cairn_node::MempoolLimits;
use cairn_protocol::Network;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// A million payments; the first block has none.
const BLOCKS: u32 = 2_001;
const PAYMENTS: u32 = 500;
/// Those who pay take turns, as each may have but a few payments that wait.
const PAYERS: usize = 100;
/// Payments after the download.
const QUIET: usize = 101;

fn main() {
    let asked = std::env::var("CAIRN_BLOCKS").map_or(Ok(BLOCKS), |text| text.parse());
    let blocks = asked.expect("CAIRN_BLOCKS is a number");
    let recipe = Recipe { blocks, payments: PAYMENTS, accounts: 1_000, ..Recipe::default() };
    let network = cairn_forge::network(0);
    let source = Source::start(&network, &recipe);
    let home = Home::new(&network, &recipe);
    let sync = home.sync(source.port);
    let mut turn = 0;
    let mut pay = || {
        turn += 1;
        home.send(turn % PAYERS)
    };
    while home.height() < 100 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let (mut busy, begin) = (Vec::new(), Instant::now());
    while home.height() < u64::from(blocks) {
        busy.push(pay());
    }
    let download = begin.elapsed();
    let quiet: Vec<_> = (0..QUIET).map(|_| pay()).collect();
    drop(sync);
    let (busy, quiet) = (Times::of(busy), Times::of(quiet));
    println!("wallet send during a download of {:.1} s: {busy}", download.as_secs_f64());
    println!("after it: {quiet}; {:.2} times that at the 95th percentile", busy.p95 / quiet.p95);
}

/// A node that has the chain, on threads of this process.
struct Source {
    port: u16,
    _running: Running,
    _runtime: Runtime,
    _folder: TempDir,
}

impl Source {
    fn start(network: &Network, recipe: &Recipe) -> Self {
        let folder = TempDir::new().expect("a folder");
        let mut ledger = Ledger::open(folder.path(), network).expect("a disk");
        for blocks in batches(Chain::new(network, recipe).expect("possible")) {
            ledger.add_blocks(&blocks, recipe.end()).expect("a disk");
        }
        let settings = Settings {
            status_port: 0,
            blocks_port: BlocksPort::Exactly(0),
            transactions_port: 0,
            lan: false,
            peers: Vec::new(),
            status_interval: Duration::from_secs(5),
            mempool: MempoolLimits::default(),
            reward_to: None,
        };
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let running = runtime.block_on(Running::start(ledger, settings)).expect("it starts");
        let port = running.ports().blocks;
        Self { port, _running: running, _runtime: runtime, _folder: folder }
    }
}

/// The data directory that the chain is downloaded into, with the keys of those who pay.
struct Home<'n> {
    folder: TempDir,
    network: &'n Network,
}

impl<'n> Home<'n> {
    fn new(network: &'n Network, recipe: &Recipe) -> Self {
        let home = Self { folder: TempDir::new().expect("a folder"), network };
        for (number, key) in recipe.keys().iter().take(PAYERS).enumerate() {
            home.data_dir().keys().add(&name(number), key).expect("new");
        }
        home
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn data_dir(&self) -> DataDir {
        let args = CommonArgs { data_dir: Some(self.path().into()), ..CommonArgs::default() };
        DataDir::resolve(&args).expect("named")
    }

    /// How far the download is.
    fn height(&self) -> u64 {
        let folder = self.data_dir().network_folder(self.network);
        let reader = LedgerReader::open(&folder, self.network);
        reader.and_then(|reader| reader.tip()).map_or(0, |tip| tip.block.height.get())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wallet"));
        command.current_dir(self.path()).env_remove("CAIRN_CONFIG").env("HOME", self.path());
        command.env("XDG_CONFIG_HOME", self.path()).arg("--data-dir").arg(self.path());
        let name = format!("rules.name={NAME}");
        let settings = [&name, "rules.difficulty=0", "rules.block_interval_seconds=0"];
        for setting in settings.into_iter().chain(["ports.status=0", "ports.transactions=0"]) {
            command.args(["--set", setting]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn sync(&self, port: u16) -> Sync {
        let mut command = self.command();
        command.args(["sync", "--peer", &format!("127.0.0.1:{port}")]);
        Sync(command.spawn().expect("it starts"))
    }

    fn send(&self, from: usize) -> Duration {
        let (from, to) = (name(from).to_string(), name((from + 1) % PAYERS).to_string());
        let mut command = self.command();
        command.args(["send", &from, "0.000001", &to]);
        let begin = Instant::now();
        let status = command.status().expect("it runs");
        let took = begin.elapsed();
        assert!(status.success(), "{status}");
        took
    }
}

fn name(number: usize) -> KeyName {
    format!("account-{number}").parse().expect("plain")
}

/// A `wallet sync`, which ends with this.
struct Sync(Child);

impl Drop for Sync {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Milliseconds.
struct Times {
    number: usize,
    p50: f64,
    p95: f64,
    most: f64,
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
        Self { number: times.len(), p50: at(50), p95: at(95), most: at(100) }
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { number, p50, p95, most } = self;
        write!(f, "{number} payments, p50 {p50:.1} ms, p95 {p95:.1} ms, max {most:.1} ms")
    }
}
