//! The table `accounts`: who has what after the last block of the active chain.

use cairn_protocol::{AccountId, Amount, Sequence};
use rusqlite::{Row, params};

use super::{Tables, check_sum, checksum, number, stored};
use crate::Account;
use crate::error::Fault;

impl Tables<'_> {
    /// What an account holds: nothing, if it has no row.
    ///
    /// A row whose key is damaged cannot be found, but it is still one of the two between which
    /// the search ends. So both are looked at before an account is believed to hold nothing; their
    /// checksums tell.
    pub(crate) fn account(self, id: &AccountId) -> Result<Account, Fault> {
        let sql = "SELECT * FROM (SELECT key, balance, sequence, sum FROM accounts \
                                  WHERE key >= ?1 ORDER BY key LIMIT 1) \
                   UNION ALL \
                   SELECT * FROM (SELECT key, balance, sequence, sum FROM accounts \
                                  WHERE key < ?1 ORDER BY key DESC LIMIT 1)";
        let mut statement = self.0.prepare_cached(sql)?;
        let mut nearest = statement.query([id.0])?;
        while let Some(row) = nearest.next()? {
            let (found, account) = read_account(row)?;
            if found == *id {
                return Ok(account);
            }
        }
        Ok(Account::default())
    }

    /// Replaces what an account holds. A row exists only while there is something to say.
    pub(crate) fn put_account(self, id: &AccountId, account: &Account) -> Result<(), Fault> {
        if *account == Account::default() {
            return self.run("DELETE FROM accounts WHERE key = ?1", [id.0]);
        }
        let sql = "INSERT OR REPLACE INTO accounts (key, balance, sequence, sum) \
                   VALUES (?1, ?2, ?3, ?4)";
        let params = params![
            id.0,
            stored(account.balance.micros()),
            stored(account.sequence.get()),
            checksum(&[&checked_content(id, account)]),
        ];
        self.run(sql, params)
    }

    /// Shows every account that has a row, in the order of their keys.
    pub(crate) fn each_account(
        self,
        mut show: impl FnMut(AccountId, Account) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let sql = "SELECT key, balance, sequence, sum FROM accounts ORDER BY key";
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, account) = read_account(row)?;
            show(id, account)?;
        }
        Ok(())
    }
}

fn checked_content(id: &AccountId, account: &Account) -> [u8; 48] {
    let mut content = [0; 48];
    content[..32].copy_from_slice(&id.0);
    content[32..40].copy_from_slice(&account.balance.micros().to_le_bytes());
    content[40..].copy_from_slice(&account.sequence.get().to_le_bytes());
    content
}

fn read_account(row: &Row<'_>) -> Result<(AccountId, Account), Fault> {
    let out_of_range = || Fault::damage("an account holds what cannot be");
    let id = AccountId(row.get(0)?);
    let balance = Amount::from_micros(number(row.get(1)?)?).ok_or_else(out_of_range)?;
    let sequence = Sequence::new(number(row.get(2)?)?).ok_or_else(out_of_range)?;
    let account = Account { balance, sequence };
    check_sum(&[&checked_content(&id, &account)], row.get(3)?, || format!("account {id:?}"))?;
    Ok((id, account))
}
