//! Where the job hangs that all threads work on, and where they wait for one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Job;

/// Tells jobs apart, in the order in which they were assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobId(u64);

/// The one job, and the threads that it is for.
pub(super) struct Board {
    /// The number of the last change to the job: what a thread looks at between two steps, so that
    /// looking costs no lock.
    change: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    job: Option<Job>,
    stopped: bool,
    /// Threads that have not left.
    threads: usize,
}

impl Board {
    pub(super) fn new() -> Self {
        Self {
            change: AtomicU64::new(0),
            state: Mutex::new(State { job: None, stopped: false, threads: 0 }),
            changed: Condvar::new(),
        }
    }

    /// Notes that there is one thread more.
    pub(super) fn enter(&self) {
        self.lock().threads += 1;
    }

    /// Hangs up a job in place of the last.
    pub(super) fn assign(&self, job: Job) -> JobId {
        let id = self.change_to(&mut self.lock(), Some(job));
        self.changed.notify_all();
        id
    }

    /// Takes the job down.
    pub(super) fn rest(&self) {
        self.change_to(&mut self.lock(), None);
    }

    /// Takes this job down, unless another hangs there by now. Only one thread gets `true`.
    pub(super) fn finish(&self, id: JobId) -> bool {
        let mut state = self.lock();
        let first = self.is_current(id);
        if first {
            self.change_to(&mut state, None);
        }
        first
    }

    /// Tells all threads to leave.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        self.change_to(&mut state, None);
        drop(state);
        self.changed.notify_all();
    }

    /// Whether this is still what to work on.
    pub(super) fn is_current(&self, id: JobId) -> bool {
        self.change.load(Ordering::Acquire) == id.0
    }

    /// Waits for a job; `None`: it is time to leave.
    pub(super) fn next_job(&self) -> Option<(JobId, Job)> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return None;
            }
            if let Some(job) = state.job {
                return Some((JobId(self.change.load(Ordering::Acquire)), job));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for so long; returns whether it is time to leave, then at once.
    pub(super) fn is_stopped_within(&self, most: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), most, |state| !state.stopped);
        waited.unwrap_or_else(PoisonError::into_inner).0.stopped
    }

    /// Notes that a thread has left.
    pub(super) fn leave(&self) {
        self.lock().threads -= 1;
        self.changed.notify_all();
    }

    /// Waits until no thread is left, but not longer than this.
    pub(super) fn wait_until_all_left(&self, most: Duration) {
        let waited = self.changed.wait_timeout_while(self.lock(), most, |state| state.threads > 0);
        drop(waited);
    }

    fn change_to(&self, state: &mut MutexGuard<'_, State>, job: Option<Job>) -> JobId {
        state.job = job;
        JobId(self.change.fetch_add(1, Ordering::AcqRel) + 1)
    }

    /// A panic elsewhere leaves the state whole: every change to it is one assignment.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
