//! [`Verifiers`]: threads that verify the blocks of a check, whose results come in the order in
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

type Verified = Result<Vec<VerifiedBlock>, BadBlock>;

/// A batch, and where its result goes.
struct Job {
    batch: StoredBlocks,
    done: Sender<Verified>,
}

/// The threads, which end when this is dropped.
pub(super) struct Verifiers {
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
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        threads: NonZeroUsize,
        network: &'scope Network,
    ) -> io::Result<Self> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads.get() {
            let queue = Arc::clone(&queue);
            Builder::new().spawn_scoped(scope, move || work(&queue, network))?;
        }
        Ok(Self { jobs, under_way: VecDeque::new(), window: BATCHES_A_THREAD * threads.get() })
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
        // Nobody may want it any more: an earlier batch was not valid.
        let _ = done.send(batch.verify(network));
    }
}
