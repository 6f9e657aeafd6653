//! [`Attendant`]: what goes along with a chain that is followed: the history, and a line that tells
//! how far a download is.

use std::time::{Duration, Instant};

use cairn_home::{Failure, Pace, ProgressLine, progress};
use cairn_ledger::LedgerReader;
use cairn_protocol::{BlockRef, Height};
use tokio::sync::oneshot::{self, error::TryRecvError};

use crate::context::Context;
use crate::follow::Follower;
use crate::index;

/// How often the history follows a moving tip.
const INDEX_INTERVAL: Duration = Duration::from_millis(500);
/// From so many missing blocks on there is something to tell about.
const LONG: u64 = 100;

/// Looks after a follower.
pub(crate) struct Attendant<'a> {
    context: &'a Context,
    indexer: Indexer,
    line: ProgressLine,
    download: Option<Download>,
}

impl<'a> Attendant<'a> {
    pub(crate) fn new(context: &'a Context) -> Self {
        Self {
            context,
            indexer: Indexer::new(context),
            line: ProgressLine::on_stderr(context.output),
            download: None,
        }
    }

    /// Does what is due: call it again and again.
    pub(crate) fn attend(&mut self, follower: &Follower) -> Result<(), Failure> {
        self.indexer.follow()?;
        if self.line.is_due() {
            self.tell(follower)?;
        }
        Ok(())
    }

    /// Has the history follow to the tip.
    pub(crate) async fn finish(&mut self) -> Result<(), Failure> {
        progress::wipe();
        self.indexer.finish().await
    }

    fn tell(&mut self, follower: &Follower) -> Result<(), Failure> {
        let far = follower.heights().filter(|[tip, best]| best.since(*tip) >= LONG);
        let Some([tip, best]) = far else {
            if self.download.take().is_some() {
                progress::wipe();
            }
            return Ok(());
        };
        let Some(reader) = self.context.chain()? else { return Ok(()) };
        let download = self.download.get_or_insert_with(|| Download::from(tip));
        download.count(&reader)?;
        self.line.show(|| download.text(best));
        Ok(())
    }
}

/// A download under way.
struct Download {
    reached: Height,
    payments: u64,
    blocks_pace: Pace,
    payments_pace: Pace,
}

impl Download {
    fn from(tip: Height) -> Self {
        Self {
            reached: tip,
            payments: 0,
            blocks_pace: Pace::from(tip.get()),
            payments_pace: Pace::from(0),
        }
    }

    /// Counts the payments of the blocks that have come.
    fn count(&mut self, reader: &LedgerReader) -> Result<(), Failure> {
        let Self { reached, payments, .. } = self;
        let above = *reached;
        reader.scan(above, usize::MAX, &mut |block, view| {
            *reached = block.height;
            *payments += view.payment_count() as u64;
            Ok(())
        })?;
        Ok(())
    }

    fn text(&self, best: Height) -> String {
        let (reached, best) = (self.reached.get(), best.get());
        format!(
            "block {reached} of {best}, {} payments, {} blocks/s, {} payments/s{}",
            self.payments,
            self.blocks_pace.per_second(reached),
            self.payments_pace.per_second(self.payments),
            self.blocks_pace.left(reached, best)
        )
    }
}

/// Has the history follow the chain on a thread of its own: to look for a new key in all blocks may
/// take longer than a miner waits for the chain.
struct Indexer {
    context: Context,
    /// Answers when the thread has ended.
    running: Option<oneshot::Receiver<Result<(), Failure>>>,
    /// The tip that the history has seen, at least.
    seen: Option<BlockRef>,
    /// When to look for another; never again after a failure.
    next: Option<Instant>,
}

impl Indexer {
    fn new(context: &Context) -> Self {
        Self { context: context.clone(), running: None, seen: None, next: Some(Instant::now()) }
    }

    /// Starts to follow, if the tip has moved and it is time.
    fn follow(&mut self) -> Result<(), Failure> {
        if let Some(running) = &mut self.running {
            match running.try_recv() {
                Err(TryRecvError::Empty) => return Ok(()),
                ended => self.end(ended.ok()),
            }
        }
        let now = Instant::now();
        if self.next.is_some_and(|next| next <= now) {
            self.next = Some(now + INDEX_INTERVAL);
            self.start()?;
        }
        Ok(())
    }

    fn start(&mut self) -> Result<(), Failure> {
        let tip = self.context.chain()?.map(|reader| reader.tip()).transpose()?;
        let Some(tip) = tip.map(|tip| tip.block).filter(|tip| self.seen != Some(*tip)) else {
            return Ok(());
        };
        self.seen = Some(tip);
        let (context, (done, running)) = (self.context.clone(), oneshot::channel());
        // Nobody may wait for the answer.
        let follow = move || drop(done.send(index::follow(&context)));
        // Without a thread it is tried again with the next block.
        let thread = std::thread::Builder::new().name("history".to_owned()).spawn(follow);
        self.running = thread.ok().map(|_| running);
        Ok(())
    }

    /// Follows to the tip.
    async fn finish(&mut self) -> Result<(), Failure> {
        self.wait().await;
        if self.next.is_some() {
            self.start()?;
        }
        self.wait().await;
        Ok(())
    }

    async fn wait(&mut self) {
        if let Some(running) = &mut self.running {
            let ended = running.await;
            self.end(ended.ok());
        }
    }

    /// Notes how the thread has ended. What goes wrong is told once, and again to whoever wants to
    /// read the history.
    fn end(&mut self, ended: Option<Result<(), Failure>>) {
        self.running = None;
        if let Some(Err(failure)) = ended {
            self.next = None;
            tracing::warn!("the history cannot follow the chain: {failure}");
        }
    }
}

#[cfg(test)]
mod tests {
    use cairn_home::History;

    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn a_download_counts_what_came_since_it_began() {
        let mut home = Fixture::new();
        let mut download = Download::from(home.ledger.tip().block.height);
        let reader = home.reader();
        let payments = [home.pay("rich", "1", "alice"), home.pay("rich", "2", "alice")];
        home.mine(&payments);
        home.mine(&[]);
        download.count(&reader).expect("readable");
        download.count(&reader).expect("readable");
        let text = download.text(Height::from(900));
        assert!(text.starts_with("block 5 of 900, 2 payments, "), "{text}");
    }

    #[tokio::test]
    async fn the_history_has_seen_the_tip_when_the_attendant_has_finished() {
        let mut home = Fixture::new();
        let context = home.context.clone();
        let mut attendant = Attendant::new(&context);
        let accounts = [home.account("rich"), home.account("alice")];
        for _ in 0..3 {
            home.mine(&[]);
            attendant.finish().await.expect("readable");
            let history = History::open(&context.folder(), context.network()).expect("usable");
            assert_eq!(history.behind(&home.reader(), &accounts).expect("usable"), 0);
        }
    }
}
