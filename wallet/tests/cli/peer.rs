//! Another node in the test's own process, reached by a link only.

use std::path::Path;

use cairn_home::Config;
use cairn_ledger::Ledger;
use cairn_network::{BlocksPort, Running, Work};
use cairn_protocol::{AccountId, Proof};
use tokio::runtime::Runtime;

use crate::chain;
use crate::home::{SETTINGS, wait_for};

pub(crate) struct Peer {
    running: Running,
    // Dropped last: the node needs it.
    _runtime: Runtime,
}

impl Peer {
    /// A node with this chain, whose blocks pay this account.
    pub(crate) fn start(ledger: Ledger, reward_to: AccountId) -> Self {
        let config = Config::parse(&SETTINGS.join("\n"), Path::new("settings")).expect("possible");
        let settings = config.network_settings(Some(reward_to), BlocksPort::Exactly(0));
        let runtime = Runtime::new().expect("threads");
        let running = runtime.block_on(Running::start(ledger, settings)).expect("free ports");
        Self { running, _runtime: runtime }
    }

    /// What `--peer` takes.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.running.ports().blocks)
    }

    /// Waits until so many payments wait for a block here.
    pub(crate) fn wait_for_payments(&self, payments: usize) {
        wait_for("payments", || {
            (self.running.handle().counters().mempool == payments).then_some(())
        });
    }

    /// Adds a block with all that waits for one.
    pub(crate) fn mine(&self, transactions: usize) {
        let work = self.running.work();
        let template = wait_for("work", || match &*work.borrow() {
            Work::Mine(template) if template.transaction_count() == transactions => {
                Some(template.clone())
            }
            _ => None,
        });
        let block = template.seal(Proof::default(), &chain::network()).expect("any hash will do");
        self.running.handle().mined(block);
    }
}
