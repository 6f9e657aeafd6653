//! From a command line to a miner at work.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cairn_home::{
    Config, DataDir, Exit, Failure, KeyStore, MempoolFile, MinerLock, Output, Party, Repeater,
};
use cairn_ledger::Ledger;
use cairn_network::{Handle, Running};
use cairn_pow::Kernel;
use cairn_protocol::{Address, Network, NetworkName};

use crate::chain;
use crate::cli::Arguments;
use crate::engine::Engine;
use crate::events::Event;
use crate::foreman::Foreman;
use crate::outbox::OutboxThread;
use crate::threads::Threads;

/// The key that is created where none is named.
const DEFAULT_KEY: &str = "mining-rewards";
/// A miner at work. Its parts end with it; [`Miner::stop`] ends them in order.
pub(crate) struct Miner {
    pub(crate) node: Running,
    pub(crate) engine: Arc<Engine>,
    pub(crate) threads: Threads,
    network: Network,
    data_dir: PathBuf,
    reward_address: Address,
    outbox: OutboxThread,
    mempool: MempoolFile,
    output: Output,
    lock: MinerLock,
}

impl Miner {
    /// Takes the data directory, opens the chain, joins the network and starts to mine.
    ///
    /// # Errors
    /// [`Failure`] if configuration, reward key, data directory, chain or ports cannot be used.
    pub(crate) async fn start(arguments: &Arguments, output: Output) -> Result<Self, Failure> {
        let config = Config::load(&arguments.common)?.with_network_args(&arguments.network);
        let data_dir = DataDir::resolve(&arguments.common)?;
        let network = config.network().clone();
        let reward_to = arguments.reward_to.as_ref().unwrap_or(&config.miner.reward_to);
        let reward = reward_party(reward_to, &data_dir.keys(), &network.rules().name, output)?;
        let folder = data_dir.create_network_folder(&network)?;
        let mempool = MempoolFile::new(&folder, network.id(), &config.mempool);
        let (lock, ledger) = take_chain(folder.clone(), network.clone()).await?;

        let (recipient, port) = (reward.account(), config.ports.blocks_port());
        let settings = config.network_settings(Some(recipient), port);
        let node = Running::resume(ledger, settings, mempool.restore(output)).await?;
        if let Some(blocks) = arguments.blocks {
            node.handle().mine_at_most(blocks);
        }
        let configured = arguments.threads.unwrap_or(config.miner.threads);
        let threads = Threads::of_this_machine(configured);
        let foreman = Arc::new(Foreman::new(network.clone(), node.handle()));
        let receiving = Arc::clone(&foreman);
        let found = move |found| receiving.deliver(found);
        let engine = Engine::start(threads.number(), Kernel::fastest, found)
            .map_err(|error| threads.refused(&error))?;
        tracing::info!("searching with the kernel {}", Kernel::fastest().method());
        let engine = Arc::new(engine);
        let assigning = Arc::clone(&engine);
        node.direct(move |work| foreman.assign(&assigning, work));
        let repeater = Repeater::new(folder, config.intervals.transaction);
        Ok(Self {
            outbox: OutboxThread::start(repeater, network.clone(), node.handle()),
            node,
            engine,
            threads,
            network,
            data_dir: absolute(data_dir.path()),
            reward_address: reward.address,
            mempool,
            output,
            lock,
        })
    }

    /// The node.
    pub(crate) fn handle(&self) -> Handle {
        self.node.handle()
    }

    /// What there is to say at the start.
    pub(crate) fn started(&self) -> Event {
        let ports = self.node.ports();
        let tip = self.handle().tip().block;
        Event::Started {
            network: self.network.rules().name.clone(),
            data_dir: self.data_dir.display().to_string(),
            status_port: ports.status,
            blocks_port: ports.blocks,
            transactions_port: ports.transactions,
            height: tip.height,
            tip: tip.hash,
            reward_address: self.reward_address.clone(),
        }
    }

    /// Ends everything, the data directory's lock last. Takes well below a second.
    pub(crate) async fn stop(self) {
        self.engine.stop();
        drop(self.outbox);
        let (mempool, output) = (self.mempool, self.output);
        let stopping = self.node.stop_saving(move |waiting| mempool.keep(&waiting, output));
        // What hangs longer (a disk that does not answer) ends with the process.
        if tokio::time::timeout(Duration::from_millis(600), stopping).await.is_err() {
            tracing::warn!("the node did not stop in time");
        }
        drop(self.lock);
    }
}

/// The account that `text` names; the default key is created on the first run.
fn reward_party(
    text: &str,
    keys: &KeyStore,
    network: &NetworkName,
    output: Output,
) -> Result<Party, Failure> {
    if text == DEFAULT_KEY {
        let name = text.parse()?;
        let (_, created) = keys.load_or_create(&name)?;
        if created {
            let message = format!(
                "created the key {name} in {}; whoever has this file has its coins",
                keys.file(&name).display()
            );
            output.note("key_created", &message);
        }
    }
    Party::resolve(text, keys, network)
}

/// Waits, on a thread that may wait, for the right to mine here and to write the chain.
async fn take_chain(folder: PathBuf, network: Network) -> Result<(MinerLock, Ledger), Failure> {
    let take = move || chain::take(&folder, || Ledger::open(&folder, &network));
    tokio::task::spawn_blocking(take).await.unwrap_or_else(|error| {
        Err(Failure::new(Exit::Unexpected, "panic", format!("opening the chain: {error}")))
    })
}

/// The path as it is found from anywhere.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_home::CommonArgs;

    fn resolve(text: &str, folder: &Path) -> Result<Party, Failure> {
        let keys = KeyStore::new(folder.join("keys"));
        let name = "cairn".parse().expect("a name");
        let quiet = CommonArgs { quiet: true, ..CommonArgs::default() };
        reward_party(text, &keys, &name, Output::new(&quiet))
    }

    #[test]
    fn only_the_default_key_is_created() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = resolve(DEFAULT_KEY, folder.path()).expect("created");
        let again = resolve(DEFAULT_KEY, folder.path()).expect("loaded");
        assert_eq!(first, again);
        let unknown = resolve("alice", folder.path()).expect_err("no such key");
        assert_eq!(unknown.exit(), Exit::BadInput);
        let address = resolve(&first.address.to_string(), folder.path()).expect("an address");
        assert_eq!((address.name.is_none(), address.account()), (true, first.account()));
    }
}
