//! Connecting a block to the accounts, and disconnecting it: exact inverses, so that no undo data
//! has to be stored.

use cairn_protocol::{AccountId, Amount, Block, Height, Payment, Reward, Rules, VerifiedBlock};

use crate::context::{ContextError, Stop};
use crate::error::Fault;
use crate::overlay::Overlay;

/// A block's content, as it was just given or as it is stored. Only verified blocks are stored,
/// under a checksum, so both are semantically valid.
#[derive(Debug)]
pub(crate) enum Body<'g> {
    Given(&'g VerifiedBlock),
    Stored(Box<Block>),
}

impl Body<'_> {
    pub(crate) fn reward(&self) -> &Reward {
        match self {
            Self::Given(block) => block.reward(),
            Self::Stored(block) => &block.reward,
        }
    }

    fn payment_count(&self) -> usize {
        match self {
            Self::Given(block) => block.payments().len(),
            Self::Stored(block) => block.payments.len(),
        }
    }

    fn payments(&self) -> impl DoubleEndedIterator<Item = &Payment> {
        (0..self.payment_count()).map(|index| match self {
            Self::Given(block) => block.payments()[index].payment(),
            Self::Stored(block) => &block.payments[index].payment,
        })
    }
}

/// The block whose reward is credited by connecting the one at this height, if there is one.
pub(crate) fn matured_height(rules: &Rules, height: Height) -> Option<Height> {
    height.checked_sub(rules.reward_maturity.into()).filter(|matured| *matured > Height::GENESIS)
}

/// Checks that a block has the fewest transactions (rule C6), applies its payments in order, then
/// credits the reward that its height makes mature (rules C7 to C9).
pub(crate) fn connect(
    accounts: &mut Overlay<'_>,
    body: &Body<'_>,
    fewest: u32,
    matured: Option<&Reward>,
) -> Result<(), Stop> {
    let given = 1 + body.payment_count();
    if (given as u64) < u64::from(fewest) {
        return Err(ContextError::TooFewTransactions { given, fewest }.into());
    }
    for (index, payment) in body.payments().enumerate() {
        pay(accounts, index, payment)?;
    }
    match matured {
        Some(reward) => credit(accounts, reward.recipient, reward.amount),
        None => Ok(()),
    }
}

fn pay(accounts: &mut Overlay<'_>, index: usize, payment: &Payment) -> Result<(), Stop> {
    let cost = cost(payment)?;
    let sender = accounts.account(payment.sender)?;
    let (given, expected) = (payment.sequence, sender.sequence);
    if given != expected {
        return Err(ContextError::Sequence { index, given, expected }.into());
    }
    let balance = sender.balance;
    sender.balance = balance.checked_sub(cost).ok_or(ContextError::InsufficientFunds {
        index,
        cost,
        balance,
    })?;
    sender.sequence = sender.sequence.next();
    // Only now the credit: whoever pays himself must have had the amount, and loses the fee.
    credit(accounts, payment.recipient, payment.amount)
}

fn credit(accounts: &mut Overlay<'_>, recipient: AccountId, amount: Amount) -> Result<(), Stop> {
    if accounts.credit(recipient, amount)? {
        Ok(())
    } else {
        Err(ContextError::BalanceTooLarge.into())
    }
}

/// Undoes [`connect`], step by step in reverse order.
pub(crate) fn disconnect(
    accounts: &mut Overlay<'_>,
    body: &Body<'_>,
    matured: Option<&Reward>,
) -> Result<(), Fault> {
    if let Some(reward) = matured {
        debit(accounts, reward.recipient, reward.amount)?;
    }
    body.payments().rev().try_for_each(|payment| unpay(accounts, payment))
}

fn unpay(accounts: &mut Overlay<'_>, payment: &Payment) -> Result<(), Fault> {
    debit(accounts, payment.recipient, payment.amount)?;
    let sender = accounts.account(payment.sender)?;
    let before = sender.balance.checked_add(cost(payment)?).zip(sender.sequence.checked_sub(1));
    let Some((balance, sequence)) = before.filter(|(_, sequence)| *sequence == payment.sequence)
    else {
        return Err(cannot_undo(payment.sender));
    };
    (sender.balance, sender.sequence) = (balance, sequence);
    Ok(())
}

