//! [`Confirmation`]: watches for the block that holds a payment.

use cairn_home::Failure;
use cairn_ledger::LedgerReader;
use cairn_protocol::{BlockRef, Network, TransactionId};

use crate::blocks::payments_of;

/// How many blocks are looked at between two questions to the ledger.
const BATCH: usize = 100;

/// Follows the active chain from a block on and knows where on it a payment stands.
#[derive(Debug)]
pub(crate) struct Confirmation {
    payment: TransactionId,
    cursor: BlockRef,
    found: Option<BlockRef>,
}

impl Confirmation {
    /// Watches for a payment that no block up to this one holds.
    pub(crate) fn new(payment: TransactionId, after: BlockRef) -> Self {
        Self { payment, cursor: after, found: None }
    }

    /// The block that holds the payment, as of the last [`Self::update`].
    pub(crate) fn block(&self) -> Option<BlockRef> {
        self.found
    }

    /// The tip as of the last [`Self::update`].
    pub(crate) fn cursor(&self) -> BlockRef {
        self.cursor
    }

    /// How many blocks confirm the payment, its own included.
    pub(crate) fn count(&self) -> u64 {
        self.found.map_or(0, |block| 1 + self.cursor.height.since(block.height))
    }

    /// Follows the chain to its tip.
    pub(crate) fn update(
        &mut self,
        reader: &LedgerReader,
        network: &Network,
    ) -> Result<(), Failure> {
        loop {
            let changes = reader.changes_since(self.cursor, BATCH)?;
            if self.found.is_some_and(|block| changes.disconnected.contains(&block)) {
                self.found = None;
            }
            for block in &changes.connected {
                if self.found.is_none() && self.is_in(reader, *block, network)? {
                    self.found = Some(*block);
                }
            }
            self.cursor = changes.cursor;
            if changes.connected.len() < BATCH {
                return Ok(());
            }
        }
    }

    fn is_in(
        &self,
        reader: &LedgerReader,
        block: BlockRef,
        network: &Network,
    ) -> Result<bool, Failure> {
        let payments = payments_of(reader, block)?.unwrap_or_default();
        let mut ids = payments.iter().map(|one| one.payment.id(network.id()));
        Ok(ids.any(|id| id == self.payment))
    }
}

#[cfg(test)]
mod tests {
    use cairn_ledger::Ledger;
    use cairn_protocol::{Amount, Memo, Payment, SecretKey, Sequence, Transaction};

    use super::*;
    use crate::chain::{mine, mine_on, network};

    fn key() -> SecretKey {
        SecretKey::from_seed([1; 32])
    }

    fn payment() -> Transaction {
        let payment = Payment {
            sender: key().account(),
            recipient: SecretKey::from_seed([2; 32]).account(),
            amount: Amount::from_micros(1).expect("an amount"),
            fee: Amount::ZERO,
            sequence: Sequence::FIRST,
            memo: Memo::default(),
        };
        key().sign(payment, network().id())
    }

    #[test]
    fn behaviour_56_a_payment_is_found_counted_and_followed_through_a_reorganisation() {
        let mut ledger = Ledger::in_memory(&network()).expect("memory");
        let miner = key().account();
        mine(&mut ledger, miner, 2);
        let fork = ledger.tip().block;
        let reader = ledger.reader().expect("readable");
        let id = payment().payment.id(network().id());
        let mut confirmation = Confirmation::new(id, fork);
        let mut state = || {
            confirmation.update(&reader, &network()).expect("readable");
            (confirmation.block(), confirmation.count())
        };
        assert_eq!(state(), (None, 0));

        let first = mine_on(&mut ledger, fork, miner, &[payment()]);
        assert_eq!(state(), (Some(first), 1));
        mine(&mut ledger, miner, 1);
        assert_eq!(state(), (Some(first), 2));

        // A longer branch leaves it out, and takes it in later.
        let other = SecretKey::from_seed([3; 32]).account();
        let mut tip = fork;
        for _ in 0..3 {
            tip = mine_on(&mut ledger, tip, other, &[]);
        }
        assert_eq!(state(), (None, 0));
        let second = mine_on(&mut ledger, tip, other, &[payment()]);
        assert_eq!(state(), (Some(second), 1));
    }

    #[test]
    fn many_blocks_are_followed_at_once() {
        let mut ledger = Ledger::in_memory(&network()).expect("memory");
        let miner = key().account();
        mine(&mut ledger, miner, 2);
        let start = ledger.tip().block;
        let holder = mine_on(&mut ledger, start, miner, &[payment()]);
        let rest = 2 * BATCH as u64;
        mine(&mut ledger, miner, rest);
        let id = payment().payment.id(network().id());
        let mut confirmation = Confirmation::new(id, start);
        confirmation.update(&ledger.reader().expect("readable"), &network()).expect("readable");
        assert_eq!((confirmation.block(), confirmation.count()), (Some(holder), 1 + rest));
    }
}
