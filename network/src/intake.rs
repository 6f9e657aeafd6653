//! The way of a transaction into the node: recognised if it came before, then a bounded queue,
//! then verified with others on a thread that may block.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use cairn_node::Origin;
use cairn_protocol::codec::encode;
use cairn_protocol::{NetworkId, Transaction, TransactionError, VerifiedTransaction};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::inbox::Incoming;
use crate::limits::{MAX_BATCH, MAX_UNVERIFIED};
use crate::seen::Seen;

/// A transaction that waits to be verified.
#[derive(Debug)]
pub(crate) struct Candidate {
    origin: Origin,
    transaction: Transaction,
}

#[cfg(test)]
impl Candidate {
    /// By which way it came.
    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }
}

/// Where transactions are handed in.
#[derive(Clone, Debug)]
pub(crate) struct Intake {
    queue: mpsc::Sender<Candidate>,
    seen: Arc<Mutex<Seen>>,
}

impl Intake {
    /// An intake, and the queue that [`verify_incoming`] works off.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Candidate>) {
        let (queue, candidates) = mpsc::channel(MAX_UNVERIFIED);
        let seen = Arc::new(Mutex::new(Seen::new(Instant::now())));
        (Self { queue, seen }, candidates)
    }

    /// Takes a transaction if it is new and there is room: broadcasts are lossy anyway. Returns
    /// whether it was taken.
    pub(crate) fn offer(&self, origin: Origin, transaction: Transaction) -> bool {
        // Room first: what is lost for want of room must not be recognised when it comes again.
        let Ok(room) = self.queue.try_reserve() else { return false };
        let is_new = self.remember(&transaction);
        if is_new {
            room.send(Candidate { origin, transaction });
        }
        is_new
    }

    /// Takes a transaction if it is new, and waits for room: on a link, only its sender waits.
    pub(crate) async fn take(&self, origin: Origin, transaction: Transaction) {
        let Ok(room) = self.queue.reserve().await else { return };
        if self.remember(&transaction) {
            room.send(Candidate { origin, transaction });
        }
    }

    /// Notes a transaction, so that it is recognised when it comes (back). Returns whether it is
    /// new.
    pub(crate) fn remember(&self, transaction: &Transaction) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(&encode(transaction), Instant::now())
    }
}

/// Verifies what waits, many at once, until the driver is gone.
pub(crate) async fn verify_incoming(
    mut candidates: mpsc::Receiver<Candidate>,
    network: NetworkId,
    inbox: mpsc::Sender<Incoming>,
) {
    let mut batch = Vec::new();
    while candidates.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let candidates = std::mem::take(&mut batch);
        let Ok(verdicts) = spawn_blocking(move || verify(candidates, network)).await else {
            return;
        };
        for verdict in verdicts {
            if inbox.send(verdict).await.is_err() {
                return;
            }
        }
    }
}

fn verify(candidates: Vec<Candidate>, network: NetworkId) -> Vec<Incoming> {
    let (origins, transactions): (Vec<_>, Vec<_>) =
        candidates.into_iter().map(|one| (one.origin, one.transaction)).unzip();
    let verdicts = origins.into_iter().zip(verify_each(transactions, network));
    verdicts.filter_map(|(origin, verdict)| report(origin, verdict)).collect()
}

/// The verdict on each. The batch is fast and only says that something in it is wrong; then each
/// is looked at alone, which bounds what many wrong ones cost.
pub(crate) fn verify_each(
    transactions: Vec<Transaction>,
    network: NetworkId,
) -> Vec<Result<VerifiedTransaction, TransactionError>> {
    match Transaction::verify_all(transactions.clone(), network) {
        Ok(verified) => verified.into_iter().map(Ok).collect(),
        Err(_) => transactions.into_iter().map(|one| one.verify(network)).collect(),
    }
}

fn report(
    origin: Origin,
    verdict: Result<VerifiedTransaction, TransactionError>,
) -> Option<Incoming> {
    match (verdict, origin) {
        (Ok(transaction), _) => Some(Incoming::Transaction { origin, transaction }),
        (Err(error), Origin::Link(peer)) => Some(Incoming::BadTransaction { peer, error }),
        // A datagram's source can be forged: there is nobody to blame.
        (Err(_), Origin::Own | Origin::Broadcast) => None,
    }
}

