//! How many threads search.

use std::io;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use cairn_home::{Exit, Failure};

use crate::events::Event;

/// The searching threads, and how many this machine runs at once, if it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Threads {
    number: NonZeroUsize,
    cores: Option<NonZeroUsize>,
}

impl Threads {
    /// As configured; 0 stands for one a core.
    pub(crate) fn of_this_machine(configured: usize) -> Self {
        Self::new(configured, available_parallelism().ok())
    }

    fn new(configured: usize, cores: Option<NonZeroUsize>) -> Self {
        let number = NonZeroUsize::new(configured).or(cores).unwrap_or(NonZeroUsize::MIN);
        Self { number, cores }
    }

    pub(crate) fn number(self) -> NonZeroUsize {
        self.number
    }

    /// Warns of more threads than cores, which is allowed.
    pub(crate) fn warning(self) -> Option<Event> {
        let (number, cores) = (self.number, self.cores.filter(|cores| *cores < self.number)?);
        let message = format!(
            "{number} searching threads, but this machine runs {cores} at once: they find no more \
             than {cores} would; set miner.threads or --threads to 0 for one a core"
        );
        Some(Event::Warning { code: "many_threads", message })
    }

    /// The system does not allow so many.
    pub(crate) fn refused(self, error: &io::Error) -> Failure {
        let message = format!(
            "cannot start {} threads: {error}; set miner.threads or --threads to fewer, \
             or to 0 for one a core",
            self.number
        );
        Failure::new(Exit::Unexpected, "threads", message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(configured: usize, cores: usize) -> Threads {
        Threads::new(configured, NonZeroUsize::new(cores))
    }

    #[test]
    fn zero_threads_are_one_a_core() {
        assert_eq!(threads(0, 6).number().get(), 6);
        assert_eq!(threads(3, 6).number().get(), 3);
        assert_eq!(threads(0, 0).number().get(), 1, "a machine that does not tell");
        let cores = available_parallelism().expect("this machine tells");
        assert_eq!(Threads::of_this_machine(0).number(), cores);
    }

    #[test]
    fn more_threads_than_cores_are_allowed_with_a_warning() {
        assert_eq!(threads(7, 6).number().get(), 7);
        let warning = threads(7, 6).warning().expect("one too many");
        let words = "warning: 7 searching threads, but this machine runs 6 at once: they find no \
                     more than 6 would; set miner.threads or --threads to 0 for one a core";
        assert_eq!(warning.to_string(), words);
        assert!(matches!(warning, Event::Warning { code: "many_threads", .. }));
        for (configured, cores) in [(6, 6), (1, 6), (0, 6), (0, 0), (7, 0)] {
            assert_eq!(threads(configured, cores).warning(), None, "{configured} on {cores}");
        }
    }
}
