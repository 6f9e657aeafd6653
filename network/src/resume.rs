//! What waited for a block when an earlier run ended, into the mempool of a new one.

use cairn_ledger::LedgerError;
use cairn_node::{AdmitError, Node};
use cairn_protocol::Transaction;

use crate::clock;
use crate::intake::verify_each;
use crate::known::KnownPayments;
use crate::limits::MAX_BATCH;

/// Verifies these, and lets the node admit what its chain still allows; the rest is dropped. They
/// are sent to nobody: only the owner of a payment repeats it.
///
/// # Errors
/// [`LedgerError`] if the chain cannot be read.
pub(crate) fn resume(
    node: &mut Node,
    mut waiting: Vec<Transaction>,
    known: &KnownPayments,
) -> Result<(), LedgerError> {
    let network = node.ledger().network().id();
    let saved = waiting.len();
    // So that no payment stands before its turn.
    waiting.sort_by_key(|transaction| transaction.payment.sequence);
    for batch in waiting.chunks(MAX_BATCH) {
        for transaction in verify_each(batch.to_vec(), network).into_iter().flatten() {
            known.add(&transaction);
            match node.admit(clock::now(), transaction) {
                Ok(()) | Err(AdmitError::Refused(_)) => {}
                Err(AdmitError::Ledger(error)) => return Err(error),
            }
        }
    }
    if saved > 0 {
        let admitted = node.counters().mempool;
        tracing::info!("of {saved} payments that waited at the last stop, {admitted} still do");
    }
    Ok(())
}
