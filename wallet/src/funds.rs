//! What accounts have, and what payments under way will change. Pure arithmetic.

use std::collections::BTreeMap;
use std::fmt;

use cairn_protocol::{AccountId, Amount, Transaction};

/// A change of a balance, in micro-coins; printed with its sign and six places, "+0.000000".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change(i128);

impl Change {
    fn add(&mut self, amount: Amount) {
        self.0 += i128::from(amount.micros());
    }

    fn subtract(&mut self, amount: Amount) {
        self.0 -= i128::from(amount.micros());
    }
}

#[cfg(test)]
impl Change {
    /// The change from nothing to this amount changed like this.
    pub(crate) fn applied_to(mut self, amount: Amount) -> Self {
        self.add(amount);
        self
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        let micros = self.0.unsigned_abs();
        f.pad(&format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000))
    }
}

/// How payments that no block holds yet will change each account.
pub(crate) fn pending(waiting: &[Transaction]) -> BTreeMap<AccountId, Change> {
    let mut changes = BTreeMap::<_, Change>::new();
    for payment in waiting.iter().map(|transaction| &transaction.payment) {
        let sender = changes.entry(payment.sender).or_default();
        sender.subtract(payment.amount);
        sender.subtract(payment.fee);
        changes.entry(payment.recipient).or_default().add(payment.amount);
    }
    changes
}

/// What is left of a balance once the account's payments under way are made. A payment to
/// oneself gives back its amount, but only after it was there to be paid.
pub(crate) fn available(balance: Amount, waiting: &[Transaction]) -> Amount {
    let cost = |transaction: &Transaction| transaction.payment.cost().unwrap_or(Amount::MAX);
    waiting.iter().map(cost).fold(balance, |left, cost| left.checked_sub(cost).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use cairn_protocol::{Memo, NetworkId, Payment, SecretKey, Sequence};

    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().expect("an amount")
    }

    fn pay(from: u8, to: u8, coins: &str, fee: &str) -> Transaction {
        let key = SecretKey::from_seed([from; 32]);
        let payment = Payment {
            sender: key.account(),
            recipient: account(to),
            amount: amount(coins),
            fee: amount(fee),
            sequence: Sequence::FIRST,
            memo: Memo::default(),
        };
        key.sign(payment, NetworkId([0; 32]))
    }

    fn account(seed: u8) -> AccountId {
        SecretKey::from_seed([seed; 32]).account()
    }

    #[test]
    fn payments_under_way_are_netted() {
        let changes = pending(&[pay(1, 2, "2.5", "0.1"), pay(2, 1, "1", "0"), pay(3, 3, "5", "1")]);
        let told = |seed| changes[&account(seed)].to_string();
        assert_eq!([told(1), told(2), told(3)], ["-1.600000", "+1.500000", "-1.000000"]);
        assert_eq!(Change::default().to_string(), "+0.000000");
        assert_eq!(pending(&[]), BTreeMap::new());
    }

    #[test]
    fn what_is_under_way_cannot_be_spent_again() {
        let waiting = [pay(1, 2, "2.5", "0.1"), pay(1, 1, "3", "0")];
        assert_eq!(available(amount("10"), &waiting), amount("4.4"));
        assert_eq!(available(amount("1"), &waiting), Amount::ZERO);
    }
}
