//! Payments that come in: into the mempool, and on to everybody else if they are new to us.

use std::collections::BTreeSet;

use cairn_ledger::{Account, LedgerError};
use cairn_protocol::messages::{Answer, Request, RequestId};
use cairn_protocol::{AccountId, Bounded, VerifiedTransaction};

use crate::input::{Origin, PeerId};
use crate::mempool::MempoolError;
use crate::node::Node;
use crate::output::Output;

impl Node {
    /// Takes a payment and passes it on if it is new to us, ready or parked. One of our own is
    /// passed on each time, even if our own mempool has it or refuses it (others may be ahead of
    /// us), unless a block has its sequence.
    pub(crate) fn on_transaction(
        &mut self,
        origin: Origin,
        transaction: VerifiedTransaction,
    ) -> Result<Result<(), MempoolError>, LedgerError> {
        let sent = transaction.transaction().clone();
        let admitted = self.try_admit(transaction)?;
        let is_stale = matches!(admitted, Err(MempoolError::StaleSequence { .. }));
        if admitted.is_ok() || origin == Origin::Own && !is_stale {
            self.out.push(Output::Relay { origin, transaction: sent });
        }
        Ok(admitted)
    }

    /// Takes a payment into the mempool.
    pub(crate) fn try_admit(
        &mut self,
        transaction: VerifiedTransaction,
    ) -> Result<Result<(), MempoolError>, LedgerError> {
        let account = self.account(&transaction.payment().sender)?;
        let admitted = self.mempool.admit(transaction, account, self.clock.own());
        match admitted {
            Ok(()) => self.counters.admitted += 1,
            Err(_) => self.counters.refused += 1,
        }
        Ok(admitted)
    }

    /// An account as of the tip.
    pub(crate) fn account(&self, id: &AccountId) -> Result<Account, LedgerError> {
        match self.mempool.account(id) {
            Some(account) => Ok(account),
            None => self.ledger.account(id),
        }
    }

    /// Answers a question about the mempool.
    pub(crate) fn on_asked(&mut self, peer: PeerId, request: RequestId, question: &Request) {
        let answer = match question {
            Request::MempoolIds(after) => {
                Answer::MempoolIds(Bounded::first(self.mempool.ids_after(*after)))
            }
            Request::Transactions(ids) => {
                // One that is named twice is answered once.
                let ids: BTreeSet<_> = ids.iter().collect();
                let waiting = ids.into_iter().filter_map(|id| self.mempool.get(id));
                let waiting = waiting.map(|transaction| transaction.transaction().clone());
                Answer::Transactions(Bounded::first(waiting))
            }
            // The driver's to answer. Every question has an answer all the same.
            Request::Headers(_) => Answer::Headers(Bounded::default()),
            Request::Blocks(_) => Answer::Blocks(Bounded::default()),
        };
        self.out.push(Output::Answer { peer, request, answer });
    }
}
