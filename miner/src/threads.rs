//! How many threads search.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// As many as configured, where 0 stands for as many as the machine runs at once.
pub(crate) fn count(configured: usize) -> NonZeroUsize {
    NonZeroUsize::new(configured)
        .or_else(|| available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_threads_are_one_a_core() {
        assert_eq!(count(3).get(), 3);
        assert!(count(0).get() >= 1);
    }
}
