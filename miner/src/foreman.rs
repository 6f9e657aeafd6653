//! Between node and engine: the node's work becomes a job, and a proof becomes a block.
//!
//! It has no thread of its own, since a hand-over from thread to thread costs a good part of a small
//! block: the node's thread assigns the work, and the thread that found a proof makes the block.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cairn_network::{Handle, Work};
use cairn_node::Template;
use cairn_protocol::{Network, VerifiedBlock};

use crate::engine::{Engine, Found, Job, JobId};

/// The most jobs on one parent whose proofs are still waited for. The node refreshes a template
/// once a second at most, and a proof arrives at once unless the machine has no time for it.
const MAX_OPEN_JOBS: usize = 8;

/// Knows which template each of the engine's jobs is for.
pub struct Foreman {
    network: Network,
    node: Handle,
    jobs: Mutex<Jobs>,
}

impl Foreman {
    /// A foreman of this node.
    pub fn new(network: Network, node: Handle) -> Self {
        Self { network, node, jobs: Mutex::default() }
    }

    /// Gives the engine the node's work.
    pub fn assign(&self, engine: &Engine, work: &Work) {
        match work {
            Work::Mine(template) => {
                // A thread that has found a proof before the job is known here waits for that.
                let mut jobs = self.jobs();
                let id = engine.assign(Job::of(template.header()));
                jobs.add(id, Arc::clone(template));
            }
            Work::Rest(_) => engine.rest(),
        }
    }

    /// Gives the node the block of a proof, if that is for one of the open jobs.
    pub fn deliver(&self, found: Found) {
        if let Some(block) = self.seal(found) {
            self.node.mined(block);
        }
    }

    fn seal(&self, found: Found) -> Option<VerifiedBlock> {
        // The node's thread does not wait until a large block is sealed.
        let template = self.jobs().template(found.job)?;
        let sealed = template.seal(found.proof, &self.network);
        sealed.inspect_err(|error| tracing::error!("a block of ours is not valid: {error}")).ok()
    }

    /// A panic elsewhere leaves the jobs whole.
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The jobs whose proofs make blocks, the latest last. All have the same parent: a proof that was
/// found just before a template was refreshed, or before a rest, is as good as one for the latest.
#[derive(Default)]
struct Jobs(VecDeque<(JobId, Arc<Template>)>);

impl Jobs {
    fn add(&mut self, id: JobId, template: Arc<Template>) {
        let parent = template.header().parent;
        self.0.retain(|(_, open)| open.header().parent == parent);
        if self.0.len() == MAX_OPEN_JOBS {
            self.0.pop_front();
        }
        self.0.push_back((id, template));
    }

