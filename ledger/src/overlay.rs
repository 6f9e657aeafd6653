//! [`Overlay`]: accounts as they would be, over those that are stored.

use std::collections::BTreeMap;

use cairn_protocol::{AccountId, Amount};

use crate::cache::AccountCache;
use crate::error::Fault;
use crate::tables::Tables;
use crate::types::Account;

/// Accounts that blocks were connected to or disconnected from, and that nobody else sees: they
/// are kept if all of the blocks are valid, and let go if not.
#[derive(Debug)]
pub(crate) struct Overlay<'c> {
    /// Where the others are; nowhere, if all began with nothing.
    before: Option<(&'c AccountCache, Tables<'c>)>,
    accounts: BTreeMap<AccountId, Account>,
}

impl<'c> Overlay<'c> {
    /// The accounts as they are in the cache, else in the table.
    pub(crate) fn new(cache: &'c AccountCache, tables: Tables<'c>) -> Self {
        Self { before: Some((cache, tables)), accounts: BTreeMap::new() }
    }

    /// The accounts as they are before block 1, whatever is stored.
    pub(crate) fn from_genesis() -> Self {
        Self { before: None, accounts: BTreeMap::new() }
    }

    /// An account, to be changed.
    pub(crate) fn account(&mut self, id: AccountId) -> Result<&mut Account, Fault> {
        use std::collections::btree_map::Entry;
        match self.accounts.entry(id) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let account = match self.before {
                    None => Account::default(),
                    Some((cache, tables)) => cache.account(&id, tables)?,
                };
                Ok(entry.insert(account))
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
}
