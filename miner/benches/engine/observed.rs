//! A search that keeps a record of its steps.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use cairn_miner::engine::Search;
use cairn_protocol::Target;

use crate::{clocks, kernel};

/// One call of a search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) header_digest: [u8; 32],
    pub(crate) hashes: u64,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    /// The seconds of processor time that its thread had used by its end.
    pub(crate) cpu: f64,
}

/// The steps of one thread, in their order.
type Record = Arc<Mutex<Vec<Step>>>;

/// The steps of all threads of an engine.
#[derive(Clone, Default)]
pub(crate) struct Records(Arc<Mutex<Vec<Record>>>);

impl Records {
    /// A search with a record of its own.
    pub(crate) fn new_search(&self) -> impl Search + use<> {
        let record = Record::default();
        self.0.lock().expect("no panic").push(Arc::clone(&record));
        Observed { search: kernel(), record }
    }

    /// What each thread has done by now.
    pub(crate) fn take(&self) -> Vec<Vec<Step>> {
        let records = self.0.lock().expect("no panic");
        let take = |record: &Record| std::mem::take(&mut *record.lock().expect("no panic"));
        records.iter().map(take).collect()
    }
}

struct Observed<S> {
    search: S,
    record: Record,
}

impl<S: Search> Search for Observed<S> {
    fn search(
        &mut self,
        header_digest: &[u8; 32],
        salt: &[u8; 16],
        nonces: RangeInclusive<u32>,
        target: &Target,
    ) -> Option<u32> {
        let hashes = u64::from(nonces.end() - nonces.start()) + 1;
        let began = Instant::now();
        let found = self.search.search(header_digest, salt, nonces, target);
        let (ended, cpu) = (Instant::now(), clocks::of_this_thread());
        let step = Step { header_digest: *header_digest, hashes, began, ended, cpu };
        self.record.lock().expect("no panic").push(step);
        found
    }
}
