//! Blocks go to the ledger, and what follows when its tip moves: the mempool is revalidated, the
//! payments of given-up blocks return to it, the user and all peers are told.

use cairn_ledger::{ContextError, LedgerError, TipChange};
use cairn_protocol::{BlockRef, Transaction, VerifiedBlock, VerifiedTransaction};

use crate::commit::Adopted;
use crate::event::Event;
use crate::input::PeerId;
use crate::node::Node;

/// The most payments of given-up blocks that return to the mempool in one reorganisation, those
/// of the lowest blocks first, as the later ones build on them. Their owners repeat the others.
pub(crate) const MAX_RETURNED: usize = 10_000;

impl Node {
    /// Connects blocks that came from peers.
    pub(crate) fn connect(
        &mut self,
        arrivals: Vec<(VerifiedBlock, PeerId)>,
    ) -> Result<(), LedgerError> {
        if arrivals.is_empty() {
            return Ok(());
        }
        let (blocks, givers): (Vec<_>, Vec<_>) = arrivals.into_iter().unzip();
        let refused = self.ledger.catch_up(&blocks, self.clock.wall())?;
        self.reach.look_again();
        self.note_uncommitted(&blocks, &givers);
        for (block, error) in refused {
            let given = blocks.iter().position(|one| one.block_ref() == block);
            self.on_refused(block, error, given.map(|index| givers[index]));
        }
        Ok(())
    }

    /// The tip moved to a block of others, for all to see.
    pub(crate) fn adopted(
        &mut self,
        change: &TipChange,
        given: Option<Adopted>,
    ) -> Result<(), LedgerError> {
        let block = change.new.block;
        let event = if change.disconnected.is_empty() {
            let given = given.filter(|given| given.block == block);
            let transactions = match &given {
                Some(given) => given.transactions,
                None => self.transaction_count(block)?,
            };
            let (blocks, from) = (change.connected.len(), given.map(|given| given.from));
            Event::BlockAdopted { block, transactions, blocks, from }
        } else {
            let (disconnected, connected) = (change.disconnected.len(), change.connected.len());
            Event::Reorg { disconnected, connected, block }
        };
        self.tip_moved(change)?;
        self.tell(event);
        Ok(())
    }

    /// Connects a block of our own.
    pub(crate) fn on_mined(&mut self, block: VerifiedBlock) -> Result<(), LedgerError> {
        let mined = block.block_ref();
        let (transactions, reward) = (block.transaction_count(), block.reward().amount);
        let added = self.ledger.add_blocks(&[block], self.clock.wall())?;
        self.uncommitted = None;
        self.reach.look_again();
        // One that is ahead of a clock that was set back is too late like any other.
        let invalid = added.refused.into_iter().filter(|(_, error)| error.is_permanent());
        for (block, error) in invalid {
            let message = format!("our own block {block} was refused: {error} ({})", error.rule());
            self.tell(Event::Warning { code: "own_block_refused", message });
        }
        let Some(change) = added.change else {
            // Another block was faster.
            self.counters.stale += 1;
            return Ok(());
        };
        self.tip_moved(&change)?;
        if change.new.block == mined {
            self.counters.mined += 1;
            self.tell(Event::BlockMined { block: mined, transactions, reward });
        }
        Ok(())
    }

    /// A block whose proof of work holds was found to be invalid without looking at the chain.
    pub(crate) fn on_invalid_block(
        &mut self,
        block: BlockRef,
        reason: &str,
        giver: PeerId,
    ) -> Result<(), LedgerError> {
        self.ledger.mark_invalid(block)?;
        self.reach.look_again();
        self.warn_of_invalid(block, reason, Some(giver));
        Ok(())
    }

    fn on_refused(&mut self, block: BlockRef, error: ContextError, giver: Option<PeerId>) {
        // Its descendants are refused with it, and say no more than it does.
        let is_descendant = matches!(error, ContextError::KnownInvalid(known) if known != block);
        if error.is_permanent() && !is_descendant {
            self.warn_of_invalid(block, &format!("{error} ({})", error.rule()), giver);
        }
    }

    fn warn_of_invalid(&mut self, block: BlockRef, reason: &str, giver: Option<PeerId>) {
        let message = format!("a peer sent an invalid block, {block}: {reason}");
        if let Some(giver) = giver {
            self.drop_peer(giver, &message);
        }
        self.tell(Event::Warning { code: "invalid_block", message });
    }

    /// The transactions of a block that came before its turn.
    fn transaction_count(&self, block: BlockRef) -> Result<usize, LedgerError> {
        let stored = self.ledger.block(block)?;
        Ok(1 + stored.map_or(0, |block| block.payments.len()))
    }

    fn tip_moved(&mut self, change: &TipChange) -> Result<(), LedgerError> {
        self.counters.connected += change.connected.len() as u64;
        self.counters.disconnected += change.disconnected.len() as u64;
        self.counters.reorgs += u64::from(!change.disconnected.is_empty());
        self.mempool.update(&change.touched, |account| self.ledger.account(account))?;
        for payment in self.given_up_payments(&change.disconnected)? {
            // What no longer fits is dropped: its owner knows what to do.
            let _ = self.try_admit(payment)?;
        }
        self.mempool.limit_parked(&change.touched);
        self.announce();
        Ok(())
    }

    /// The payments of these blocks, given from the former tip downwards, that the active chain
    /// does not have, in the order in which they were made.
    fn given_up_payments(
        &self,
        disconnected: &[BlockRef],
    ) -> Result<Vec<VerifiedTransaction>, LedgerError> {
        let network = self.ledger.network().id();
        let mut returned = Vec::new();
        for block in disconnected.iter().rev() {
            let Some(block) = self.ledger.block(*block)? else {
                continue;
            };
            let mut waiting: Vec<Transaction> = Vec::new();
            for transaction in block.payments.into_vec() {
                let payment = &transaction.payment;
                if payment.sequence >= self.account(&payment.sender)?.sequence {
                    waiting.push(transaction);
                }
            }
            waiting.truncate(MAX_RETURNED - returned.len());
            let verified = Transaction::verify_all(waiting, network);
            returned.extend(verified.expect("a block is verified before it is stored"));
            if returned.len() >= MAX_RETURNED {
                break;
            }
        }
        Ok(returned)
    }
}
