//! How long stale work goes on: from the publication of a template until the last thread of the
//! engine has ended its last step on the one before. The way is the miner's own: the foreman, whom
//! the node's thread calls, the board, the threads at idle priority.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cairn_ledger::Ledger;
use cairn_miner::engine::Engine;
use cairn_miner::foreman::Foreman;
use cairn_network::{BlocksPort, Running, Settings, Work};
use cairn_node::{MempoolLimits, Template};
use cairn_protocol::{AccountId, Network, Rules};
use tokio::time::sleep;

use crate::cores;
use crate::observed::{Records, Step};

const ROUNDS: usize = 1_000;
/// Between two publications: this and up to as much again, at random.
const GAP: Duration = Duration::from_millis(8);
/// For the threads to get going, and to end.
const SETTLING: Duration = Duration::from_millis(500);

/// When a template was published, and what it looks like to a search.
type Publication = (Instant, [u8; 32]);

/// What the last thread to leave a template did after another was published, in seconds.
#[derive(Clone, Copy)]
struct Stop {
    after: f64,
    /// The processor time of its last step, at most: what was spent on stale work even if the
    /// thread had to wait for a processor.
    worked: f64,
}

pub(crate) fn run() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (publications, records) = runtime.block_on(publish_templates());
    let stops = publications.iter().filter_map(|publication| last_stop(publication, &records));
    let stops: Vec<_> = stops.collect();
    println!("\n{} new templates to {} threads, ms, the last thread", stops.len(), cores());
    println!("{:<36} {:>8} {:>8} {:>8}", "", "p50", "p99", "max");
    row("until it has stopped", stops.iter().map(|stop| stop.after).collect());
    row("stale work in processor time, at most", stops.iter().map(|stop| stop.worked).collect());
    println!("a step: {:.3} ms, the median", median_step(&records) * 1e3);
}

fn row(name: &str, mut seconds: Vec<f64>) {
    seconds.sort_by(f64::total_cmp);
    let of = |share: usize| seconds[(seconds.len() - 1) * share / 100] * 1e3;
    println!("{name:<38} {:>6.3} {:>8.3} {:>8.3}", of(50), of(99), of(100));
}

/// Lets an engine work on one template and the other in turn; returns when each was published, and
/// what the threads did.
async fn publish_templates() -> (Vec<Publication>, Vec<Vec<Step>>) {
    let nodes = [node(1).await, node(2).await];
    let templates = [template(&nodes[0]).await, template(&nodes[1]).await];
    let records = Records::default();
    let observed = records.clone();
    let started = Engine::start(cores(), move || observed.new_search(), |_| ());
    let engine = started.expect("a thread a core");
    let foreman = Foreman::new(network(), nodes[0].handle());
    let publish = |template| foreman.assign(&engine, &Work::Mine(Arc::clone(template)));
    publish(&templates[0]);
    sleep(SETTLING).await;

    let mut publications = Vec::new();
    for template in templates.iter().cycle().skip(1).take(ROUNDS) {
        publications.push((Instant::now(), template.header().digest()));
        publish(template);
        sleep(GAP + GAP.mul_f64(rand::random::<f64>())).await;
    }
    sleep(SETTLING).await;
    engine.stop();
    for node in nodes {
        node.stop().await;
    }
    (publications, records.take())
}

/// The last end of a step on another template than the one published, and its longest work.
fn last_stop(publication: &Publication, records: &[Vec<Step>]) -> Option<Stop> {
    let none = Stop { after: 0.0, worked: 0.0 };
    records.iter().map(|steps| stop(publication, steps)).try_fold(none, |last, stop| {
        let stop = stop?;
        Some(Stop { after: last.after.max(stop.after), worked: last.worked.max(stop.worked) })
    })
}

fn stop((at, digest): &Publication, steps: &[Step]) -> Option<Stop> {
    let later = steps.partition_point(|step| step.began < *at);
    let new = later + steps[later..].iter().position(|step| step.header_digest == *digest)?;
    let [before, stale] = steps.get(new.checked_sub(2)?..new)? else { return None };
    let after = stale.ended.saturating_duration_since(*at).as_secs_f64();
    Some(Stop { after, worked: after.min(stale.cpu - before.cpu) })
}

fn median_step(records: &[Vec<Step>]) -> f64 {
    let steps = records.iter().flatten();
    crate::median(steps.map(|step| step.ended.duration_since(step.began).as_secs_f64()).collect())
}

/// Its hashes are never found.
fn network() -> Network {
    let rules = Rules { difficulty: 128, block_interval_seconds: 0, ..Rules::default() };
    Network::new(rules).expect("possible")
}

/// A node whose templates differ from those of others.
async fn node(number: u8) -> Running {
    let settings = Settings {
        status_port: 0,
        blocks_port: BlocksPort::None,
        transactions_port: 0,
        lan: false,
        peers: Vec::new(),
        status_interval: Duration::from_secs(60),
        mempool: MempoolLimits::default(),
        reward_to: Some(AccountId([number; 32])),
    };
    let ledger = Ledger::in_memory(&network()).expect("memory");
    Running::start(ledger, settings).await.expect("free ports")
}

async fn template(node: &Running) -> Arc<Template> {
    let mut work = node.work();
    let work = work.wait_for(|work| matches!(work, Work::Mine(_))).await.expect("the node runs");
    let Work::Mine(template) = &*work else { unreachable!("just looked") };
    Arc::clone(template)
}
