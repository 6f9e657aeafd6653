//! [`Verifiers`]: threads that verify stored blocks, whose results come in the order in
//! which the blocks were given.

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, Scope};

use cairn_ledger::{BadBlock, StoredBlocks, VerifyBlocks};
use cairn_protocol::{Network, VerifiedBlock};

/// How many batches wait for each thread, so that none is idle while others are read.
const BATCHES_A_THREAD: usize = 3;
/// And how many wait at least: about 100,000 payments, so that the threads have enough to do while
/// as many are committed.
const LEAST_BATCHES: usize = 64;

type Verified = Vec<Result<VerifiedBlock, BadBlock>>;

/// A batch, and where its result goes.
struct Job {
    batch: StoredBlocks,
    done: Sender<Verified>,
}

/// The threads, which end when this is dropped.
pub(crate) struct Verifiers {
    jobs: Sender<Job>,
    /// The results to come, oldest first.
    under_way: VecDeque<Receiver<Verified>>,
    window: usize,
}

impl Verifiers {
    /// Starts so many threads.
    ///
    /// # Errors
    /// If the system does not allow so many.
    pub(crate) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        threads: NonZeroUsize,
        network: &'scope Network,
    ) -> io::Result<Self> {
        let window = LEAST_BATCHES.max(BATCHES_A_THREAD * threads.get());
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads.get() {
            let queue = Arc::clone(&queue);
            Builder::new().spawn_scoped(scope, move || work(&queue, network))?;
        }
        Ok(Self { jobs, under_way: VecDeque::new(), window })
    }
}

impl VerifyBlocks for Verifiers {
    fn window(&self) -> usize {
        self.window
    }

    fn give(&mut self, batch: StoredBlocks) {
        let (done, result) = channel();
        self.jobs.send(Job { batch, done }).expect("the threads wait for jobs until this ends");
        self.under_way.push_back(result);
    }

    fn take(&mut self) -> Verified {
        let result = self.under_way.pop_front().expect("no more is taken than was given");
        result.recv().expect("a thread answers each job that it takes")
    }
}

/// Verifies until no more can come.
fn work(queue: &Mutex<Receiver<Job>>, network: &Network) {
    loop {
        // The lock is held while waiting, and not while working. It guards no data of ours.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { batch, done }) = job else { return };
        // Nobody may want it any more.
        let _ = done.send(batch.verify(network));
    }
}
