//! [`Node`]: which part gets which input, and what is due when.

use cairn_ledger::{Ledger, LedgerError, Tip};
use cairn_protocol::messages::{Request, Status};
use cairn_protocol::{Timestamp, VerifiedTransaction};

use crate::announcer::Announcer;
use crate::clock_watch::ClockWatch;
use crate::commit::Uncommitted;
use crate::event::{Counters, Event};
use crate::input::{Failure, Input, PeerId, QuestionId, Verified};
use crate::mempool::{Mempool, MempoolError};
use crate::mining::Mining;
use crate::output::Output;
use crate::peers::{Peers, Progress};
use crate::questions::{Question, Questions, Topic};
use crate::reconcile::Reconciliation;
use crate::settings::Settings;
use crate::sync::{Deferred, Reach, Window};
use crate::time::Clock;

/// The state machine. Each part keeps its own state; what it does with the others' stands in its
/// file, as methods of this type.
pub struct Node {
    pub(crate) ledger: Ledger,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) peers: Peers,
    pub(crate) questions: Questions,
    pub(crate) reach: Reach,
    pub(crate) window: Window,
    pub(crate) deferred: Deferred,
    pub(crate) uncommitted: Option<Uncommitted>,
    pub(crate) mempool: Mempool,
    pub(crate) reconciliation: Reconciliation,
    pub(crate) mining: Mining,
    pub(crate) announcer: Announcer,
    pub(crate) clock_watch: ClockWatch,
    pub(crate) counters: Counters,
    /// What the input that is being handled has led to so far.
    pub(crate) out: Vec<Output>,
    /// Nothing has come in yet.
    is_new: bool,
    has_halted: bool,
}