fn debit(accounts: &mut Overlay<'_>, id: AccountId, amount: Amount) -> Result<(), Fault> {
    let account = accounts.account(id)?;
    account.balance = account.balance.checked_sub(amount).ok_or_else(|| cannot_undo(id))?;
    Ok(())
}

/// Whatever was connected can be disconnected, unless what is stored changed in between.
fn cannot_undo(id: AccountId) -> Fault {
    Fault::Damage(format!("account {id:?} does not hold what its last payments left it"))
}

fn cost(payment: &Payment) -> Result<Amount, Fault> {
    payment.cost().ok_or_else(|| Fault::damage("a stored payment costs more than can exist"))
}

#[cfg(test)]
mod tests {
    use cairn_protocol::{Memo, Network, Rules, Sequence};

    use super::*;
    use crate::cache::AccountCache;
    use crate::place::Place;
    use crate::store::Store;
    use crate::types::Account;

    /// Runs a test on accounts of which the first has the most that can exist.
    fn with_a_rich_account(name: &str, test: impl FnOnce(&mut Overlay<'_>)) {
        let network = Network::new(Rules::default()).expect("the defaults are valid");
        let place = Place::Memory(format!("/cairn-test-{name}").into());
        let (store, ..) = Store::open_writer(place, &network).expect("memory");
        let done = store.read(|tables| {
            let cache = AccountCache::default();
            let mut accounts = Overlay::new(&cache, tables);
            accounts.account(id(1))?.balance = Amount::MAX;
            test(&mut accounts);
            Ok(())
        });
        done.expect("memory");
    }

    fn id(number: u8) -> AccountId {
        AccountId([number; 32])
    }

    fn payment(amount: u64, sequence: u32) -> Payment {
        let micros = |micros| Amount::from_micros(micros).expect("an amount");
        Payment {
            sender: id(2),
            recipient: id(1),
            amount: micros(amount),
            fee: micros(1),
            sequence: Sequence::from(sequence),
            memo: Memo::default(),
        }
    }

    /// No chain of valid blocks gets here, since no more coins are issued than fit.
    #[test]
    fn rule_c9_a_balance_above_the_largest_amount_is_refused() {
        with_a_rich_account("c9", |accounts| {
            let reward = |micros| Amount::from_micros(micros).expect("an amount");
            credit(accounts, id(1), reward(0)).expect("it stays at the most");
            let refused = credit(accounts, id(1), reward(1)).expect_err("one more");
            assert!(matches!(refused, Stop::Refused(ContextError::BalanceTooLarge)));
            assert_eq!(ContextError::BalanceTooLarge.rule(), "C9");
            accounts.account(id(2)).expect("memory").balance = reward(9);
            let refused = pay(accounts, 0, &payment(1, 0)).expect_err("one more");
            assert!(matches!(refused, Stop::Refused(ContextError::BalanceTooLarge)));
        });
    }

    /// What cannot have been connected is not disconnected.
    #[test]
    fn undoing_what_was_never_done_is_damage() {
        with_a_rich_account("undo", |accounts| {
            assert!(matches!(unpay(accounts, &payment(1, 0)), Err(Fault::Damage(_))));
            accounts.account(id(2)).expect("memory").sequence = Sequence::from(3);
            assert!(matches!(unpay(accounts, &payment(1, 1)), Err(Fault::Damage(_))));
            unpay(accounts, &payment(1, 2)).expect("the last payment");
            let account = *accounts.account(id(2)).expect("memory");
            let balance = Amount::from_micros(2).expect("an amount");
            assert_eq!(account, Account { balance, sequence: Sequence::from(2) });
            assert!(matches!(debit(accounts, id(3), balance), Err(Fault::Damage(_))));
        });
    }
}
