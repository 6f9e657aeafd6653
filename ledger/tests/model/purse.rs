//! [`Purse`]: who pays whom in a block.

use std::sync::LazyLock;

use cairn_protocol::{AccountId, Memo, Network, Payment, SecretKey, Sequence, VerifiedTransaction};

use crate::accounts::{State, amount_of};
use crate::history::{Flaw, Pay, Payer, Share};
use crate::kit;

/// Everybody who can mine, pay and be paid.
pub(crate) static PEOPLE: LazyLock<Vec<(SecretKey, AccountId)>> = LazyLock::new(|| {
    let person = |number| (kit::key(number), kit::account(number));
    (1..=6).map(person).collect()
});

/// The accounts while a block's payments are made.
pub(crate) struct Purse<'n> {
    network: &'n Network,
    state: State,
    payments: Vec<VerifiedTransaction>,
}

impl<'n> Purse<'n> {
    /// Nothing is paid yet, and the accounts are those after the block's parent.
    pub(crate) fn new(network: &'n Network, before: &State) -> Self {
        Self { network, state: before.clone(), payments: Vec::new() }
    }

    /// The payments, in order.
    pub(crate) fn into_payments(self) -> Vec<VerifiedTransaction> {
        self.payments
    }

    /// Keeps only the first so many payments.
    pub(crate) fn keep(&mut self, count: usize) {
        self.payments.truncate(count);
    }

    /// Makes a payment, if anybody has anything.
    pub(crate) fn pay(&mut self, pay: Pay) {
        let Some(payer) = self.payer(pay.payer) else {
            return;
        };
        let balance = self.state.of(PEOPLE[payer].1).balance;
        let fee = i128::from(pay.fee).min(balance - 1);
        let amount = match pay.share {
            Share::Micros(micros) => i128::from(micros).clamp(1, balance - fee),
            Share::All => balance - fee,
        };
        let sequence = self.state.of(PEOPLE[payer].1).sequence;
        let payment = self.sign(payer, circle(payer, pay.to), amount, fee, sequence);
        self.state.pay(0, payment.payment()).expect("as much as there is");
        self.payments.push(payment);
    }

    /// Makes small payments until there are so many, if anybody has anything.
    pub(crate) fn fill(&mut self, count: usize) -> bool {
        let small = Pay { payer: Payer::Anybody(0), to: 1, share: Share::Micros(1), fee: 0 };
        while self.payments.len() < count && self.payer(small.payer).is_some() {
            self.pay(small);
        }
        self.payments.len() >= count
    }

    /// The number of somebody who has something.
    fn payer(&self, payer: Payer) -> Option<usize> {
        let rich = |number: &usize| self.state.of(PEOPLE[*number].1).balance > 0;
        let all: Vec<usize> = (0..PEOPLE.len()).filter(rich).collect();
        let first = *all.first()?;
        let named = |account| PEOPLE.iter().position(|(_, one)| *one == account);
        let wanted = match payer {
            Payer::Rewarded => {
                let reward = self.state.last_rewarded(self.network.rules());
                reward.and_then(|reward| named(reward.recipient))
            }
            Payer::Paid => self.payments.last().and_then(|last| named(last.payment().recipient)),
            Payer::Anybody(number) => Some(all[usize::from(number) % all.len()]),
        };
        wanted.filter(rich).or(Some(first))
    }

    /// Adds a payment that breaks a rule, if that is what is wrong with the block.
    pub(crate) fn spoil(&mut self, flaw: Flaw, before: &State, miner: AccountId) {
        let rules = self.network.rules();
        let payer = self.payer(Payer::Rewarded).unwrap_or(0);
        let has = self.state.of(PEOPLE[payer].1);
        let other = circle(payer, 1);
        let payment = match flaw {
            Flaw::Overspend => self.sign(payer, other, has.balance + 1, 0, has.sequence),
            Flaw::OverspendToSelf => self.sign(payer, payer, has.balance + 1, 0, has.sequence),
            Flaw::Gap => self.sign(payer, other, 1, 0, has.sequence + 1),
            Flaw::Repeat if has.sequence == 0 => self.sign(payer, other, 1, 0, 1),
            Flaw::Repeat => self.sign(payer, other, 1, 0, has.sequence - 1),
            Flaw::Immature => {
                // With a maturity of 0 it is the block's own reward.
                let reward = before.next_rewarded(rules).map(|reward| reward.recipient);
                let recipient = reward.unwrap_or(miner);
                let payer = PEOPLE.iter().position(|(_, one)| *one == recipient).unwrap_or(0);
                let has = self.state.of(recipient);
                self.sign(payer, circle(payer, 1), has.balance + 1, 0, has.sequence)
            }
            Flaw::TooFew | Flaw::Target | Flaw::AtMedian | Flaw::BeforeMedian => return,
        };
        self.payments.push(payment);
    }

    fn sign(
        &self,
        from: usize,
        to: usize,
        amount: i128,
        fee: i128,
        sequence: u64,
    ) -> VerifiedTransaction {
        let (key, sender) = &PEOPLE[from];
        let payment = Payment {
            sender: *sender,
            recipient: PEOPLE[to].1,
            amount: amount_of(amount),
            fee: amount_of(fee),
            sequence: Sequence::new(sequence).expect("few"),
            memo: Memo::default(),
        };
        let id = self.network.id();
        key.sign(payment, id).verify(id).expect("a valid payment")
    }
}

/// Who stands so far from somebody in the circle of all.
fn circle(from: usize, distance: u8) -> usize {
    (from + usize::from(distance)) % PEOPLE.len()
}
