//! Signs and verifies payments on all cores.

use std::num::NonZeroUsize;
use std::thread;

use cairn_protocol::{NetworkId, Payment, Transaction, VerifiedTransaction};

use crate::accounts::Accounts;

/// How many payments one thread signs and verifies at a time: verifying so many together costs
/// little more than a third of verifying them alone.
const BATCH: usize = 2_048;
/// Fewer than so many items are not worth a thread.
const WORTH_A_THREAD: usize = 32;

/// How many payments are signed together.
pub(crate) fn window() -> usize {
    BATCH * threads()
}

/// The payments with their senders' signatures, in the same order.
pub(crate) fn sign_all(
    payments: &[(usize, Payment)],
    accounts: &Accounts,
    network: NetworkId,
) -> Vec<VerifiedTransaction> {
    if payments.is_empty() {
        // Verifying nothing takes many times as long as making a block of it.
        return Vec::new();
    }
    in_parallel(payments, |part| {
        let sign = |(sender, payment): &(usize, Payment)| -> Transaction {
            accounts.key(*sender).sign(payment.clone(), network)
        };
        let signed = part.iter().map(sign).collect();
        Transaction::verify_all(signed, network).expect("signed by the senders' own keys")
    })
}

/// Does the work for parts of a list, each on a thread of its own, and puts the results together
/// in the list's order.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&[T]) -> Vec<R> + Sync,
) -> Vec<R> {
    let parts = threads().min(items.len().div_ceil(WORTH_A_THREAD));
    if parts < 2 {
        return work(items);
    }
    thread::scope(|scope| {
        let part = items.len().div_ceil(parts);
        let works: Vec<_> = items.chunks(part).map(|part| scope.spawn(|| work(part))).collect();
        let done = works.into_iter().map(|work| work.join().expect("the work does not panic"));
        done.flatten().collect()
    })
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        for count in [0, 1, 31, 32, 33, 64, 65, 1_000] {
            let items: Vec<_> = (0..count).collect();
            assert_eq!(in_parallel(&items, <[i32]>::to_vec), items, "{count}");
        }
    }
}
