//! [`AccountCache`]: accounts as the connected blocks leave them, between the blocks and the table.

use std::collections::BTreeMap;

use cairn_protocol::AccountId;

use crate::error::Fault;
use crate::tables::Tables;
use crate::types::Account;

/// So many accounts that were used last are remembered, and up to twice as many: about 100 bytes
/// each.
const REMEMBERED: usize = 32_768;

/// What the writer knows of accounts without asking its table.
///
/// Those that are not yet written stay until [`Self::write`], so each is written once, however many
/// blocks touched it. The others make room for newer ones.
#[derive(Debug, Default)]
pub(crate) struct AccountCache {
    unwritten: BTreeMap<AccountId, Account>,
    /// The table has these; `former` are those of the time before.
    recent: BTreeMap<AccountId, Account>,
    former: BTreeMap<AccountId, Account>,
}

impl AccountCache {
    /// What an account holds, as it is known here or else in the table.
    pub(crate) fn account(&self, id: &AccountId, tables: Tables<'_>) -> Result<Account, Fault> {
        let layers = [&self.unwritten, &self.recent, &self.former];
        let known = layers.into_iter().find_map(|layer| layer.get(id));
        known.map_or_else(|| tables.account(id), |account| Ok(*account))
    }

    /// Remembers what accounts hold, to be written later.
    pub(crate) fn put(&mut self, accounts: BTreeMap<AccountId, Account>) {
        self.unwritten.extend(accounts);
    }

    /// How many accounts are not yet written.
    pub(crate) fn unwritten(&self) -> usize {
        self.unwritten.len()
    }

    /// Writes what is not, in the order of the keys, which is the order of the table.
    pub(crate) fn write(&mut self, tables: Tables<'_>) -> Result<(), Fault> {
        for (id, account) in &self.unwritten {
            tables.put_account(id, account)?;
        }
        // Not `append`, which takes as long as both together.
        self.recent.extend(std::mem::take(&mut self.unwritten));
        if self.recent.len() >= REMEMBERED {
            self.former = std::mem::take(&mut self.recent);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use cairn_protocol::{Amount, Network, Rules, Sequence};

    use super::*;
    use crate::place::Place;
    use crate::store::Store;

    fn id(number: usize) -> AccountId {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_le_bytes());
        AccountId(key)
    }

    fn account(micros: usize) -> Account {
        let balance = Amount::from_micros(micros as u64).expect("small");
        Account { balance, sequence: Sequence::FIRST }
    }

    fn store(name: &str) -> Store {
        let network = Network::new(Rules::default()).expect("the defaults are valid");
        Store::open_writer(Place::Memory(name.into()), &network).expect("memory").0
    }

    /// Puts accounts into the cache, one by one, and writes each.
    fn write_each(cache: &mut AccountCache, tables: Tables<'_>, ids: std::ops::Range<usize>) {
        for number in ids {
            cache.put([(id(number), account(number + 1))].into());
            cache.write(tables).expect("memory");
        }
    }

    #[test]
    fn what_is_remembered_has_a_limit_and_nothing_is_lost_by_it() {
        let mut store = store("/cairn-test-cache");
        let done = store.write(|tables| {
            let mut cache = AccountCache::default();
            let all = 3 * REMEMBERED + 7;
            write_each(&mut cache, tables, 0..all);
            assert_eq!(cache.recent.len() + cache.former.len(), REMEMBERED + 7);
            for number in [0, REMEMBERED, all - 1] {
                assert_eq!(cache.account(&id(number), tables)?, account(number + 1));
            }
            Ok(())
        });
        done.expect("memory");
    }

    #[test]
    fn the_newest_value_counts_and_what_is_unwritten_is_not_in_the_table() {
        let mut store = store("/cairn-test-cache-order");
        let done = store.write(|tables| {
            let mut cache = AccountCache::default();
            write_each(&mut cache, tables, 0..1);
            cache.put([(id(0), account(9))].into());
            assert_eq!(cache.unwritten(), 1);
            assert_eq!(cache.account(&id(0), tables)?, account(9));
            assert_eq!(tables.account(&id(0))?, account(1));
            cache.write(tables)?;
            assert_eq!(cache.unwritten(), 0);
            assert_eq!(tables.account(&id(0))?, account(9));
            Ok(())
        });
        done.expect("memory");
    }
}
