//! One searching thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cairn_protocol::Proof;

use super::board::{Board, JobId};
use super::failures::{FailureLog, caught};
use super::pace::Pace;
use super::pauses::Pauses;
use super::salts::Salts;
use super::{Found, Job, Search, priority};

/// What a thread has of its own and what it shares.
pub(super) struct Worker<F, R> {
    /// Threads are numbered from 1.
    pub(super) number: usize,
    pub(super) board: Arc<Board>,
    pub(super) hashes: Arc<AtomicU64>,
    pub(super) failures: Arc<FailureLog>,
    pub(super) salts: Salts,
    pub(super) pace: Pace,
    pub(super) pauses: Pauses,
    pub(super) new_search: Arc<F>,
    /// Where proofs go.
    pub(super) found: Arc<R>,
}

impl<S: Search, F: Fn() -> S, R: Fn(Found)> Worker<F, R> {
    /// Works until it is time to leave. A search that panics is replaced by a new one, after a
    /// pause; meanwhile the job and the other threads go on.
    pub(super) fn run(mut self) {
        priority::yield_to_all();
        loop {
            let began = Instant::now();
            let Err(panic) = caught(|| self.work()) else { return };
            let pause = self.pauses.after(began.elapsed());
            self.failures.note(self.number, &panic);
            if self.board.is_stopped_within(pause) {
                return;
            }
        }
    }

    /// Works with a new search on one job after the other until it is time to leave.
    fn work(&mut self) {
        let mut search = (self.new_search)();
        while let Some((id, job)) = self.board.next_job() {
            let proof = self.search_job(&mut search, id, &job);
            if let Some(proof) = proof.filter(|_| self.board.finish(id)) {
                (self.found)(Found { job: id, proof });
            }
        }
    }

    /// Searches salt after salt; `None` once the job is no longer the current one.
    fn search_job(&mut self, search: &mut S, id: JobId, job: &Job) -> Option<Proof> {
        loop {
            let salt = self.salts.next();
            let mut next = Some(0);
            while let Some(first) = next {
                if !self.board.is_current(id) {
                    return None;
                }
                let nonces = self.pace.step_from(first);
                let last = *nonces.end();
                let began = Instant::now();
                let found = search.search(&job.header_digest, &salt, nonces, &job.target);
                let tried = u64::from(found.unwrap_or(last) - first) + 1;
                self.hashes.fetch_add(tried, Ordering::Relaxed);
                if let Some(nonce) = found {
                    return Some(Proof { salt, nonce });
                }
                self.pace.learn(tried, began.elapsed());
                next = last.checked_add(1);
            }
        }
    }
}

impl<F, R> Drop for Worker<F, R> {
    /// Also after a panic of its own, so that nobody waits for this thread.
    fn drop(&mut self) {
        self.board.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_pow::Kernel;
    use std::num::NonZeroUsize;
    use std::sync::mpsc::sync_channel;
    use std::time::Duration;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn a_pause_ends_when_the_engine_stops() {
        let board = Arc::new(Board::new());
        board.enter();
        let (tell, told) = sync_channel(1);
        let new_search = move || -> Kernel {
            tell.send(()).expect("the test waits");
            panic!("cannot be made");
        };
        let worker = Worker {
            number: 1,
            board: Arc::clone(&board),
            hashes: Arc::default(),
            failures: Arc::default(),
            salts: Salts::for_threads(NonZeroUsize::MIN, [0; 6]).next().expect("one"),
            pace: Pace::new(),
            pauses: Pauses::starting_with(Duration::from_secs(3_600)),
            new_search: Arc::new(new_search),
            found: Arc::new(|_| ()),
        };
        let (end, ended) = sync_channel(1);
        std::thread::spawn(move || {
            worker.run();
            end.send(()).expect("the test waits");
        });
        told.recv_timeout(PATIENCE).expect("it has tried once");
        board.stop();
        ended.recv_timeout(PATIENCE).expect("long before the pause is over");
    }
}
