//! Panics of searches: what they say, and how many there were.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

/// The panics of an engine's searches since its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many there were.
    pub count: u64,
    /// The last one in words: which thread, what the panic said, and where in the source.
    pub last: String,
}

/// Where all threads of an engine note their failures.
#[derive(Debug, Default)]
pub(super) struct FailureLog(Mutex<Failures>);

impl FailureLog {
    /// Notes the panic of a thread's search. Threads are numbered from 1.
    pub(super) fn note(&self, thread: usize, panic: &str) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failures.count += 1;
        failures.last = format!("thread {thread}: {panic}");
    }

    pub(super) fn so_far(&self) -> Failures {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

thread_local! {
    /// Whether this thread is in [`caught`].
    static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
    /// Where this thread panicked last, as far as the hook has noted it.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps panics of searches off stderr, where they would be several lines for programmers amid a
/// program's messages: who owns the engine tells them in its own words. All other panics are
/// reported as before. It changes the whole process, so it is for a program's start.
pub fn keep_failures_off_stderr() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if IS_WATCHED.get() {
            PLACE.set(panic.location().map(ToString::to_string));
        } else {
            usual(panic);
        }
    }));
}

/// Runs this; if it panics, returns what the panic said.
pub(super) fn caught(run: impl FnOnce()) -> Result<(), String> {
    IS_WATCHED.set(true);
    // Whoever calls it again starts with a new search; the rest of a worker is changed by whole
    // assignments only.
    let result = catch_unwind(AssertUnwindSafe(run));
    IS_WATCHED.set(false);
    result.map_err(|payload| {
        let message = in_words(payload.as_ref());
        PLACE.take().map_or(message.clone(), |place| format!("{message} (at {place})"))
    })
}

/// What a panic says, on one line.
fn in_words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts the panics with this text that reach the hook that is there already.
    fn count_reports(text: &'static str) -> Arc<AtomicUsize> {
        let reports = Arc::new(AtomicUsize::new(0));
        let (counter, usual) = (Arc::clone(&reports), panic::take_hook());
        panic::set_hook(Box::new(move |panic| match panic.payload().downcast_ref::<&str>() {
            Some(said) if *said == text => _ = counter.fetch_add(1, Ordering::Relaxed),
            _ => usual(panic),
        }));
        reports
    }

    #[test]
    fn only_what_is_caught_stays_off_stderr_and_tells_its_place() {
        let reports = count_reports("of this very test");
        keep_failures_off_stderr();
        let said = caught(|| panic!("of this very test")).expect_err("it panicked");
        assert!(said.starts_with("of this very test (at miner/src/engine/failures.rs:"), "{said}");
        assert_eq!(reports.load(Ordering::Relaxed), 0);
        assert!(catch_unwind(|| panic!("of this very test")).is_err());
        assert_eq!(reports.load(Ordering::Relaxed), 1, "another panic is reported as before");
    }

    #[test]
    fn a_panic_is_told_whatever_it_carries() {
        assert_eq!(in_words(&"a text"), "a text");
        assert_eq!(in_words(&format!("a text of {}", 2)), "a text of 2");
        assert_eq!(in_words(&"two\n  lines"), "two lines");
        assert_eq!(in_words(&7), "no message");
        assert_eq!(caught(|| ()), Ok(()));
    }
}
