//! The proof-of-work engine: threads at idle priority that search proofs for the job at hand.
//!
//! It knows headers only as digests and targets, and neither blocks nor chains. What a thread runs
//! on each range of nonces is a [`Search`]: a kernel of the crate `cairn_pow`.

mod board;
mod failures;
mod pace;
mod pauses;
mod priority;
mod salts;
mod search;
mod worker;

pub use board::JobId;
pub use failures::{Failures, keep_failures_off_stderr};
pub use search::Search;

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cairn_protocol::{Header, Proof, Target};

use board::Board;
use failures::FailureLog;
use pace::Pace;
use pauses::Pauses;
use salts::Salts;
use worker::Worker;

/// How long [`Engine::stop`] waits for its threads. One that gets no processor time in all of it is
/// left behind; it ends at its next step.
const STOP_WITHIN: Duration = Duration::from_millis(100);

/// What to search a proof for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// The digest of the header, see [`Header::digest`].
    pub header_digest: [u8; 32],
    /// What the hash must meet.
    pub target: Target,
}

impl Job {
    /// The job of proving this header.
    pub fn of(header: &Header) -> Self {
        Self { header_digest: header.digest(), target: header.target }
    }
}

/// A proof that meets its job's target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What [`Engine::assign`] returned for the job.
    pub job: JobId,
    /// The proof.
    pub proof: Proof,
}

/// Threads that search. Each job is searched until a proof is found, another job is assigned, or
/// there is nothing to do; a job yields at most one proof. A search that panics is replaced.
pub struct Engine {
    board: Arc<Board>,
    hashes: Arc<AtomicU64>,
    failures: Arc<FailureLog>,
}

impl Engine {
    /// Starts the threads, each with a search of its own, and without a job. Whoever finds a proof
    /// hands it to `found`, on its own thread: that should not take long, nor wait.
    ///
    /// # Errors
    /// If the system does not allow so many threads.
    pub fn start<S: Search + 'static>(
        threads: NonZeroUsize,
        new_search: impl Fn() -> S + Send + Sync + 'static,
        found: impl Fn(Found) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let engine = Self {
            board: Arc::new(Board::new()),
            hashes: Arc::default(),
            failures: Arc::default(),
        };
        let (new_search, found) = (Arc::new(new_search), Arc::new(found));
        for (number, salts) in (1..).zip(Salts::for_threads(threads, rand::random())) {
            engine.board.enter();
            let worker = Worker {
                number,
                board: Arc::clone(&engine.board),
                hashes: Arc::clone(&engine.hashes),
                failures: Arc::clone(&engine.failures),
                salts,
                pace: Pace::new(),
                pauses: Pauses::new(),
                new_search: Arc::clone(&new_search),
                found: Arc::clone(&found),
            };
            // A worker that gets no thread is dropped, and so leaves the board.
            std::thread::Builder::new().name("search".to_owned()).spawn(move || worker.run())?;
        }
        Ok(engine)
    }

    /// Replaces the job, if there is one.
    pub fn assign(&self, job: Job) -> JobId {
        self.board.assign(job)
    }

    /// Withdraws the job, if there is one: the threads sleep.
    pub fn rest(&self) {
        self.board.rest();
    }

    /// The number of hashes computed since the start.
    pub fn hashes(&self) -> u64 {
        self.hashes.load(Ordering::Relaxed)
    }

    /// The panics of searches since the start.
    pub fn failures(&self) -> Failures {
        self.failures.so_far()
    }

    /// Ends the threads; returns when they have ended, or after 100 ms.
    pub fn stop(&self) {
        self.board.stop();
        self.board.wait_until_all_left(STOP_WITHIN);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.board.stop();
    }
}

#[cfg(test)]
mod tests;
