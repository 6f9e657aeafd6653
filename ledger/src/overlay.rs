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
    /// Where the others are; nowhere, if all began with nothing.
    stored: Option<Tables<'c>>,
    accounts: BTreeMap<AccountId, Account>,
}

impl<'c> Overlay<'c> {
    /// The accounts as they are stored.
    pub(crate) fn new(tables: Tables<'c>) -> Self {
        Self { stored: Some(tables), accounts: BTreeMap::new() }
    }

    /// The accounts as they are before block 1, whatever is stored.
    pub(crate) fn from_genesis() -> Self {
        Self { stored: None, accounts: BTreeMap::new() }
    }

    /// An account, to be changed.
    pub(crate) fn account(&mut self, id: AccountId) -> Result<&mut Account, Fault> {
        use std::collections::btree_map::Entry;
        match self.accounts.entry(id) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let account = self.stored.map(|tables| tables.account(&id)).transpose()?;
                Ok(entry.insert(account.unwrap_or_default()))
            }
        }
    }

    /// Adds to a balance; false if it would leave [`Amount`].
    pub(crate) fn credit(&mut self, id: AccountId, amount: Amount) -> Result<bool, Fault> {
        let account = self.account(id)?;
        let sum = account.balance.checked_add(amount);
        account.balance = sum.unwrap_or(account.balance);
        Ok(sum.is_some())
    }

    /// All accounts that were looked at, as they would be.
    pub(crate) fn into_accounts(self) -> BTreeMap<AccountId, Account> {
        self.accounts
    }

    /// Stores the accounts, in the order of their keys, which is the order of their table. Returns
    /// which they are.
    pub(crate) fn write(self, tables: Tables<'_>) -> Result<BTreeSet<AccountId>, Fault> {
        for (id, account) in &self.accounts {
            tables.put_account(id, account)?;
        }
        Ok(self.accounts.into_keys().collect())
    }
}
