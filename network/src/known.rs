//! [`KnownPayments`]: payments that the node was handed, so that their signatures are not checked
//! again when a block has them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cairn_protocol::{TransactionId, VerifiedTransaction};

use crate::limits::{MAX_KNOWN, MAX_KNOWN_BYTES};

/// The last payments that were verified, for all threads. It keeps two generations: when the
/// younger is full, the elder is forgotten. So the last [`MAX_KNOWN`] are here, or
/// [`MAX_KNOWN_BYTES`] of them, and at most twice as many.
#[derive(Debug)]
pub(crate) struct KnownPayments {
    /// The most payments of a generation, and the most bytes.
    most: (usize, usize),
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    younger: HashMap<TransactionId, VerifiedTransaction>,
    younger_bytes: usize,
    elder: HashMap<TransactionId, VerifiedTransaction>,
    /// How often a payment was found.
    found: u64,
}

impl Default for KnownPayments {
    fn default() -> Self {
        Self { most: (MAX_KNOWN, MAX_KNOWN_BYTES), generations: Mutex::default() }
    }
}

impl KnownPayments {
    /// Remembers a payment.
    pub(crate) fn add(&self, payment: &VerifiedTransaction) {
        let mut all = self.lock();
        let (most, most_bytes) = self.most;
        if all.younger.contains_key(&payment.id()) {
            return;
        }
        if all.younger.len() >= most || all.younger_bytes >= most_bytes {
            all.elder = std::mem::take(&mut all.younger);
            all.younger_bytes = 0;
        }
        all.younger_bytes += payment.encoded_len();
        all.younger.insert(payment.id(), payment.clone());
    }

    /// The payment of this id, if it is remembered.
    pub(crate) fn get(&self, id: &TransactionId) -> Option<VerifiedTransaction> {
        let mut all = self.lock();
        let payment = all.younger.get(id).or_else(|| all.elder.get(id)).cloned();
        all.found += u64::from(payment.is_some());
        payment
    }

    /// A panic elsewhere leaves the maps whole.
    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl KnownPayments {
    /// How often a payment was found.
    pub(crate) fn found(&self) -> u64 {
        self.lock().found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{network, payment};

    fn payments(count: u8) -> Vec<VerifiedTransaction> {
        let network = network();
        let payment = |memo| payment(&network, 1, memo).verify(network.id()).expect("valid");
        (0..count).map(payment).collect()
    }

    fn known_of(payments: &[VerifiedTransaction], most: (usize, usize)) -> Vec<usize> {
        let known = KnownPayments { most, ..KnownPayments::default() };
        for payment in payments {
            known.add(payment);
            known.add(payment);
        }
        let all = payments.iter().enumerate();
        let found = all.filter(|(_, one)| known.get(&one.id()).as_ref() == Some(*one));
        let places: Vec<usize> = found.map(|(index, _)| index).collect();
        assert_eq!(known.found(), places.len() as u64);
        places
    }

    #[test]
    fn the_last_ones_are_known_and_at_most_twice_as_many() {
        let payments = payments(21);
        assert_eq!(known_of(&payments, (10, usize::MAX)), (10..21).collect::<Vec<_>>());
        let bytes = 3 * payments[0].encoded_len();
        assert_eq!(known_of(&payments, (usize::MAX, bytes)), (15..21).collect::<Vec<_>>());
        let (most, most_bytes) = KnownPayments::default().most;
        assert_eq!((most, most_bytes), (MAX_KNOWN, MAX_KNOWN_BYTES));
    }
}
