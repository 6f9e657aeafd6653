//! `wallet sync`: keeps the chain of this data directory up to date, and repeats its payments.

use std::time::{Duration, Instant};

use cairn_home::{Exit, Failure, Signals};
use cairn_ledger::{LedgerReader, Tip};
use cairn_network::clock;
use cairn_protocol::BlockRef;
use serde::Serialize;

use crate::attendant::Attendant;
use crate::claims::{BELIEVED, Standstill};
use crate::cli::Sync;
use crate::context::Context;
use crate::follow::{DELIVERY, Follower, Progress};
use crate::overtaken;
use crate::table::describe_tip;

/// How many blocks are counted between two questions to the ledger.
const BATCH: usize = 1_000;
/// How often a moving tip is printed, at most.
const PRINT_INTERVAL: Duration = Duration::from_secs(1);
/// How many status intervals of silence show that nobody is there.
const SILENT_INTERVALS: u32 = 2;

const UNPROVEN: &str = "others claim a better chain, and have shown nothing of it for 60 s; what is \
    here is level with the best chain that was shown";

pub(crate) async fn run(context: &Context, args: &Sync) -> Result<(), Failure> {
    let mut signals = Signals::listen().map_err(|error| {
        Failure::new(Exit::Unexpected, "signals", format!("cannot wait for Ctrl-C: {error}"))
    })?;
    let mut watch = Watch::new(context)?;
    let mut follower = tokio::select! {
        follower = Follower::start(context) => follower?,
        _ = signals.next() => return interrupted(args),
    };
    let result = tokio::select! {
        result = follow(context, args, &mut follower, &mut watch) => result,
        _ = signals.next() => interrupted(args),
    };
    follower.stop().await;
    result
}

/// What a signal comes to: the end that `wallet sync` is meant to have, or one too early.
fn interrupted(args: &Sync) -> Result<(), Failure> {
    if args.once { Err(cut_short()) } else { Ok(()) }
}

async fn follow(
    context: &Context,
    args: &Sync,
    follower: &mut Follower,
    watch: &mut Watch<'_>,
) -> Result<(), Failure> {
    let timeout = args.timeout.map(Duration::from_secs);
    if args.once {
        once(context, follower, watch, timeout).await
    } else {
        keep(context, follower, watch, timeout).await
    }
}

/// Follows until level, sends the payments that wait, and says how far the chain is.
async fn once(
    context: &Context,
    follower: &mut Follower,
    watch: &mut Watch<'_>,
    timeout: Option<Duration>,
) -> Result<(), Failure> {
    let started = Instant::now();
    let mut attendant = Attendant::new(context);
    if !catch_up(context, follower, &mut attendant, timeout, BELIEVED).await? {
        context.output.note("unproven_claims", UNPROVEN);
    }
    let left = timeout.map(|limit| limit.saturating_sub(started.elapsed()));
    follower.deliver_recorded(left.map_or(DELIVERY, |left| left.min(DELIVERY))).await?;
    let tip = watch.update()?;
    overtaken::tell(context)?;
    attendant.finish().await?;
    let answer = Answer {
        height: tip.block.height.get(),
        tip: tip.block.hash.to_string(),
        blocks_received: watch.received,
    };
    context.output.result(&answer, || {
        let level = describe_tip(&tip, clock::now());
        format!("Level with the best chain heard: {level}; blocks received: {}.", watch.received)
    })
}

/// Follows until level with the best chain heard; or, where others claim a better one of which
/// nothing was shown for the span that they are `believed`, with the best chain shown. Returns which
/// of the two it was: whether it is level with all that was heard.
async fn catch_up(
    context: &Context,
    follower: &mut Follower,
    attendant: &mut Attendant<'_>,
    timeout: Option<Duration>,
    believed: Duration,
) -> Result<bool, Failure> {
    let started = Instant::now();
    let silence = context.config.intervals.status * SILENT_INTERVALS;
    let mut standstill = Standstill::new(believed, started);
    loop {
        let progress = follower.progress()?;
        let shown = follower.shown().filter(|_| progress == Progress::Behind);
        let is_still = standstill.is_too_long(Instant::now(), shown);
        match progress {
            Progress::Level => return Ok(true),
            Progress::Behind if is_still => return Ok(false),
            Progress::Silent if started.elapsed() >= silence => return Err(silent(silence)),
            _ if timeout.is_some_and(|limit| started.elapsed() >= limit) => {
                return Err(timed_out(started.elapsed()));
            }
            _ => follower.step().await?,
        }
        attendant.attend(follower)?;
    }
}

/// How far a `--once` has come, as JSON.
#[derive(Serialize)]
struct Answer {
    height: u64,
    tip: String,
    blocks_received: u64,
}

