//! Recognising what came before, for a while and within bounds.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use crate::limits::{MAX_SEEN, SEEN_FOR};

/// The byte strings of the last moments. It keeps two generations: when the younger is full or old
/// enough, the elder is forgotten.
///
/// Hashes of 64 bits stand for the bytes, keyed at random: nobody can make two of them meet, and
/// should it happen by chance, the next repetition helps.
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
        if age >= SEEN_FOR * 2 {
            self.younger.clear();
            self.elder.clear();
            self.since = now;
        } else if age >= SEEN_FOR {
            // Not `now`: what came first in this generation would be kept for a third span.
            self.since += SEEN_FOR;
            self.elder = std::mem::take(&mut self.younger);
        } else if self.younger.len() >= MAX_SEEN {
            self.since = now;
            self.elder = std::mem::take(&mut self.younger);
        }
        let hash = self.key.hash_one(bytes);
        !self.elder.contains(&hash) && self.younger.insert(hash)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limits::MIN_TRANSACTION_INTERVAL;

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
    fn a_repetition_at_the_shortest_interval_is_new_each_time() {
        let start = Instant::now();
        // Whenever it comes first, and however much else there is.
        for offset in 0..10 {
            let mut seen = Seen::new(start);
            let step = Duration::from_millis(50);
            for number in 0..200_u32 {
                let now = start + step * number;
                let repeats = number >= offset && (number - offset).is_multiple_of(20);
                assert!(!repeats || seen.insert(b"payment", now), "{offset}: {number}");
                seen.insert(&number.to_le_bytes(), now);
            }
        }
        assert_eq!(Duration::from_millis(50) * 20, MIN_TRANSACTION_INTERVAL);
    }

    #[test]
    fn nothing_is_recognised_for_longer_than_two_spans() {
        let start = Instant::now();
        let mut seen = Seen::new(start);
        assert!(seen.insert(b"a", start));
        assert!(!seen.insert(b"a", start + SEEN_FOR * 19 / 10));
        assert!(seen.insert(b"a", start + SEEN_FOR * 2));
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
