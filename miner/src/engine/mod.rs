//! The proof-of-work engine: threads at idle priority that search proofs for the job at hand.
//!
//! It knows headers only as digests and targets, and neither blocks nor chains. What a thread runs
//! on each range of nonces is a [`Search`]: faster kernels come in there.

mod board;
mod pace;
mod priority;
mod salts;
mod search;
mod worker;

pub use board::JobId;
pub use search::{Search, Sha2Search};

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cairn_protocol::{Header, Proof, Target};
use tokio::sync::mpsc;

use board::Board;
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
/// there is nothing to do; a job yields at most one proof.
pub struct Engine {
    board: Arc<Board>,
    hashes: Arc<AtomicU64>,
}

impl Engine {
    /// Starts the threads, each with a search of its own, and without a job. Proofs come out of the
    /// receiver, which holds at most one for each job assigned.
    pub fn start<S: Search + 'static>(
        threads: NonZeroUsize,
        new_search: impl Fn() -> S,
    ) -> (Self, mpsc::UnboundedReceiver<Found>) {
        let (found, proofs) = mpsc::unbounded_channel();
        let engine = Self { board: Arc::new(Board::new(threads)), hashes: Arc::default() };
        for salts in Salts::for_threads(threads, rand::random()) {
            let worker = Worker {
                board: Arc::clone(&engine.board),
                hashes: Arc::clone(&engine.hashes),
                salts,
                search: new_search(),
                found: found.clone(),
            };
            std::thread::Builder::new()
                .name("search".to_owned())
                .spawn(move || worker.run())
                .expect("the system allows a few more threads at the start of a program");
        }
        (engine, proofs)
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