#[cfg(test)]
mod tests {
    use cairn_node::PeerId;

    use super::*;
    use crate::testing::{network, payment};

    fn verified(incoming: Option<Incoming>) -> (Origin, Transaction) {
        match incoming {
            Some(Incoming::Transaction { origin, transaction }) => {
                (origin, transaction.transaction().clone())
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_bad_transaction_is_found_and_the_rest_is_kept() {
        let network = network();
        let (intake, candidates) = Intake::new();
        let (inbox, mut incoming) = mpsc::channel(10);
        let good = [1, 2, 3].map(|seed| payment(&network, seed, 0));
        let mut forged = payment(&network, 4, 0);
        forged.signature.0[0] ^= 1;
        let link = Origin::Link(PeerId(7));
        assert!(intake.offer(Origin::Broadcast, good[0].clone()));
        assert!(intake.offer(link, forged.clone()));
        assert!(intake.offer(link, good[1].clone()));
        forged.signature.0[0] ^= 2;
        assert!(intake.offer(Origin::Broadcast, forged));
        intake.take(Origin::Broadcast, good[2].clone()).await;
        drop(intake);
        verify_incoming(candidates, network.id(), inbox).await;
        assert_eq!(verified(incoming.recv().await), (Origin::Broadcast, good[0].clone()));
        let blamed = incoming.recv().await;
        let Some(Incoming::BadTransaction { peer, error }) = blamed else { panic!("{blamed:?}") };
        assert_eq!((peer, error), (PeerId(7), TransactionError::Signature));
        assert_eq!(verified(incoming.recv().await), (link, good[1].clone()));
        assert_eq!(verified(incoming.recv().await), (Origin::Broadcast, good[2].clone()));
        assert!(incoming.recv().await.is_none());
    }

    #[test]
    fn repetitions_are_not_verified_again() {
        let (intake, mut candidates) = Intake::new();
        let transaction = payment(&network(), 1, 0);
        assert!(intake.offer(Origin::Broadcast, transaction.clone()));
        for _ in 0..1_000 {
            assert!(!intake.offer(Origin::Link(PeerId(1)), transaction.clone()));
        }
        assert!(candidates.try_recv().is_ok());
        assert!(candidates.try_recv().is_err());
    }

    /// A forged signature, with the id of a payment that is yet to come, must not keep it out.
    #[tokio::test]
    async fn attack_07_a_forgery_that_came_first_does_not_hide_the_payment_of_its_id() {
        let network = network();
        let (intake, candidates) = Intake::new();
        let (inbox, mut incoming) = mpsc::channel(10);
        let good = payment(&network, 1, 0);
        let mut forged = good.clone();
        forged.signature.0[63] ^= 1;
        assert_eq!(forged.payment.id(network.id()), good.payment.id(network.id()));
        assert!(intake.offer(Origin::Broadcast, forged.clone()));
        intake.take(Origin::Broadcast, good.clone()).await;
        assert!(!intake.offer(Origin::Broadcast, forged), "each of them once");
        assert!(!intake.offer(Origin::Broadcast, good.clone()));
        drop(intake);
        verify_incoming(candidates, network.id(), inbox).await;
        assert_eq!(verified(incoming.recv().await), (Origin::Broadcast, good));
        assert!(incoming.recv().await.is_none());
    }

    #[test]
    fn what_came_by_ourselves_is_recognised_when_it_comes_back() {
        let (intake, _candidates) = Intake::new();
        let transaction = payment(&network(), 1, 0);
        assert!(intake.remember(&transaction));
        assert!(!intake.offer(Origin::Broadcast, transaction));
    }

    #[test]
    fn a_flood_overflows_a_bounded_queue_and_what_was_lost_may_come_again() {
        let (intake, mut candidates) = Intake::new();
        let mut transaction = payment(&network(), 1, 0);
        let mut numbered = |number: u64| {
            transaction.signature.0[..8].copy_from_slice(&number.to_le_bytes());
            transaction.clone()
        };
        for number in 0..MAX_UNVERIFIED as u64 {
            assert!(intake.offer(Origin::Broadcast, numbered(number)));
        }
        let one_more = numbered(u64::MAX);
        assert!(!intake.offer(Origin::Broadcast, one_more.clone()));
        candidates.try_recv().expect("one of many");
        assert!(intake.offer(Origin::Broadcast, one_more));
    }
}
