//! Adding up all coins of a chain, which shows whether its accounts are what its blocks made them.

use cairn_protocol::{Amount, Network};

use crate::error::Fault;
use crate::tables::{ActiveBlock, State, Tables};
use crate::types::Supply;

/// Adds up all coins. Reads every account.
pub(crate) fn supply(
    tables: Tables<'_>,
    network: &Network,
    state: &State,
) -> Result<Supply, Fault> {
    let mut credited = Amount::ZERO;
    tables.each_account(|_, account| {
        credited = add(credited, account.balance)?;
        Ok(())
    })?;
    supply_of(credited, tables, network, state)
}

/// The supply, where the sum of all balances is known.
pub(crate) fn supply_of(
    credited: Amount,
    tables: Tables<'_>,
    network: &Network,
    state: &State,
) -> Result<Supply, Fault> {
    let blocks = uncredited(tables, network, state)?;
    let immature = blocks.iter().try_fold(Amount::ZERO, |sum, b| add(sum, b.reward.amount))?;
    Ok(Supply { credited, immature, issued: network.issued(state.tip.block.height) })
}

/// Checks that the accounts hold what was issued. A page that is damaged may hide an account
/// without any error, and no valid block may be condemned for that.
pub(crate) fn check_accounts(
    tables: Tables<'_>,
    network: &Network,
    state: &State,
) -> Result<(), Fault> {
    check_issued(&supply(tables, network, state)?)
}

/// Checks that no coin was made or lost.
pub(crate) fn check_issued(supply: &Supply) -> Result<(), Fault> {
    if supply.is_right() {
        Ok(())
    } else {
        Err(Fault::Damage(format!("its accounts do not hold what was issued: {supply:?}")))
    }
}

/// The active blocks whose rewards `reward_maturity` still holds back.
pub(crate) fn uncredited(
    tables: Tables<'_>,
    network: &Network,
    state: &State,
) -> Result<Vec<ActiveBlock>, Fault> {
    let maturity = u64::from(network.rules().reward_maturity);
    let last_credited = state.tip.block.height.checked_sub(maturity).unwrap_or_default();
    tables.active_above(last_credited, usize::MAX)
}

/// The sum of two amounts of coins that exist.
pub(crate) fn add(sum: Amount, amount: Amount) -> Result<Amount, Fault> {
    sum.checked_add(amount).ok_or_else(|| Fault::damage("its coins are more than can exist"))
}
