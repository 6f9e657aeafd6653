//! [`Work`]: what the engine is to do, and its way from the node's thread to whoever sees to it.

use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, Mutex, PoisonError};

use cairn_node::{RestReason, Template};
use tokio::sync::watch;

/// What the engine is to do.
#[derive(Clone, Debug)]
pub enum Work {
    /// Search a proof for this.
    Mine(Arc<Template>),
    /// Nothing, and why.
    Rest(RestReason),
}

/// Whom the work is handed to, if anybody has asked for it.
type Taker = Arc<Mutex<Option<Box<dyn FnMut(&Work) + Send>>>>;

/// The node's end: where it says what is to be done.
pub(crate) struct WorkIn {
    shown: watch::Sender<Work>,
    taker: Taker,
}

/// The program's end.
pub(crate) struct WorkOut {
    shown: watch::Receiver<Work>,
    taker: Taker,
}

/// Both ends, with no work yet.
pub(crate) fn work() -> (WorkIn, WorkOut) {
    let (shown_in, shown) = watch::channel(Work::Rest(RestReason::Joining));
    let taker = Taker::default();
    (WorkIn { shown: shown_in, taker: Arc::clone(&taker) }, WorkOut { shown, taker })
}

impl WorkIn {
    /// Says that this is to be done and nothing else.
    pub(crate) fn put(&self, work: Work) {
        self.shown.send_replace(work);
        if let Some(take) = &mut *self.taker.lock().unwrap_or_else(PoisonError::into_inner) {
            take(&self.shown.borrow());
        }
    }
}

impl WorkOut {
    /// The work, now and at each change, for any number of readers.
    pub(crate) fn watch(&self) -> watch::Receiver<Work> {
        self.shown.clone()
    }

    /// Hands the work to this, now and at each change, in place of whom it was handed to before.
    pub(crate) fn hand_to(&self, mut take: impl FnMut(&Work) + Send + 'static) {
        let mut taker = self.taker.lock().unwrap_or_else(PoisonError::into_inner);
        // Other work that is put in meanwhile is handed over after this.
        take(&self.shown.borrow());
        *taker = Some(Box::new(take));
    }
}

impl Debug for WorkIn {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.shown.fmt(formatter)
    }
}

impl Debug for WorkOut {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.shown.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    fn resting(off: i64) -> Work {
        Work::Rest(RestReason::ClockOff { seconds: off })
    }

    /// What is handed out from now on.
    fn taken(out: &WorkOut) -> Receiver<String> {
        let (tell, told) = channel();
        out.hand_to(move |work| tell.send(format!("{work:?}")).expect("the test listens"));
        told
    }

    #[test]
    fn who_asks_for_the_work_gets_what_there_is_and_every_change() {
        let (work_in, out) = work();
        work_in.put(resting(1));
        let told = taken(&out);
        work_in.put(resting(2));
        work_in.put(resting(3));
        let all: Vec<_> = told.try_iter().collect();
        assert_eq!(all, [1, 2, 3].map(|off| format!("{:?}", resting(off))));
    }

    #[test]
    fn work_that_is_put_in_while_somebody_asks_for_it_is_handed_over_last() {
        let (work_in, out) = work();
        let (tell, told) = channel();
        std::thread::scope(|scope| {
            let putting = scope.spawn(|| (0..20_000).for_each(|off| work_in.put(resting(off))));
            while !putting.is_finished() {
                let tell = tell.clone();
                out.hand_to(move |work| {
                    if let Work::Rest(RestReason::ClockOff { seconds }) = work {
                        tell.send(*seconds).expect("the test listens");
                    }
                });
            }
        });
        let all: Vec<_> = told.try_iter().collect();
        assert!(all.is_sorted(), "old work came after new");
        assert_eq!(all.last(), Some(&19_999));
    }
}
