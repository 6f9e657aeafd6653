//! How long stale work goes on: from the publication of a template until the last thread of the
//! engine has ended its last step on the one before. The way is the miner's own: the watch that the
//! node's driver publishes to, the foreman on a runtime, the board, the threads at idle priority.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cairn_ledger::Ledger;
use cairn_miner::engine::Engine;
use cairn_miner::foreman;
use cairn_network::{BlocksPort, Running, Settings, Work};
use cairn_node::{MempoolLimits, Template};
use cairn_protocol::{AccountId, Network, Rules};
use tokio::sync::watch;
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

pub(crate) fn run() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (publications, records) = runtime.block_on(publish_templates());
    let mut stops: Vec<_> = publications
        .iter()
        .filter_map(|publication| last_stop(publication, &records))
        .map(|stop| stop.as_secs_f64() * 1_000.0)
        .collect();
    stops.sort_by(f64::total_cmp);
    let of = |share: usize| stops[(stops.len() - 1) * share / 100];
    println!("\nnew template to every one of {} threads stopped, ms", cores());
    println!("{:>8} {:>8} {:>8} {:>8}", "rounds", "p50", "p99", "max");
    println!("{:>8} {:>8.3} {:>8.3} {:>8.3}", stops.len(), of(50), of(99), of(100));
    println!("steps: {:.3} ms, the median", median_step(&records) * 1_000.0);
}

/// Lets an engine work on one template and the other in turn; returns when each was published, and
/// what the threads did.
async fn publish_templates() -> (Vec<Publication>, Vec<Vec<Step>>) {
    let nodes = [node(1).await, node(2).await];
    let templates = [template(&nodes[0]).await, template(&nodes[1]).await];
    let records = Records::default();
    let observed = records.clone();
    let started = Engine::start(cores(), move || observed.new_search());
    let (engine, proofs) = started.expect("a thread a core");
    let (publish, work) = watch::channel(Work::Mine(Arc::clone(&templates[0])));
    let foreman = foreman::run(work, Arc::new(engine), proofs, network(), nodes[0].handle());
    let foreman = tokio::spawn(foreman);
    sleep(SETTLING).await;

    let mut publications = Vec::new();
    for template in templates.iter().cycle().skip(1).take(ROUNDS) {
        publications.push((Instant::now(), template.header().digest()));
        publish.send_replace(Work::Mine(Arc::clone(template)));
        sleep(GAP + GAP.mul_f64(rand::random::<f64>())).await;
    }
    sleep(SETTLING).await;
    drop(publish);
    foreman.await.expect("no panic");
    for node in nodes {
        node.stop().await;
    }
    (publications, records.take())
}

/// How long after a publication the last thread ended a step on another template.
fn last_stop(publication: &Publication, records: &[Vec<Step>]) -> Option<Duration> {
    let (at, digest) = publication;
    let stop = |steps: &Vec<Step>| {
        let later = steps.partition_point(|step| step.began < *at);
        let new = later + steps[later..].iter().position(|step| step.header_digest == *digest)?;
        Some(steps[new.checked_sub(1)?].ended.saturating_duration_since(*at))
    };
    records.iter().map(stop).try_fold(Duration::ZERO, |last, stop| Some(last.max(stop?)))
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
