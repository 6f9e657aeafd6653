//! [`Accounts`]: who has what, and the payments that follow from it.

use cairn_protocol::{AccountId, Amount, Height, Memo, Network, Payment, SecretKey, Sequence};

use crate::random::Draws;
use crate::recipe::Recipe;

/// A payment takes from 1 to so many micro-coins to its recipient.
const MAX_AMOUNT: u32 = 1_000;
/// And up to so many to the miner.
const MAX_FEE: u32 = 10;
/// The most that a payment costs its sender, in micro-coins.
pub(crate) const MAX_COST: u64 = MAX_AMOUNT as u64 + MAX_FEE as u64;

/// The accounts of a recipe after the last planned block.
///
/// Nobody runs out of coins: who mined a block has at least its reward when the next one starts,
/// and that pays for a whole block of the dearest payments ([`Recipe::check`]). So whenever a
/// drawn sender has too little, that account pays instead.
#[derive(Debug)]
pub(crate) struct Accounts {
    holders: Vec<Holder>,
    draws: Draws,
    /// The block that is planned next.
    height: Height,
}

#[derive(Debug)]
struct Holder {
    key: SecretKey,
    account: AccountId,
    balance: Amount,
    sequence: Sequence,
}

/// What a block is to hold.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Who gets its reward.
    pub(crate) recipient: AccountId,
    /// Its payments, each with the number of its sender.
    pub(crate) payments: Vec<(usize, Payment)>,
}

impl Accounts {
    /// The accounts of a recipe at genesis, without coins.
    pub(crate) fn new(recipe: &Recipe) -> Self {
        let holder = |key: SecretKey| Holder {
            account: key.account(),
            key,
            balance: Amount::ZERO,
            sequence: Sequence::FIRST,
        };
        Self {
            holders: recipe.keys().into_iter().map(holder).collect(),
            draws: Draws::new(recipe.seed),
            height: Height::from(1),
        }
    }

    /// The key of the account with this number.
    pub(crate) fn key(&self, number: usize) -> &SecretKey {
        &self.holders[number].key
    }

    /// Plans the next block.
    pub(crate) fn plan(&mut self, payments: u32, network: &Network) -> Plan {
        let payments = match self.height.checked_sub(2) {
            Some(_) => payments,
            None => 0,
        };
        let payments: Vec<_> = (0..payments).map(|_| self.pay()).collect();
        let fees: Option<Amount> = payments.iter().map(|(_, payment)| payment.fee).sum();
        let reward = fees.and_then(|fees| fees.checked_add(network.subsidy(self.height)));
        let miner = self.miner_of(self.height);
        self.credit(miner, reward.expect("no more than was ever issued"));
        self.height = self.height.next();
        Plan { recipient: self.holders[miner].account, payments }
    }

    /// Draws a payment and carries it out.
    fn pay(&mut self) -> (usize, Payment) {
        let amount = micros(1 + self.draws.below(MAX_AMOUNT));
        let fee = micros(self.draws.below(1 + MAX_FEE));
        let cost = amount.checked_add(fee).expect("small");
        let mut sender = self.draw_account();
        if self.holders[sender].balance < cost {
            let parent = self.height.checked_sub(1).expect("block 1 has no payments");
            sender = self.miner_of(parent);
        }
        let recipient = self.draw_other(sender);
        let payment = Payment {
            sender: self.holders[sender].account,
            recipient: self.holders[recipient].account,
            amount,
            fee,
            sequence: self.holders[sender].sequence,
            memo: Memo::default(),
        };
        self.debit(sender, cost);
        self.credit(recipient, amount);
        (sender, payment)
    }

    /// Whose turn it is to get the reward at this height, which is at least 1.
    fn miner_of(&self, height: Height) -> usize {
        let turn = height.since(Height::from(1)) % self.holders.len() as u64;
        usize::try_from(turn).expect("below the number of accounts")
    }

    fn draw_account(&mut self) -> usize {
        let accounts = u32::try_from(self.holders.len()).expect("as a recipe counts them");
        self.draws.below(accounts) as usize
    }

    /// Any account but this one, if there is another.
    fn draw_other(&mut self, this: usize) -> usize {
        let others = u32::try_from(self.holders.len() - 1).expect("as a recipe counts them");
        if others == 0 {
            return this;
        }
        let drawn = self.draws.below(others) as usize;
        if drawn < this { drawn } else { drawn + 1 }
    }

    fn debit(&mut self, number: usize, cost: Amount) {
        let holder = &mut self.holders[number];
        holder.balance = holder.balance.checked_sub(cost).expect("the sender has it");
        holder.sequence = holder.sequence.next();
    }

    fn credit(&mut self, number: usize, amount: Amount) {
        let holder = &mut self.holders[number];
        let balance = holder.balance.checked_add(amount);
        holder.balance = balance.expect("no more than was ever issued");
    }
}

fn micros(micros: u32) -> Amount {
    Amount::from_micros(micros.into()).expect("small")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network;

    /// Planning panics if a sender has too little. With one account after two blocks, and with
    /// more accounts than coins could reach, most drawn senders have nothing.
    #[test]
    fn nobody_runs_out_of_coins_in_full_blocks() {
        for accounts in [1, 2, 3_000] {
            let recipe = Recipe { accounts, ..Recipe::default() };
            let mut all = Accounts::new(&recipe);
            for height in 1..=20 {
                let plan = all.plan(6_248, &network(0));
                assert_eq!(plan.payments.len(), if height == 1 { 0 } else { 6_248 });
            }
        }
    }

    #[test]
    fn rewards_go_round_and_payments_go_to_others() {
        let recipe = Recipe { accounts: 3, ..Recipe::default() };
        let ids: Vec<_> = recipe.keys().iter().map(SecretKey::account).collect();
        let mut all = Accounts::new(&recipe);
        let plans: Vec<_> = (0..7).map(|_| all.plan(50, &network(0))).collect();
        let recipients: Vec<_> = plans.iter().map(|plan| plan.recipient).collect();
        assert_eq!(recipients, [0, 1, 2, 0, 1, 2, 0].map(|number: usize| ids[number]));
        let mut payments = plans.iter().flat_map(|plan| &plan.payments);
        assert!(payments.all(|(_, payment)| payment.sender != payment.recipient));
        let pairs: std::collections::BTreeSet<_> = plans[6]
            .payments
            .iter()
            .map(|(_, payment)| (payment.sender, payment.recipient))
            .collect();
        assert_eq!(pairs.len(), 6, "everybody pays everybody");
    }
}
