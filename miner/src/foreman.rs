//! Between node and engine: the node's work becomes a job, and a proof becomes a block.

use std::collections::VecDeque;
use std::sync::Arc;

use cairn_network::{Handle, Work};
use cairn_node::Template;
use cairn_protocol::{Network, VerifiedBlock};
use tokio::sync::{mpsc, watch};

use crate::engine::{Engine, Found, Job, JobId};

/// The most jobs on one parent whose proofs are still waited for. The node refreshes a template
/// once a second at most, and a proof arrives at once unless the machine has no time for it.
const MAX_OPEN_JOBS: usize = 8;

/// Keeps the engine at the node's work until the node or the engine ends.
pub async fn run(
    mut work: watch::Receiver<Work>,
    engine: Arc<Engine>,
    mut proofs: mpsc::UnboundedReceiver<Found>,
    network: Network,
    node: Handle,
) {
    let mut jobs = Jobs::default();
    jobs.assign(&engine, &work.borrow_and_update());
    loop {
        tokio::select! {
            biased;
            found = proofs.recv() => match found {
                Some(found) => {
                    if let Some(block) = jobs.seal(found, &network) {
                        node.mined(block);
                    }
                }
                None => return,
            },
            changed = work.changed() => match changed {
                Ok(()) => jobs.assign(&engine, &work.borrow_and_update()),
                Err(_) => return engine.rest(),
            },
        }
    }
}

/// The jobs whose proofs make blocks, the latest last. All have the same parent: a proof that was
/// found just before a template was refreshed, or before a rest, is as good as one for the latest.
#[derive(Default)]
struct Jobs(VecDeque<(JobId, Arc<Template>)>);

impl Jobs {
    /// Gives the engine this work.
    fn assign(&mut self, engine: &Engine, work: &Work) {
        match work {
            Work::Mine(template) => {
                let id = engine.assign(Job::of(template.header()));
                self.add(id, Arc::clone(template));
            }
            Work::Rest(_) => engine.rest(),
        }
    }

    fn add(&mut self, id: JobId, template: Arc<Template>) {
        let parent = template.header().parent;
        self.0.retain(|(_, open)| open.header().parent == parent);
        if self.0.len() == MAX_OPEN_JOBS {
            self.0.pop_front();
        }
        self.0.push_back((id, template));
    }

    /// The block of a proof, if the proof is for one of these jobs.
    fn seal(&self, found: Found, network: &Network) -> Option<VerifiedBlock> {
        let (_, template) = self.0.iter().find(|(id, _)| *id == found.job)?;
        let sealed = template.seal(found.proof, network);
        sealed.inspect_err(|error| tracing::error!("a block of ours is not valid: {error}")).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::ops::RangeInclusive;
    use std::time::Duration;

    use cairn_ledger::Ledger;
    use cairn_network::{BlocksPort, Running, Settings};
    use cairn_node::MempoolLimits;
    use cairn_protocol::{AccountId, Rules, Target};
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

    fn engine() -> (Engine, mpsc::UnboundedReceiver<Found>) {
        Engine::start(NonZeroUsize::MIN, || Lucky).expect("a thread")
    }

    #[tokio::test]
    async fn a_proof_that_arrives_after_a_refreshed_template_still_makes_a_block() {
        let running = node().await;
        let template = next_template(&running).await;
        let (engine, mut found) = engine();
        let (publish, work) = watch::channel(Work::Mine(Arc::clone(&template)));
        // The test stands between engine and foreman, and holds a proof back.
        let (pass_on, proofs) = mpsc::unbounded_channel();
        let foreman = run(work, Arc::new(engine), proofs, network(), running.handle());
        let foreman = tokio::spawn(foreman);
        let first = next_proof(&mut found).await;
        publish.send_replace(Work::Mine(template));
        let second = next_proof(&mut found).await;
        assert_ne!(first.job, second.job, "the foreman has taken up the refreshed template");

        pass_on.send(first).expect("the foreman runs");
        let mut node = running.handle();
        let mined = async { while node.tip().block.height.get() == 0 && node.changed().await {} };
        timeout(PATIENCE, mined).await.expect("the block is not thrown away");
        drop(publish);
        foreman.await.expect("no panic");
        running.stop().await;
    }

    #[tokio::test]
    async fn jobs_are_kept_for_one_parent_and_not_too_many() {
        let running = node().await;
        let template = next_template(&running).await;
        let (engine, mut found) = engine();
        let mut jobs = Jobs::default();
        let mut all = Vec::new();
        for _ in 0..=MAX_OPEN_JOBS {
            jobs.assign(&engine, &Work::Mine(Arc::clone(&template)));
            all.push(next_proof(&mut found).await);
        }
        let seals = |jobs: &Jobs| -> Vec<bool> {
            all.iter().map(|found| jobs.seal(*found, &network()).is_some()).collect()
        };
        let kept = seals(&jobs);
        assert!(!kept[0] && kept[1..].iter().all(|kept| *kept), "{kept:?}");

        let block = jobs.seal(all[1], &network()).expect("kept");
        running.handle().mined(block);
        let mut work = running.work();
        let parent = template.header().parent;
        let ready = work.wait_for(
            |work| matches!(work, Work::Mine(template) if template.header().parent != parent),
        );
        let ready = timeout(PATIENCE, ready).await.expect("in time").expect("the node runs");
        jobs.assign(&engine, &ready);
        drop(ready);
        assert!(seals(&jobs).iter().all(|kept| !kept), "their parent is no longer the tip");
        running.stop().await;
    }
}
