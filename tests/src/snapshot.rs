//! What several data directories agree on.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::home::{Home, micros, text};
use crate::wait::wait_for;

/// A tip, and the accounts of all local keys as of that tip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The tip's height.
    pub height: u64,
    /// The tip's hash.
    pub tip: String,
    /// By address: the balance and the rewards not yet credited, in micro-coins.
    pub accounts: BTreeMap<String, (u64, u64)>,
}

impl Snapshot {
    /// Waits until all these data directories hold the same tip.
    ///
    /// # Panics
    /// If they hold the same tip and do not agree on an account.
    pub fn of(homes: &[&Home]) -> Self {
        wait_for("the same tip everywhere", || {
            let lists: Vec<Value> = std::thread::scope(|scope| {
                let queries = homes.iter().map(|home| scope.spawn(|| home.list()));
                let queries: Vec<_> = queries.collect();
                queries.into_iter().map(|query| query.join().expect("a list")).collect()
            });
            let same = lists.iter().all(|list| list["tip"] == lists[0]["tip"]);
            same.then(|| Self::merged(&lists))
        })
    }

    fn merged(lists: &[Value]) -> Self {
        let mut accounts = BTreeMap::new();
        let entries = lists.iter().flat_map(|list| list["addresses"].as_array().expect("a list"));
        for entry in entries {
            let state = (micros(&entry["balance"]), micros(&entry["immature"]));
            let known = accounts.entry(text(&entry["address"])).or_insert(state);
            assert_eq!(*known, state, "two nodes differ about {}", entry["address"]);
        }
        let height = lists[0]["height"].as_u64().expect("a height");
        Self { height, tip: text(&lists[0]["tip"]), accounts }
    }

    /// All that these accounts own together, in micro-coins.
    pub fn supply(&self) -> u64 {
        self.accounts.values().map(|(balance, immature)| balance + immature).sum()
    }

    /// The balance of an address, in micro-coins.
    pub fn balance(&self, address: &str) -> u64 {
        self.accounts[address].0
    }
}