    fn template(&self, job: JobId) -> Option<Arc<Template>> {
        let (_, template) = self.0.iter().find(|(id, _)| *id == job)?;
        Some(Arc::clone(template))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::ops::RangeInclusive;
    use std::time::Duration;

    use cairn_ledger::Ledger;
    use cairn_network::{BlocksPort, Running, Settings};
    use cairn_node::{MempoolLimits, RestReason};
    use cairn_protocol::{AccountId, Rules, Target};
    use tokio::sync::mpsc;
    use tokio::time::timeout;

    use super::*;
    use crate::engine::Search;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// Finds at once: in the network of these tests any hash will do.
    struct Lucky;

    impl Search for Lucky {
        fn search(
            &mut self,
            _: &[u8; 32],
            _: &[u8; 16],
            nonces: RangeInclusive<u32>,
            _: &Target,
        ) -> Option<u32> {
            Some(*nonces.start())
        }
    }

    fn network() -> Network {
        let rules = Rules { difficulty: 0, block_interval_seconds: 0, ..Rules::default() };
        Network::new(rules).expect("possible")
    }

    async fn node() -> Running {
        let settings = Settings {
            status_port: 0,
            blocks_port: BlocksPort::None,
            transactions_port: 0,
            lan: false,
            peers: Vec::new(),
            status_interval: Duration::from_secs(1),
            mempool: MempoolLimits::default(),
            reward_to: Some(AccountId([7; 32])),
        };
        let ledger = Ledger::in_memory(&network()).expect("memory");
        Running::start(ledger, settings).await.expect("free ports")
    }

    async fn next_template(node: &Running) -> Arc<Template> {
        let mut work = node.work();
        let ready = work.wait_for(|work| matches!(work, Work::Mine(_)));
        let ready = timeout(PATIENCE, ready).await.expect("in time").expect("the node runs");
        let Work::Mine(template) = &*ready else { unreachable!("just looked") };
        Arc::clone(template)
    }

    async fn next_proof(found: &mut mpsc::UnboundedReceiver<Found>) -> Found {
        timeout(PATIENCE, found.recv()).await.expect("in time").expect("the engine runs")
    }

    /// An engine whose proofs go to the test and not to a foreman.
    fn engine() -> (Engine, mpsc::UnboundedReceiver<Found>) {
        let (tell, found) = mpsc::unbounded_channel();
        let tell = move |proof| tell.send(proof).expect("the test listens");
        (Engine::start(NonZeroUsize::MIN, || Lucky, tell).expect("a thread"), found)
    }

    #[tokio::test]
    async fn a_proof_that_arrives_after_a_refreshed_template_still_makes_a_block() {
        let running = node().await;
        let template = next_template(&running).await;
        let (engine, mut found) = engine();
        let foreman = Foreman::new(network(), running.handle());
        foreman.assign(&engine, &Work::Mine(Arc::clone(&template)));
        let first = next_proof(&mut found).await;
        foreman.assign(&engine, &Work::Mine(template));
        let second = next_proof(&mut found).await;
        assert_ne!(first.job, second.job, "the engine has taken up the refreshed template");

        foreman.deliver(first);
        let mut node = running.handle();
        let mined = async { while node.tip().block.height.get() == 0 && node.changed().await {} };
        timeout(PATIENCE, mined).await.expect("the block is not thrown away");
        running.stop().await;
    }

    #[tokio::test]
    async fn jobs_are_kept_for_one_parent_and_not_too_many() {
        let running = node().await;
        let template = next_template(&running).await;
        let (engine, mut found) = engine();
        let foreman = Foreman::new(network(), running.handle());
        let mut all = Vec::new();
        for _ in 0..=MAX_OPEN_JOBS {
            foreman.assign(&engine, &Work::Mine(Arc::clone(&template)));
            all.push(next_proof(&mut found).await);
        }
        let seals =
            || -> Vec<bool> { all.iter().map(|found| foreman.seal(*found).is_some()).collect() };
        let kept = seals();
        assert!(!kept[0] && kept[1..].iter().all(|kept| *kept), "{kept:?}");

        foreman.deliver(all[1]);
        let mut work = running.work();
        let parent = template.header().parent;
        let ready = work.wait_for(
            |work| matches!(work, Work::Mine(template) if template.header().parent != parent),
        );
        let ready = timeout(PATIENCE, ready).await.expect("in time").expect("the node runs");
        foreman.assign(&engine, &ready);
        drop(ready);
        assert!(seals().iter().all(|kept| !kept), "their parent is no longer the tip");
        running.stop().await;
    }

    #[tokio::test]
    async fn a_node_that_directs_its_foreman_mines_as_many_blocks_as_it_was_to() {
        let running = node().await;
        let foreman = Arc::new(Foreman::new(network(), running.handle()));
        let receiving = Arc::clone(&foreman);
        let found = move |found| receiving.deliver(found);
        let engine = Engine::start(NonZeroUsize::MIN, || Lucky, found).expect("a thread");
        running.handle().mine_at_most(20);
        running.direct(move |work| foreman.assign(&engine, work));
        let mut work = running.work();
        let enough = work.wait_for(|work| matches!(work, Work::Rest(RestReason::Enough)));
        timeout(PATIENCE, enough).await.expect("in time").expect("the node runs");
        let node = running.handle();
        running.stop().await;
        assert_eq!((node.tip().block.height.get(), node.counters().mined), (20, 20));
    }
}
