//! Section 9 of docs/PROTOCOL.md, from C6 on: what the blocks of a chain do to its accounts. There
//! is no way back: whoever wants an earlier state replays from genesis.

use std::collections::BTreeMap;

use cairn_ledger::{Account, ContextError};
use cairn_protocol::{
    AccountId, Amount, Payment, Reward, Rules, Sequence, Timestamp, VerifiedBlock,
};

/// What an account has. Wider than an amount, so that nothing is lost before it is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holding {
    pub(crate) balance: i128,
    pub(crate) sequence: u64,
}

/// The state of a chain after its last block.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    accounts: BTreeMap<AccountId, Holding>,
    /// The reward of every block, from block 1 on.
    rewards: Vec<Reward>,
    /// The time of the last block.
    time: Timestamp,
}

impl State {
    /// Replays a chain from genesis on, or says which of its blocks is the first invalid one.
    pub(crate) fn replay<'b>(
        rules: &Rules,
        blocks: impl IntoIterator<Item = &'b VerifiedBlock>,
    ) -> Result<Self, (usize, ContextError)> {
        let mut state = Self::default();
        for (index, block) in blocks.into_iter().enumerate() {
            state.connect(rules, block).map_err(|error| (index, error))?;
        }
        Ok(state)
    }

    /// One more block. If it is invalid, what is left is of no use.
    pub(crate) fn connect(
        &mut self,
        rules: &Rules,
        block: &VerifiedBlock,
    ) -> Result<(), ContextError> {
        let header = block.header().header();
        let given = 1 + block.payments().len();
        let fewest = self.fewest_transactions(rules, header.time);
        if given < fewest as usize {
            return Err(ContextError::TooFewTransactions { given, fewest });
        }
        for (index, payment) in block.payments().iter().enumerate() {
            self.pay(index, payment.payment())?;
        }
        self.rewards.push(*block.reward());
        self.time = header.time;
        let maturity = u64::from(rules.reward_maturity);
        let is_due = |reward: &&Reward| reward.height.get() + maturity == header.height.get();
        match self.rewards.iter().find(is_due).copied() {
            Some(reward) => self.credit(reward.recipient, reward.amount),
            None => Ok(()),
        }
    }

    /// Rule C6: the fewest transactions of a next block of this time.
    pub(crate) fn fewest_transactions(&self, rules: &Rules, time: Timestamp) -> u32 {
        let wait = u64::from(rules.min_block_wait_seconds) * 1000;
        let is_first = self.rewards.is_empty();
        let has_waited = time.millis().saturating_sub(self.time.millis()) >= wait;
        if is_first || has_waited { 1 } else { rules.min_block_transactions }
    }

    /// Rules C7 to C9 for one payment.
    pub(crate) fn pay(&mut self, index: usize, payment: &Payment) -> Result<(), ContextError> {
        let Holding { balance, sequence } = self.of(payment.sender);
        let (given, expected) = (payment.sequence, sequence_of(sequence));
        if given != expected {
            return Err(ContextError::Sequence { index, given, expected });
        }
        let cost = i128::from(payment.amount.micros()) + i128::from(payment.fee.micros());
        if cost > balance {
            let (cost, balance) = (amount_of(cost), amount_of(balance));
            return Err(ContextError::InsufficientFunds { index, cost, balance });
        }
        let after = Holding { balance: balance - cost, sequence: sequence + 1 };
        self.accounts.insert(payment.sender, after);
        self.credit(payment.recipient, payment.amount)
    }

    fn credit(&mut self, account: AccountId, amount: Amount) -> Result<(), ContextError> {
        let Holding { balance, sequence } = self.of(account);
        let balance = balance + i128::from(amount.micros());
        if balance > i128::from(i64::MAX) {
            return Err(ContextError::BalanceTooLarge);
        }
        self.accounts.insert(account, Holding { balance, sequence });
        Ok(())
    }

    /// What an account has: nothing, if it was never paid.
    pub(crate) fn of(&self, account: AccountId) -> Holding {
        self.accounts.get(&account).copied().unwrap_or_default()
    }

    /// The same as the ledger writes it.
    pub(crate) fn account(&self, account: AccountId) -> Account {
        let Holding { balance, sequence } = self.of(account);
        Account { balance: amount_of(balance), sequence: sequence_of(sequence) }
    }

    /// The rewards of an account that are not yet credited.
    pub(crate) fn immature(&self, rules: &Rules, account: AccountId) -> Amount {
        let rewards = self.uncredited(rules).filter(|reward| reward.recipient == account);
        amount_of(rewards.map(|reward| i128::from(reward.amount.micros())).sum())
    }

    /// Who got the reward that the last block credited.
    pub(crate) fn last_rewarded(&self, rules: &Rules) -> Option<&Reward> {
        let index = self.rewards.len().checked_sub(1 + rules.reward_maturity as usize)?;
        Some(&self.rewards[index])
    }

    /// The reward that the next block will credit, if that is not its own.
    pub(crate) fn next_rewarded(&self, rules: &Rules) -> Option<&Reward> {
        let index = (self.rewards.len() + 1).checked_sub(1 + rules.reward_maturity as usize)?;
        self.rewards.get(index)
    }

    /// The height of the last block.
    pub(crate) fn height(&self) -> u64 {
        self.rewards.len() as u64
    }

    /// The sum of all balances.
    pub(crate) fn credited(&self) -> i128 {
        self.accounts.values().map(|holding| holding.balance).sum()
    }

    /// The sum of all rewards that are not yet credited.
    pub(crate) fn held_back(&self, rules: &Rules) -> i128 {
        self.uncredited(rules).map(|reward| i128::from(reward.amount.micros())).sum()
    }

    fn uncredited(&self, rules: &Rules) -> impl Iterator<Item = &Reward> {
        let maturity = u64::from(rules.reward_maturity);
        let height = self.height();
        self.rewards.iter().filter(move |reward| reward.height.get() + maturity > height)
    }
}

/// The subsidies of all blocks up to a height (section 5).
pub(crate) fn issued(rules: &Rules, height: u64) -> i128 {
    let reward = i128::from(rules.block_reward.micros());
    (1..=i128::from(height)).filter(|height| reward * height < 1 << 63).map(|_| reward).sum()
}

pub(crate) fn amount_of(micros: i128) -> Amount {
    let micros = u64::try_from(micros).ok().and_then(Amount::from_micros);
    micros.expect("balances and costs of valid chains are amounts")
}

fn sequence_of(sequence: u64) -> Sequence {
    Sequence::new(sequence).expect("few payments")
}
