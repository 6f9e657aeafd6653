//! How long news takes to reach all of eight nodes that run in this process and meet on loopback as
//! the programs do, by broadcast: `cargo bench -p cairn-network --bench propagation`.
//!
//! | row | from | until |
//! |---|---|---|
//! | a tip | a node is handed a block that was found | the last node has connected it, on disk |
//! | a payment | a node is handed a signed payment | it waits in the last node's mempool |
//! | round trip | a datagram is sent on loopback | its echo is here: the baseline, taken in turns with both |
//!
//! Each time it is another node's turn. All nodes share the machine's cores.

#![expect(clippy::print_stdout, reason = "results are for reading")]

mod echo;
#[allow(dead_code, reason = "the tests use the rest of it")]
#[path = "../../tests/all/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use cairn_network::{Handle, Settings};
use cairn_protocol::Network;
use tokio::time::{sleep, timeout};

use crate::echo::Echo;
use crate::support::chain::{block, payment};
use crate::support::{PATIENCE, Place, TestNode, eventually};

const NODES: u8 = 8;
/// Tips, and as many payments: 50 of each node's account, which all wait at the end.
const ROUNDS: u64 = 400;
/// Between two rounds: this and up to as much again, at random.
const GAP: Duration = Duration::from_millis(5);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (network, place) = (support::network(), Place::new());
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        let settings = Settings { status_interval: Duration::from_secs(5), ..place.settings() };
        nodes.push(TestNode::start(&network, settings).await);
    }
    let mut handles: Vec<_> = nodes.iter().map(|node| node.handle.clone()).collect();
    eventually("all know each other", || {
        handles.iter().all(|handle| handle.heard() + 1 == usize::from(NODES))
    })
    .await;

    let mut echo = Echo::start();
    let find = async |round, nodes: &mut [Handle]| find(&network, turn(round), nodes).await;
    let tips = rounds(&mut echo, &mut handles, find).await;
    let pay = async |round, nodes: &mut [Handle]| pay(&network, round, nodes).await;
    let payments = rounds(&mut echo, &mut handles, pay).await;

    println!("{NODES} nodes, {ROUNDS} times each, ms");
    println!("{:<24} {:>8} {:>8} {:>8} {:>24}", "", "p50", "p99", "max", "p50 in round trips");
    row("a tip, to all", &tips);
    row("a payment, to all", &payments);
    for node in nodes {
        node.running.stop().await;
    }
}

/// Whose turn it is.
fn turn(round: u64) -> u8 {
    u8::try_from(round % u64::from(NODES)).expect("a few")
}

/// What a round took, and the round trip after it.
type Times = Vec<(Duration, Duration)>;

async fn rounds(
    echo: &mut Echo,
    handles: &mut [Handle],
    mut one: impl AsyncFnMut(u64, &mut [Handle]) -> Duration,
) -> Times {
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        sleep(GAP + GAP.mul_f64(rand::random())).await;
        times.push((one(round, handles).await, echo.round_trip()));
    }
    times
}

/// Lets a node find the next block, which pays it; returns how long all took to have it as tip.
async fn find(network: &Network, finder: u8, nodes: &mut [Handle]) -> Duration {
    let finding = &nodes[usize::from(finder)];
    let found = block(network, finding.tip(), finder + 1, Vec::new());
    let tip = found.block_ref();
    let begin = Instant::now();
    finding.mined(found);
    until_all(nodes, |node| node.tip().block == tip).await;
    begin.elapsed()
}

/// Gives a node a payment of what it has found; returns how long it took to wait at all nodes.
async fn pay(network: &Network, round: u64, nodes: &mut [Handle]) -> Duration {
    let sent = payment(network, turn(round) + 1, round / u64::from(NODES), 0);
    let begin = Instant::now();
    nodes[usize::from(turn(round))].submit(sent);
    until_all(nodes, |node| node.counters().mempool as u64 > round).await;
    begin.elapsed()
}

async fn until_all(handles: &mut [Handle], is_there: impl Fn(&Handle) -> bool) {
    for node in handles {
        let arriving = async {
            while !is_there(node) {
                assert!(node.changed().await, "{:?}", node.failure());
            }
        };
        timeout(PATIENCE, arriving).await.expect("it reaches all");
    }
}

fn row(name: &str, times: &Times) {
    let sorted = |of: fn(&(Duration, Duration)) -> Duration| {
        let mut times: Vec<_> = times.iter().map(of).collect();
        times.sort();
        times
    };
    let (news, trips) = (sorted(|times| times.0), sorted(|times| times.1));
    let at = |share: usize| news[(news.len() - 1) * share / 100].as_secs_f64() * 1e3;
    let trip = trips[trips.len() / 2].as_secs_f64() * 1e3;
    println!(
        "{name:<24} {:>8.2} {:>8.2} {:>8.2} {:>12.0} of {trip:.3} ms",
        at(50),
        at(99),
        at(100),
        at(50) / trip
    );
}