/// Why a payment was not admitted to the mempool.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// The mempool does not take it.
    #[error(transparent)]
    Refused(#[from] MempoolError),
    /// The disk failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Node {
    /// A node on this chain. Its first input should be [`Input::Tick`].
    pub fn new(ledger: Ledger, settings: Settings, now: Timestamp) -> Self {
        Self {
            ledger,
            clock: Clock::new(now),
            peers: Peers::default(),
            questions: Questions::default(),
            reach: Reach::default(),
            window: Window::default(),
            deferred: Deferred::default(),
            uncommitted: None,
            mempool: Mempool::new(settings.mempool.clone()),
            reconciliation: Reconciliation::default(),
            mining: Mining::default(),
            announcer: Announcer::default(),
            clock_watch: ClockWatch::default(),
            counters: Counters::default(),
            out: Vec::new(),
            is_new: true,
            has_halted: false,
            settings,
        }
    }

    /// Takes what happened, and returns what is to be done about it, in this order.
    ///
    /// After an [`Output::Halt`] nothing is done any more.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Output> {
        if self.has_halted {
            return Vec::new();
        }
        self.set_clock(now);
        self.is_new = false;
        let done = self.dispatch(input).and_then(|()| self.do_what_is_due());
        if let Err(error) = done {
            self.has_halted = true;
            self.out.push(Output::Halt { message: error.to_string() });
        }
        std::mem::take(&mut self.out)
    }

    /// When [`Input::Tick`] is due if nothing else happens, by the wall clock as it goes now.
    pub fn deadline(&self) -> Option<Timestamp> {
        if self.has_halted {
            return None;
        }
        if self.is_new {
            return Some(self.clock.wall());
        }
        let own = [
            Some(self.announcer_deadline()),
            Some(self.peers.next_sweep()),
            Some(self.reconciliation.again_at()),
            self.peers.next_askable(self.clock.own()),
            self.headers_deadline(),
            self.connect_deadline(),
            self.commit_deadline(),
            self.reach_deadline(),
            self.deferred.deadline(),
            self.mempool.deadline(),
            self.mining_deadline(),
        ];
        let wall = [self.deferred.due(), self.mining_due()].into_iter().flatten();
        let own = own.into_iter().flatten().map(|moment| self.clock.wall_at(moment));
        // What was due up to now has been done.
        own.chain(wall).filter(|time| *time > self.clock.wall()).min()
    }

    /// The chain.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The tip of the active chain, as every reader sees it.
    pub fn tip(&self) -> Tip {
        self.ledger.committed_tip()
    }

    /// What this node says of itself.
    pub fn status(&self, now: Timestamp) -> Status {
        let tip = self.tip();
        Status {
            instance: self.settings.instance,
            height: tip.block.height,
            tip: tip.block.hash,
            work: tip.work,
            blocks_port: self.settings.blocks_port,
            clock: now,
        }
    }

    /// What the node holds now, and what happened since it started.
    pub fn counters(&self) -> Counters {
        Counters {
            mempool: self.mempool.len(),
            peers: self.peers.len(),
            links: self.peers.links(),
            questions: self.questions.len(),
            deferred: self.deferred.len(),
            ..self.counters
        }
    }

    /// Whether at least one peer was heard, none that answers claims more work than our tip has,
    /// and no headers show more.
    pub fn is_level(&self) -> bool {
        let (now, tip) = (self.clock.own(), self.ledger.tip());
        let mut claims = self.peers.iter().filter(|(_, peer)| peer.is_askable(now));
        !self.peers.is_empty()
            && !self.is_catching_up()
            && !claims.any(|(_, peer)| peer.claims_more(tip.work))
    }

    /// The payments that wait for a block, in the order of their ids.
    pub fn mempool(&self) -> impl Iterator<Item = &VerifiedTransaction> {
        self.mempool.iter()
    }

    /// Takes a payment into the mempool and sends it to nobody: what was saved when an earlier
    /// run ended.
    ///
    /// # Errors
    /// [`AdmitError`]: the mempool does not take it, or the disk failed.
    pub fn admit(
        &mut self,
        now: Timestamp,
        transaction: VerifiedTransaction,
    ) -> Result<(), AdmitError> {
        self.set_clock(now);
        Ok(self.try_admit(transaction)??)
    }

    /// The node's own time begins with its first input: what is admitted before may take long, and
    /// nobody is heard meanwhile.
    fn set_clock(&mut self, now: Timestamp) {
        if self.is_new {
            self.clock = Clock::new(now);
        } else {
            self.clock.set(now);
        }
    }

    fn dispatch(&mut self, input: Input) -> Result<(), LedgerError> {
        match input {
            Input::Tick => {}
            Input::MineAtMost(blocks) => self.mining.most = Some(blocks),
            Input::LinkUp { peer, status } => {
                self.on_status(peer, status);
                if self.peers.set_linked(peer, true) {
                    self.reconciliation.add(peer);
                }
            }
            Input::LinkDown { peer } => {
                self.peers.set_linked(peer, false);
                self.reconciliation.remove(peer);
            }
            Input::Status { peer, status } => self.on_status(peer, status),
            Input::Solicited => self.announcer.solicited(),
            Input::Transaction { origin, transaction } => {
                // A refusal is counted, and nobody waits for its reason.
                let _ = self.on_transaction(origin, transaction)?;
            }
            Input::Answered { question, answer } => self.on_answered(question, answer)?,
            Input::Failed { question, failure } => self.on_failed(question, &failure)?,
            Input::Asked { peer, request, question } => self.on_asked(peer, request, &question),
            Input::Mined(block) => self.on_mined(block)?,
        }
        Ok(())
    }

    /// What has to be looked at after every input, because time has passed or something changed.
    fn do_what_is_due(&mut self) -> Result<(), LedgerError> {
        self.peers.forget_silent(self.clock.own(), self.settings.status_interval);
        self.mempool.expire(self.clock.own());
        self.connect_ready()?;
        self.retry_deferred()?;
        self.look_for_missing()?;
        self.commit_if_due()?;
        self.ask_for_headers()?;
        self.ask_for_blocks();
        self.reconcile();
        self.watch_clock();
        self.direct_miner()?;
        self.announce_if_due();
        Ok(())
    }

    fn on_status(&mut self, peer: PeerId, status: Status) {
        if status.instance != self.settings.instance {
            self.peers.hear(peer, status, self.clock.wall(), self.clock.own());
            self.retry_out_of_reach(peer);
        }
    }

    fn on_answered(&mut self, id: QuestionId, answer: Verified) -> Result<(), LedgerError> {
        let Some(Question { peer, topic, .. }) = self.questions.take(id) else {
            return Ok(());
        };
        match (topic, answer) {
            (Topic::Headers(tip), Verified::Headers(headers)) => {
                self.on_headers(peer, tip, &headers)?;
            }
            (Topic::Blocks(asked), Verified::Blocks(blocks)) => {
                self.on_blocks(peer, &asked, blocks)?;
            }
            (Topic::MempoolIds(after), Verified::MempoolIds(ids)) => {
                self.on_mempool_ids(peer, after, &ids);
            }
            (Topic::Transactions(asked), Verified::Transactions(transactions)) => {
                self.on_transactions(peer, &asked, transactions)?;
            }
            (topic, _) => {
                self.give_up(peer, &topic);
                self.drop_peer(peer, "it answered another question than it was asked");
            }
        }
        Ok(())
    }

    fn on_failed(&mut self, id: QuestionId, failure: &Failure) -> Result<(), LedgerError> {
        let Some(Question { peer, topic, .. }) = self.questions.take(id) else {
            return Ok(());
        };
        self.give_up(peer, &topic);
        let now = self.clock.own();
        match failure {
            Failure::InvalidBlock(block, error) if error.condemns_header() => {
                let reason = format!("{error} ({})", error.rule());
                self.on_invalid_block(*block, &reason, peer)?;
            }
            Failure::InvalidBlock(..) | Failure::Misbehaved(_) => {
                if let Some(peer) = self.peers.get_mut(peer) {
                    peer.misbehaved(now);
                }
            }
            Failure::Unreachable => {
                if let Some(peer) = self.peers.get_mut(peer) {
                    peer.failed(now);
                }
            }
        }
        Ok(())
    }

    /// What a question was for has to be got from somebody else.
    fn give_up(&mut self, peer: PeerId, topic: &Topic) {
        match topic {
            // Only here: a page that is still on its way goes on from where its question started.
            Topic::Headers(_) => self.set_progress(peer, Progress::Start),
            Topic::Blocks(asked) => self.window.release(asked),
            Topic::MempoolIds(_) | Topic::Transactions(_) => self.reconciliation.remove(peer),
        }
    }

    /// Asks a peer.
    pub(crate) fn ask(&mut self, peer: PeerId, topic: Topic, request: Request) {
        let question = self.questions.add(Question { peer, topic, asked: self.clock.own() });
        self.out.push(Output::Ask { question, peer, request });
    }

    /// Cuts a peer off, and leaves it alone for a while.
    pub(crate) fn drop_peer(&mut self, id: PeerId, reason: &str) {
        let now = self.clock.own();
        if let Some(peer) = self.peers.get_mut(id) {
            peer.misbehaved(now);
        }
        self.reconciliation.remove(id);
        self.counters.dropped += 1;
        self.out.push(Output::Drop { peer: id, reason: reason.to_owned() });
    }

    /// Tells the user.
    pub(crate) fn tell(&mut self, event: Event) {
        self.out.push(Output::Event(event));
    }
}