/// Follows until the end of the time, if there is one, and prints where the chain is.
async fn keep(
    context: &Context,
    follower: &mut Follower,
    watch: &mut Watch<'_>,
    timeout: Option<Duration>,
) -> Result<(), Failure> {
    let started = Instant::now();
    let mut attendant = Attendant::new(context);
    let mut printed: Option<(Instant, Tip)> = None;
    let mut looked_at = None;
    while timeout.is_none_or(|limit| started.elapsed() < limit) {
        follower.step().await?;
        attendant.attend(follower)?;
        let tip = watch.update()?;
        if looked_at.replace(tip) != Some(tip) {
            overtaken::tell(context)?;
        }
        let due = printed.is_none_or(|(at, last)| last != tip && at.elapsed() >= PRINT_INTERVAL);
        if due && !context.output.is_json() {
            context.output.result(&(), || format!("At {}.", describe_tip(&tip, clock::now())))?;
            printed = Some((Instant::now(), tip));
        }
    }
    Ok(())
}

/// Counts the blocks by which the chain has grown.
struct Watch<'a> {
    context: &'a Context,
    reader: Option<LedgerReader>,
    cursor: BlockRef,
    received: u64,
}

impl<'a> Watch<'a> {
    /// Counts from the present tip on.
    fn new(context: &'a Context) -> Result<Self, Failure> {
        let reader = context.chain()?;
        let tip = reader.as_ref().map(LedgerReader::tip).transpose()?;
        let cursor = tip.unwrap_or(context.genesis_tip()).block;
        Ok(Self { context, reader, cursor, received: 0 })
    }

    /// Follows the chain to its tip.
    fn update(&mut self) -> Result<Tip, Failure> {
        if self.reader.is_none() {
            self.reader = self.context.chain()?;
        }
        let Some(reader) = &self.reader else { return Ok(self.context.genesis_tip()) };
        loop {
            let changes = reader.changes_since(self.cursor, BATCH)?;
            self.cursor = changes.cursor;
            self.received += changes.connected.len() as u64;
            if changes.connected.len() < BATCH {
                return Ok(reader.tip()?);
            }
        }
    }
}

fn silent(span: Duration) -> Failure {
    let message = format!(
        "no other node was heard for {} s; start a miner on this machine, or reach one on another \
         by --lan or --peer HOST:PORT",
        span.as_secs()
    );
    Failure::new(Exit::NobodyHeard, "nobody_heard", message)
}

fn cut_short() -> Failure {
    let message = "interrupted before the chain was level; what was received is kept";
    Failure::new(Exit::Unexpected, "interrupted", message)
}

fn timed_out(span: Duration) -> Failure {
    let message = format!(
        "not level with the best chain after {} s; what was received is kept, so run it again",
        span.as_secs()
    );
    Failure::new(Exit::TimedOut, "timed_out", message)
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use cairn_protocol::messages::{Announcement, Datagram, InstanceId, Status};
    use cairn_protocol::{BlockHash, Height, Target};
    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::chain::network;
    use crate::fixture::Fixture;

    /// Claims all work there can be, for ever in new names and from new places, where nobody
    /// listens.
    async fn lie(status_port: u16) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        socket.set_broadcast(true).expect("allowed");
        for number in 0_u32.. {
            let status = Status {
                instance: InstanceId(std::array::from_fn(|at| number.to_le_bytes()[at % 4])),
                height: Height::from(1_000_u32),
                tip: BlockHash([7; 32]),
                work: Target::HARDEST.work(),
                blocks_port: u16::try_from(1_024 + number % 1_000).expect("a port"),
                clock: clock::now(),
            };
            let datagram = Datagram::new(network().id(), Announcement::Status(status)).encode();
            // One that is lost is followed by the next.
            let _ = socket.send_to(&datagram, ("127.255.255.255", status_port));
            sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test]
    async fn claims_that_nobody_backs_do_not_hold_once_for_ever() {
        let socket = UdpSocket::bind("127.255.255.255:0").expect("a free port");
        let status_port = socket.local_addr().expect("bound").port();
        drop(socket);
        let home = Fixture::with(&format!("[ports]\nstatus = {status_port}\ntransactions = 0"));
        let (context, _folder) = home.close();
        let mut follower = Follower::start(&context).await.expect("starts");
        let liar = tokio::spawn(lie(status_port));
        let catching_up = async {
            // Before the first claim there is silence.
            while follower.progress()? != Progress::Behind {
                follower.step().await?;
            }
            let mut attendant = Attendant::new(&context);
            catch_up(&context, &mut follower, &mut attendant, None, Duration::from_secs(1)).await
        };
        let level = timeout(Duration::from_secs(20), catching_up).await;
        liar.abort();
        assert_eq!(level.expect("it ends"), Ok(false));
        follower.stop().await;
    }
}
