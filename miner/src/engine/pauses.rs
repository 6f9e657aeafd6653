//! How long a thread waits after a panic of its search, before it searches again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(10);

/// Pauses that double as long as one panic follows upon the other, so that a search that always
/// panics costs next to nothing, and one that did it once hardly loses time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pauses {
    next: Duration,
}

impl Pauses {
    pub(super) fn new() -> Self {
        Self::starting_with(FIRST)
    }

    pub(super) fn starting_with(first: Duration) -> Self {
        Self { next: first }
    }

    /// The pause after a search that went well for so long before it panicked.
    pub(super) fn after(&mut self, went_well: Duration) -> Duration {
        if went_well > LONGEST {
            self.next = FIRST;
        }
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_start_anew_after_a_calm() {
        let mut pauses = Pauses::new();
        let millis: Vec<_> =
            (0..12).map(|_| pauses.after(Duration::from_millis(1)).as_millis()).collect();
        assert_eq!(millis, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_000, 10_000]);
        assert_eq!(pauses.after(LONGEST + Duration::from_millis(1)), FIRST);
        assert_eq!(pauses.after(LONGEST), FIRST * 2);
    }
}
