//! The table `accounts` beside what a replay of the blocks made, and the supply beside the reward
//! schedule.

use std::collections::BTreeMap;

use cairn_protocol::{AccountId, Amount, Network};

use crate::audit::{add, check_issued, supply_of};
use crate::error::Fault;
use crate::tables::{State, Tables};
use crate::types::Account;

/// Compares every account, in the order of the keys. Returns how many have a row.
///
/// The supply can differ only if the rules themselves make or lose coins, which a replay by the
/// same rules would not show.
pub(super) fn compare(
    tables: Tables<'_>,
    network: &Network,
    state: &State,
    replayed: BTreeMap<AccountId, Account>,
    compared: &mut dyn FnMut(u64),
) -> Result<u64, Fault> {
    let mut due = replayed.into_iter().filter(|(_, account)| *account != Account::default());
    let (mut rows, mut credited) = (0, Amount::ZERO);
    let walk = tables.each_account(|id, stored| {
        compare_one(due.next(), id, stored)?;
        credited = add(credited, stored.balance)?;
        rows += 1;
        compared(rows);
        Ok(())
    });
    walk.map_err(|fault| fault.at_row(|| format!("row {} of the table accounts", rows + 1)))?;
    if let Some((id, _)) = due.next() {
        return Err(missing(id));
    }
    check_issued(&supply_of(credited, tables, network, state)?)?;
    Ok(rows)
}

fn compare_one(
    due: Option<(AccountId, Account)>,
    id: AccountId,
    stored: Account,
) -> Result<(), Fault> {
    match due {
        Some((due_id, due)) if due_id == id && due == stored => Ok(()),
        Some((due_id, due)) if due_id == id => Err(Fault::Damage(format!(
            "account {id:?} has {} and sequence {} where its blocks leave it {} and sequence {}",
            stored.balance, stored.sequence, due.balance, due.sequence
        ))),
        Some((due_id, _)) if due_id < id => Err(missing(due_id)),
        _ => Err(Fault::Damage(format!("account {id:?} has a row, and no block gives it one"))),
    }
}

fn missing(id: AccountId) -> Fault {
    Fault::Damage(format!("account {id:?} is missing from the table accounts"))
}
