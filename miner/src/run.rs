//! The program's life: start, events, stop.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cairn_home::{Exit, Failure, Output, Signals};
use cairn_network::{Running, Told, Work};
use cairn_node::RestReason;
use cairn_protocol::Timestamp;
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::breakdowns::Breakdowns;
use crate::catching_up::CatchingUp;
use crate::cli::Arguments;
use crate::events::Event;
use crate::hash_rate::{self, Meter};
use crate::printer::Printer;
use crate::rests::Rests;
use crate::shutdown::StopReason;
use crate::start::Miner;

/// How often to look why nothing is mined, and whether searches failed.
const LOOK: Duration = Duration::from_secs(1);
/// How long a miner that has mined as many blocks as it was asked for still serves the last one.
const LINGER: Duration = Duration::from_secs(1);
/// How long the last lines may take.
const LAST_LINES: Duration = Duration::from_millis(100);

/// Mines until a signal, an error or `--blocks` ends it.
///
/// # Errors
/// [`Failure`] if the miner cannot start, or if its node fails.
pub(crate) async fn run(arguments: &Arguments, signals: &mut Signals) -> Result<(), Failure> {
    let output = Output::new(&arguments.common);
    let mut miner = tokio::select! {
        miner = Miner::start(arguments, output) => miner?,
        // Nothing has begun that would have to be ended in order.
        _ = signals.next() => return Ok(()),
    };
    let (printer, reader_gone) = Printer::start(std::io::stdout());
    let mut console = Console { printer, output, last_tip: Instant::now(), mined: 0 };
    // Before the first event: it is written by another thread, and would follow anywhere.
    output.note("next", &arguments.next_step());
    console.tell(&miner.started());
    miner.threads.warning().iter().for_each(|event| console.tell(event));

    let reason = follow(&mut miner, &mut console, arguments.blocks, signals, reader_gone).await;
    if reason == StopReason::BlocksMined {
        linger(&miner, signals).await;
    }
    let node = miner.handle();
    miner.stop().await;
    let height = node.tip().block.height;
    console.tell(&Event::Stopped { height, reason: reason.word() });
    console.printer.finish(LAST_LINES);
    match reason {
        StopReason::Failed => Err(node_failure(node.failure())),
        _ => Ok(()),
    }
}

/// Tells what happens until there is a reason to stop.
async fn follow(
    miner: &mut Miner,
    console: &mut Console,
    blocks: Option<u64>,
    signals: &mut Signals,
    mut reader_gone: oneshot::Receiver<()>,
) -> StopReason {
    let work = miner.node.work();
    let mut meter = Meter::new(Instant::now());
    let (mut rests, mut breakdowns) = (Rests::default(), Breakdowns::default());
    let mut catching_up = CatchingUp::new(console.output);
    let (mut rates, mut looks) = (interval(hash_rate::INTERVAL), interval(LOOK));
    rates.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once, before there is a rate.
    rates.tick().await;
    loop {
        tokio::select! {
            signal = signals.next() => return signal.into(),
            _ = &mut reader_gone => return StopReason::OutputClosed,
            told = miner.node.next_event() => match told {
                Some(told) => console.pass_on(told),
                None => return StopReason::Failed,
            },
            _ = rates.tick() => {
                let rate = meter.per_second(miner.engine.hashes(), Instant::now());
                console.tell(&hash_rate_event(miner, rate));
            }
            _ = looks.tick() => {
                let rest = rests.look(&work.borrow());
                let breakdown = breakdowns.look(&miner.engine.failures(), Instant::now());
                rest.iter().chain(&breakdown).for_each(|event| console.tell(event));
                let now = miner.handle().snapshot();
                catching_up.look(now.tip.block.height, now.best_header.block.height);
            }
        }
        // Events may be lost if this program gets no time; that the node rests is not.
        let is_enough = || matches!(*work.borrow(), Work::Rest(RestReason::Enough));
        if blocks.is_some_and(|blocks| console.mined >= blocks || is_enough()) {
            console.pass_on_waiting(&mut miner.node).await;
            return StopReason::BlocksMined;
        }
    }
}

/// Stops to mine, and gives the others, if there are any, time to fetch the last block.
async fn linger(miner: &Miner, signals: &mut Signals) {
    miner.engine.stop();
    if miner.handle().heard() > 0 {
        tokio::select! {
            _ = signals.next() => {}
            () = sleep(LINGER) => {}
        }
    }
}

fn hash_rate_event(miner: &Miner, hashes_per_second: u64) -> Event {
    let node = miner.handle();
    Event::HashRate {
        hashes_per_second,
        height: node.tip().block.height,
        mempool: node.counters().mempool,
        links: node.links(),
    }
}

fn node_failure(message: Option<String>) -> Failure {
    let message = message.unwrap_or_else(|| "the node ended without a reason".to_owned());
    Failure::new(Exit::Unexpected, "node_failed", message)
}

/// Where events go, and what has to be remembered to tell them.
struct Console {
    printer: Printer,
    output: Output,
    /// When the tip moved last.
    last_tip: Instant,
    /// Blocks of our own.
    mined: u64,
}

impl Console {
    fn tell(&self, event: &Event) {
        let line = if self.output.is_json() { event.to_json(now()) } else { event.to_string() };
        self.printer.print(line);
    }

    /// Tells what the node has said up to now.
    async fn pass_on_waiting(&mut self, node: &mut Running) {
        while let Ok(Some(told)) = timeout(Duration::ZERO, node.next_event()).await {
            self.pass_on(told);
        }
    }

    /// Tells what the node says.
    fn pass_on(&mut self, told: Told) {
        let event = match told.event {
            cairn_node::Event::BlockMined { block, transactions, reward } => {
                self.mined += 1;
                let (height, hash, after) = (block.height, block.hash, self.last_tip.elapsed());
                Event::BlockMined { height, hash, transactions, reward, after }
            }
            cairn_node::Event::BlockAdopted { block, transactions, blocks, .. } => {
                let (height, hash, from) = (block.height, block.hash, told.from);
                Event::BlockAdopted { height, hash, transactions, blocks, from }
            }
            cairn_node::Event::Reorg { disconnected, connected, block } => {
                Event::Reorg { disconnected, connected, height: block.height, hash: block.hash }
            }
            cairn_node::Event::Warning { code, message } => Event::Warning { code, message },
        };
        if !matches!(event, Event::Warning { .. }) {
            self.last_tip = Instant::now();
        }
        self.tell(&event);
    }
}

fn now() -> Timestamp {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |span| span.as_millis());
    u64::try_from(millis).ok().and_then(Timestamp::from_millis).unwrap_or_default()
}
