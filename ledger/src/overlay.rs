//! [`Overlay`]: accounts as they would be, over those that are stored.

use std::collections::{BTreeMap, BTreeSet};

use cairn_protocol::{AccountId, Amount};

use crate::error::Fault;
use crate::tables::Tables;
use crate::types::Account;

/// Accounts that blocks were connected to or disconnected from, and that nobody else sees until
/// they are written: once each, however many blocks touched them.
#[derive(Debug)]
pub(crate) struct Overlay<'c> {
    tables: Tables<'c>,
    accounts: BTreeMap<AccountId, Account>,
}

impl<'c> Overlay<'c> {
    /// The accounts as they are stored.
    pub(crate) fn new(tables: Tables<'c>) -> Self {
        Self { tables, accounts: BTreeMap::new() }
    }

    /// An account, to be changed.
    pub(crate) fn account(&mut self, id: AccountId) -> Result<&mut Account, Fault> {
        use std::collections::btree_map::Entry;
        match self.accounts.entry(id) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => Ok(entry.insert(self.tables.account(&id)?)),
        }
    }

    /// Adds to a balance; false if it would leave [`Amount`].
    pub(crate) fn credit(&mut self, id: AccountId, amount: Amount) -> Result<bool, Fault> {
        let account = self.account(id)?;
        let sum = account.balance.checked_add(amount);
        account.balance = sum.unwrap_or(account.balance);
        Ok(sum.is_some())
    }

    /// Stores the accounts, in the order of their keys, which is the order of their table. Returns
    /// which they are.
    pub(crate) fn write(self) -> Result<BTreeSet<AccountId>, Fault> {
        for (id, account) in &self.accounts {
            self.tables.put_account(id, account)?;
        }
        Ok(self.accounts.into_keys().collect())
    }
}
