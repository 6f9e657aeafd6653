//! Recognising what came before, for a while and within bounds.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use crate::limits::{MAX_SEEN, SEEN_FOR};

/// The byte strings of the last moments. It keeps two generations: when the younger is full or old
/// enough, the elder is forgotten.
///
/// Hashes of 64 bits stand for the bytes, keyed at random: nobody can make two of them meet, and
/// should it happen by chance, a repetition half a minute later helps.
#[derive(Debug)]
pub(crate) struct Seen {
    key: RandomState,
    younger: HashSet<u64>,
    elder: HashSet<u64>,
    since: Instant,
}

impl Seen {
    /// Nothing seen yet.
    pub(crate) fn new(now: Instant) -> Self {
        let (younger, elder) = (HashSet::new(), HashSet::new());
        Self { key: RandomState::new(), younger, elder, since: now }
    }

    /// Whether these bytes are new; from now on, they are not.
    pub(crate) fn insert(&mut self, bytes: &[u8], now: Instant) -> bool {
        let age = now.duration_since(self.since);
        if self.younger.len() >= MAX_SEEN || age >= SEEN_FOR {
            self.elder = std::mem::take(&mut self.younger);
            self.since = now;
        }
        if age >= SEEN_FOR * 2 {
            self.elder.clear();
        }
        let hash = self.key.hash_one(bytes);
        !self.elder.contains(&hash) && self.younger.insert(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_before_is_recognised_for_a_while() {
        let start = Instant::now();
        let mut seen = Seen::new(start);
        assert!(seen.insert(b"a", start));
        assert!(!seen.insert(b"a", start));
        assert!(seen.insert(b"b", start));
        assert!(!seen.insert(b"a", start + SEEN_FOR));
        assert!(seen.insert(b"a", start + SEEN_FOR * 2));
        assert!(seen.insert(b"a", start + SEEN_FOR * 5), "an owner's repetition is heard again");
    }

    #[test]
    fn a_flood_does_not_grow_it_without_end() {
        let start = Instant::now();
        let mut seen = Seen::new(start);
        for number in 0..3 * MAX_SEEN as u64 {
            seen.insert(&number.to_le_bytes(), start);
        }
        assert!(seen.younger.len() + seen.elder.len() <= 2 * MAX_SEEN);
    }
}
