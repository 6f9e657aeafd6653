//! [`Order`]: a payment as it is ordered on the command line, checked and then signed.

use std::str::FromStr;

use cairn_home::{Exit, Failure, KeyStore, Party, outbox};
use cairn_ledger::Account;
use cairn_protocol::{
    AccountId, Amount, Memo, Network, NetworkName, Payment, SecretKey, Transaction,
};

use crate::cli::Send;
use crate::context::Context;
use crate::funds::available;

/// Everything about a payment but its sequence. Nothing was recorded or sent yet.
pub(crate) struct Order {
    key: SecretKey,
    pub(crate) from: Party,
    pub(crate) to: Party,
    amount: Amount,
    fee: Amount,
    cost: Amount,
    memo: Memo,
}

impl Order {
    /// What the command line orders.
    pub(crate) fn read(context: &Context, args: &Send) -> Result<Self, Failure> {
        let network = &context.network().rules().name;
        let keys = context.keys();
        let amount: Amount = parse_amount(&args.amount)?;
        if amount.is_zero() {
            return Err(bad_amount("0 coins cannot be paid; the smallest amount is 0.000001"));
        }
        let fee = args.fee.as_deref().map(parse_amount).transpose()?;
        let fee = fee.unwrap_or(context.config.mempool.min_fee);
        let cost = amount.checked_add(fee);
        let cost = cost.ok_or_else(|| bad_amount("amount and fee are more than can exist"))?;
        let (from, key) = sender(&args.from, &keys, network)?;
        let to = recipient(&args.to, &keys, network)?;
        let memo = memo(&args.memo)?;
        Ok(Self { key, from, to, amount, fee, cost, memo })
    }

    /// Who pays.
    pub(crate) fn sender(&self) -> AccountId {
        self.from.account()
    }

    /// The payment, signed with the sequence that follows the payments that still wait; unless
    /// the account has too little once those are made.
    pub(crate) fn sign(
        &self,
        account: Account,
        waiting: &[Transaction],
        network: &Network,
    ) -> Result<Transaction, Failure> {
        let left = available(account.balance, waiting);
        if left < self.cost {
            return Err(self.insufficient(account.balance, left));
        }
        let payment = Payment {
            sender: self.sender(),
            recipient: self.to.account(),
            amount: self.amount,
            fee: self.fee,
            sequence: outbox::next_sequence(account, waiting),
            memo: self.memo.clone(),
        };
        Ok(self.key.sign(payment, network.id()))
    }

    fn insufficient(&self, balance: Amount, left: Amount) -> Failure {
        let message = format!(
            "{} has {balance}, of which {left} is free of payments under way, and this payment \
             takes {}; pay less, or wait until more arrives (`wallet list-addresses`)",
            self.from.label(),
            self.cost
        );
        Failure::new(Exit::InsufficientFunds, "insufficient_funds", message)
    }
}

/// The party that pays, and its key, which must be here.
fn sender(
    text: &str,
    keys: &KeyStore,
    network: &NetworkName,
) -> Result<(Party, SecretKey), Failure> {
    let mut from = Party::resolve(text, keys, network)?;
    if from.name.is_none() {
        let accounts = keys.list()?.accounts;
        let local = accounts.into_iter().find(|(_, account)| *account == from.account());
        from.name = local.map(|(name, _)| name);
    }
    let Some(name) = &from.name else {
        let message = format!(
            "the key of {text} is not in this wallet, so it cannot pay from there; {}",
            keys.known()
        );
        return Err(Failure::new(Exit::BadInput, "not_local", message));
    };
    let key = keys.load(name)?;
    Ok((from, key))
}

/// The party that is paid; what it gets must not be lost for ever.
fn recipient(text: &str, keys: &KeyStore, network: &NetworkName) -> Result<Party, Failure> {
    let to = Party::resolve(text, keys, network)?;
    if to.account().is_spendable() {
        return Ok(to);
    }
    let message = format!(
        "nobody can hold the key of {text}, so coins paid to it would be lost; ask for another \
         address"
    );
    Err(Failure::new(Exit::BadInput, "bad_address", message))
}

