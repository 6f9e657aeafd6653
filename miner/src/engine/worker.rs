//! One searching thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cairn_protocol::Proof;
use tokio::sync::mpsc;

use super::board::{Board, JobId};
use super::pace::Pace;
use super::salts::Salts;
use super::{Found, Job, Search, priority};

/// What a thread has of its own and what it shares.
pub(super) struct Worker<S> {
    pub(super) board: Arc<Board>,
    pub(super) hashes: Arc<AtomicU64>,
    pub(super) salts: Salts,
    pub(super) search: S,
    pub(super) found: mpsc::UnboundedSender<Found>,
}

impl<S: Search> Worker<S> {
    /// Works on one job after the other until it is time to leave.
    pub(super) fn run(mut self) {
        priority::yield_to_all();
        let mut pace = Pace::new();
        while let Some((id, job)) = self.board.next_job() {
            let proof = self.search_job(id, &job, &mut pace);
            if let Some(proof) = proof.filter(|_| self.board.finish(id)) {
                // Nobody receives: the program is about to end.
                let _ = self.found.send(Found { job: id, proof });
            }
        }
    }

    /// Searches salt after salt; `None` once the job is no longer the current one.
    fn search_job(&mut self, id: JobId, job: &Job, pace: &mut Pace) -> Option<Proof> {
        loop {
            let salt = self.salts.next();
            let mut next = Some(0);
            while let Some(first) = next {
                if !self.board.is_current(id) {
                    return None;
                }
                let nonces = pace.step_from(first);
                let last = *nonces.end();
                let began = Instant::now();
                let found = self.search.search(&job.header_digest, &salt, nonces, &job.target);
                let tried = u64::from(found.unwrap_or(last) - first) + 1;
                self.hashes.fetch_add(tried, Ordering::Relaxed);
                if let Some(nonce) = found {
                    return Some(Proof { salt, nonce });
                }
                pace.learn(tried, began.elapsed());
                next = last.checked_add(1);
            }
        }
    }
}

impl<S> Drop for Worker<S> {
    /// Also after a panic of the search, so that nobody waits for this thread.
    fn drop(&mut self) {
        self.board.leave();
    }
}
