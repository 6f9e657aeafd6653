//! Between node and engine: the node's work becomes a job, and a proof becomes a block.

use std::sync::Arc;

use cairn_network::{Handle, Work};
use cairn_node::Template;
use cairn_protocol::{Network, VerifiedBlock};
use tokio::sync::{mpsc, watch};

use crate::engine::{Engine, Found, Job, JobId};

/// Keeps the engine at the node's work until the node or the engine ends.
pub(crate) async fn run(
    mut work: watch::Receiver<Work>,
    engine: Arc<Engine>,
    mut proofs: mpsc::UnboundedReceiver<Found>,
    network: Network,
    node: Handle,
) {
    let mut current = assign(&engine, &work.borrow_and_update());
    loop {
        tokio::select! {
            changed = work.changed() => match changed {
                Ok(()) => current = assign(&engine, &work.borrow_and_update()),
                Err(_) => return engine.rest(),
            },
            found = proofs.recv() => match found {
                Some(found) => {
                    if let Some(block) = seal(found, current.as_ref(), &network) {
                        node.mined(block);
                    }
                }
                None => return,
            },
        }
    }
}

fn assign(engine: &Engine, work: &Work) -> Option<(JobId, Arc<Template>)> {
    match work {
        Work::Mine(template) => {
            let id = engine.assign(Job::of(template.header()));
            Some((id, Arc::clone(template)))
        }
        Work::Rest(_) => {
            engine.rest();
            None
        }
    }
}

/// The block of a proof, if the proof is for the current job.
fn seal(
    found: Found,
    current: Option<&(JobId, Arc<Template>)>,
    network: &Network,
) -> Option<VerifiedBlock> {
    let (_, template) = current.filter(|(id, _)| *id == found.job)?;
    let sealed = template.seal(found.proof, network);
    sealed.inspect_err(|error| tracing::error!("a block of ours is not valid: {error}")).ok()
}