fn memo(text: &str) -> Result<Memo, Failure> {
    Memo::new(text.as_bytes().to_vec()).ok_or_else(|| {
        let message = format!("the memo has {} bytes; write 512 at most", text.len());
        Failure::new(Exit::Usage, "memo_too_long", message)
    })
}

fn parse_amount(text: &str) -> Result<Amount, Failure> {
    Amount::from_str(text).map_err(|error| bad_amount(&error.to_string()))
}

fn bad_amount(message: &str) -> Failure {
    Failure::new(Exit::BadInput, "bad_amount", message)
}

#[cfg(test)]
mod tests {
    use cairn_protocol::{Address, Sequence};

    use super::*;
    use crate::fixture::Fixture;

    /// Texts that some program somewhere takes for a number.
    const NO_AMOUNTS: [&str; 26] = [
        "1e308",
        "1e3",
        "1E0",
        "NaN",
        "nan",
        "inf",
        "infinity",
        "0.1+0.2",
        "1+1",
        "-1",
        "-0",
        "+1",
        "01",
        "00.1",
        "1.",
        ".5",
        "1.2.3",
        "1,5",
        "1_000",
        "0x10",
        " 1",
        "1 ",
        "\u{0661}",
        "",
        "0.0000001",
        "9223372036854.775808",
    ];

    #[test]
    fn attack_12_only_plain_decimals_are_amounts_and_fees() {
        let home = Fixture::new();
        for text in NO_AMOUNTS {
            for words in [&["rich", text, "alice"][..], &["rich", "1", "alice", "--fee", text]] {
                let failure = home.try_pay(words).expect_err(text);
                assert_eq!(
                    (failure.exit(), failure.code()),
                    (Exit::BadInput, "bad_amount"),
                    "{text:?}"
                );
            }
        }
        assert_eq!(home.outbox().senders().expect("readable"), [], "nothing was recorded");
    }

    #[test]
    fn attack_12_what_is_paid_is_what_was_written() {
        let home = Fixture::new();
        let amounts = ["0.1", "0.2", "0.000001", "1", "2.5", "3.1415"];
        for text in amounts {
            let payment = home.pay("rich", text, "alice").payment;
            let printed = payment.amount.to_string();
            assert_eq!((text.parse(), printed.parse()), (Ok(payment.amount), Ok(payment.amount)));
        }
        let waiting =
            home.outbox().payments_from(home.account("rich"), Sequence::FIRST).expect("readable");
        let sum: Option<Amount> = waiting.iter().map(|one| one.payment.amount).sum();
        assert_eq!(sum.expect("small").to_string(), "6.941501", "to the last digit");
    }

    #[test]
    fn behaviour_60_an_address_is_refused_before_anything_is_signed() {
        let home = Fixture::new();
        let ours = home.context.address(home.account("alice")).to_string();
        let typo = ours.replacen("test1", "test1q", 1);
        let foreign = Address::new("other".parse().expect("a name"), home.account("alice"));
        let nobodys = Address::new("test".parse().expect("a name"), AccountId([0; 32]));
        for bad in [&ours[..60], &typo, &foreign.to_string(), &nobodys.to_string()] {
            for words in [["rich", "1", bad], [bad, "1", "alice"]] {
                let failure = home.try_pay(&words).expect_err(bad);
                let is_senders = words[0] == bad && failure.code() == "not_local";
                assert!(failure.code() == "bad_address" || is_senders, "{bad}: {failure}");
                assert_eq!(failure.exit(), Exit::BadInput, "{bad}");
            }
        }
        assert_eq!(home.outbox().senders().expect("readable"), [], "nothing was recorded");
        home.pay("rich", "1", &ours);
    }
}
