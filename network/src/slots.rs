//! How many links others may open to us: in all, and from one address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::limits::{MAX_INBOUND_LINKS, MAX_LINKS_PER_ADDRESS};

/// The links that others opened, by address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// The right to one link; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Slots,
    address: IpAddr,
}

impl Slots {
    /// A slot for a link from this address, if there is one.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Slot> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here = taken.get(&address).copied().unwrap_or(0);
        let crowded = here >= MAX_LINKS_PER_ADDRESS && !address.is_loopback();
        if crowded || taken.values().sum::<usize>() >= MAX_INBOUND_LINKS {
            return None;
        }
        taken.insert(address, here + 1);
        Some(Slot { slots: self.clone(), address })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.0.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(taken.remove(&self.address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_n10_one_address_cannot_take_all_and_slots_come_back() {
        let slots = Slots::default();
        let (greedy, modest) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let held: Vec<_> = std::iter::from_fn(|| slots.take(greedy)).collect();
        assert_eq!(held.len(), MAX_LINKS_PER_ADDRESS);
        assert!(slots.take(modest).is_some());
        drop(held);
        assert!(slots.take(greedy).is_some());
        assert!(slots.0.lock().expect("not poisoned").is_empty());
    }

    #[test]
    fn rule_n10_a_classroom_on_one_machine_fits_up_to_the_total() {
        let slots = Slots::default();
        let held: Vec<_> = std::iter::from_fn(|| slots.take([127, 0, 0, 1].into())).collect();
        assert_eq!(held.len(), MAX_INBOUND_LINKS);
        assert!(slots.take([192, 0, 2, 2].into()).is_none());
    }
}
