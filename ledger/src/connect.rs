//! Connecting a block to the accounts, and disconnecting it: exact inverses, so that no undo data
//! has to be stored.

use cairn_protocol::{Amount, Block, Header, Payment, Reward, Rules, VerifiedBlock};

use crate::context::{ContextError, Stop, fewest_transactions};
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

/// Checks that a block has as many transactions as a block of its time needs (rule C6).
pub(crate) fn check_count(
    body: &Body<'_>,
    header: &Header,
    parent: &Header,
    rules: &Rules,
) -> Result<(), ContextError> {
    let fewest = fewest_transactions(rules, parent, header.time);
    let given = 1 + body.payment_count();
    if given < usize::try_from(fewest).unwrap_or(usize::MAX) {
        return Err(ContextError::TooFewTransactions { given, fewest });
    }
    Ok(())
}

/// Applies a block's payments in order, then credits the reward that its height makes mature
/// (rules C7 to C9).
pub(crate) fn connect(
    accounts: &mut Overlay<'_>,
    body: &Body<'_>,
    matured: Option<&Reward>,
) -> Result<(), Stop> {
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

fn credit(
    accounts: &mut Overlay<'_>,
    recipient: cairn_protocol::AccountId,
    amount: Amount,
) -> Result<(), Stop> {
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

fn debit(
    accounts: &mut Overlay<'_>,
    id: cairn_protocol::AccountId,
    amount: Amount,
) -> Result<(), Fault> {
    let account = accounts.account(id)?;
    account.balance = account.balance.checked_sub(amount).ok_or_else(|| cannot_undo(id))?;
    Ok(())
}

/// Whatever was connected can be disconnected, unless what is stored changed in between.
fn cannot_undo(id: cairn_protocol::AccountId) -> Fault {
    Fault::Damage(format!("account {id:?} does not hold what its last payments left it"))
}

fn cost(payment: &Payment) -> Result<Amount, Fault> {
    payment.cost().ok_or_else(|| Fault::damage("a stored payment costs more than can exist"))
}
