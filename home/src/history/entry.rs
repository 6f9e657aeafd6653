//! [`Entry`]: one line of an account's history.

use cairn_protocol::{AccountId, Amount, Height, Payment, Reward, Timestamp};

/// One change of an account by a block. A payment from one account of a wallet to another makes two
/// entries, one for each; so does one from an account to itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whose history this belongs to.
    pub account: AccountId,
    /// The height of the block.
    pub height: Height,
    /// The time of the block.
    pub time: Timestamp,
    /// The place in the block: 0 is the reward, then the payments follow, from 1 on.
    pub position: u32,
    /// What happened.
    pub event: Event,
}

/// What a block did to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It got the block's reward, which may have to mature.
    Reward(Reward),
    /// It paid.
    Sent(Payment),
    /// It was paid.
    Received(Payment),
}

impl Event {
    /// What the account got or gave away, without the fee.
    pub fn amount(&self) -> Amount {
        match self {
            Self::Reward(reward) => reward.amount,
            Self::Sent(payment) | Self::Received(payment) => payment.amount,
        }
    }

    /// The payment, if it is one.
    pub fn payment(&self) -> Option<&Payment> {
        match self {
            Self::Reward(_) => None,
            Self::Sent(payment) | Self::Received(payment) => Some(payment),
        }
    }
}

impl Entry {
    /// What entries are ordered by: their blocks, then their places; of one payment, that it was
    /// sent comes first.
    pub(super) fn order(&self) -> (Height, u32, bool, AccountId) {
        let comes_second = matches!(self.event, Event::Received(_));
        (self.height, self.position, comes_second, self.account)
    }
}
