//! `wallet send FROM AMOUNT TO`: records a payment, sends it, and waits for it if asked to.

use std::time::{Duration, Instant};

use cairn_home::{Exit, Failure, Fate, Outbox};
use cairn_ledger::LedgerReader;
use cairn_protocol::{Transaction, TransactionId};
use serde::Serialize;

use crate::cli::Send;
use crate::confirm::Confirmation;
use crate::context::{Context, is_empty};
use crate::follow::{DELIVERY, Follower, Progress};
use crate::order::Order;
use crate::overtaken;
use crate::table::short_hash;

/// How long the chain is brought up to date before a payment is made, at most.
const CATCH_UP: Duration = Duration::from_secs(2);

pub(crate) async fn run(context: &Context, args: &Send) -> Result<(), Failure> {
    let order = Order::read(context, args)?;
    if args.offline {
        return Sent::record(context, &order)?
            .report("A miner or `wallet sync` of this data directory sends it.");
    }
    let mut follower = Follower::start(context).await?;
    let result = send(context, args, &order, &mut follower).await;
    follower.stop().await;
    result
}

async fn send(
    context: &Context,
    args: &Send,
    order: &Order,
    follower: &mut Follower,
) -> Result<(), Failure> {
    let progress = follower.catch_up(CATCH_UP).await?;
    overtaken::tell(context)?;
    let mut sent = Sent::record(context, order)?;
    follower.deliver(std::slice::from_ref(&sent.transaction), DELIVERY).await?;
    warn_of(progress, context);
    let Some(confirmations) = args.wait else {
        return sent.report("It is repeated until a block holds it; `--wait` waits for that.");
    };
    if !context.output.is_json() {
        sent.report("Waiting for a block that holds it.")?;
    }
    let deadline = Instant::now().checked_add(Duration::from_secs(args.timeout));
    let in_time = sent.wait(confirmations, deadline, follower).await?;
    sent.report_confirmation()?;
    if in_time { Ok(()) } else { Err(timed_out(args.timeout)) }
}

/// Says what a payment may suffer from that was made when the chain was no further than this.
fn warn_of(progress: Progress, context: &Context) {
    match progress {
        Progress::Level => {}
        Progress::Silent => context.output.note(
            "nobody_heard",
            "no other node was heard; a miner or `wallet sync` of this data directory repeats \
             the payment until a block holds it",
        ),
        Progress::Behind => context.output.note(
            "behind",
            "the chain here is still behind the best one heard, so the payment was made from an \
             old balance; `wallet sync --once` brings it up to date",
        ),
    }
}

/// A recorded payment and what has become of it.
struct Sent<'a> {
    context: &'a Context,
    order: &'a Order,
    reader: LedgerReader,
    transaction: Transaction,
    id: TransactionId,
    confirmation: Confirmation,
}

impl<'a> Sent<'a> {
    /// Signs and records the payment, unless the chain was never synchronised.
    fn record(context: &'a Context, order: &'a Order) -> Result<Self, Failure> {
        let reader = context.chain()?.ok_or_else(never_synchronised)?;
        let tip = reader.tip()?;
        if is_empty(&tip) {
            return Err(never_synchronised());
        }
        let mut outbox = Outbox::open(&context.folder())?;
        let transaction = outbox.record(&reader, order.sender(), |account, waiting| {
            order.sign(account, waiting, context.network())
        })?;
        let id = transaction.payment.id(context.network().id());
        // Nobody knew the payment before it was signed, so no block up to this tip holds it.
        let confirmation = Confirmation::new(id, tip.block);
        Ok(Self { context, order, reader, transaction, id, confirmation })
    }

    /// Waits for so many blocks to confirm the payment. Whether they did in time.
    async fn wait(
        &mut self,
        confirmations: u32,
        deadline: Option<Instant>,
        follower: &mut Follower,
    ) -> Result<bool, Failure> {
        loop {
            self.confirmation.update(&self.reader, self.context.network())?;
            if self.confirmation.count() >= u64::from(confirmations) {
                return Ok(true);
            }
            if self.is_overtaken()? {
                let outbox = Outbox::open(&self.context.folder())?;
                overtaken::note(&outbox, &self.transaction, Fate::GivenUp);
                return Err(was_overtaken(&self.order.from.label()));
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(false);
            }
            follower.step().await?;
        }
    }

    /// Whether the chain holds another payment of the sender's with the same sequence.
    fn is_overtaken(&self) -> Result<bool, Failure> {
        let payment = &self.transaction.payment;
        let (tip, states) = self.reader.accounts(&[payment.sender])?;
        let is_past = states.first().is_some_and(|of| of.account.sequence > payment.sequence);
        // Only of one and the same tip: otherwise a block in between may hold the payment.
        let is_level = tip.block == self.confirmation.cursor();
        Ok(is_past && is_level && self.confirmation.block().is_none())
    }

    /// Prints what was recorded and what happens next.
    fn report(&self, next: &str) -> Result<(), Failure> {
        self.context.output.result(&self.answer(), || {
            let payment = &self.transaction.payment;
            format!(
                "Transaction {}\n\
                 Recorded as payment {} of {}: {} to {}, fee {}.\n\
                 {next}",
                self.id,
                payment.sequence.next(),
                self.order.from.label(),
                payment.amount,
                self.order.to.label(),
                payment.fee,
            )
        })
    }

    /// Prints what waiting has come to.
    fn report_confirmation(&self) -> Result<(), Failure> {
        self.context.output.result(&self.answer(), || match self.confirmation.block() {
            None => "No block holds it yet.".to_owned(),
            Some(block) => format!(
                "Confirmed: it is in block {} ({}), confirmations: {}.",
                block.height,
                short_hash(&block.hash),
                self.confirmation.count()
            ),
        })
    }

    fn answer(&self) -> Answer {
        let payment = &self.transaction.payment;
        let block = self.confirmation.block();
        Answer {
            txid: self.id.to_string(),
            from: self.order.from.address.to_string(),
            to: self.order.to.address.to_string(),
            amount: payment.amount.to_string(),
            fee: payment.fee.to_string(),
            sequence: payment.sequence.get(),
            status: if block.is_some() { "confirmed" } else { "pending" },
            height: block.map(|block| block.height.get()),
        }
    }
}

/// What became of a payment, as JSON.
#[derive(Serialize)]
struct Answer {
    txid: String,
    from: String,
    to: String,
    amount: String,
    fee: String,
    sequence: u64,
    status: &'static str,
    height: Option<u64>,
}

fn never_synchronised() -> Failure {
    Failure::new(
        Exit::NobodyHeard,
        "never_synchronised",
        "this wallet knows no block yet, so nothing was recorded; start a miner, or reach one by \
         `wallet sync` (on other machines: --lan or --peer HOST:PORT), and try again",
    )
}

fn was_overtaken(sender: &str) -> Failure {
    let message = format!(
        "a block holds another payment of {sender} with the same sequence, made with a copy of its \
         key elsewhere, so this one will not be confirmed; send it again if it is still due, and \
         keep a key in one place"
    );
    Failure::new(Exit::Unexpected, "overtaken", message)
}

fn timed_out(seconds: u64) -> Failure {
    let message = format!(
        "not confirmed within {seconds} s; the payment is kept and repeated by a miner or `wallet \
         sync` of this data directory, so do not send it again"
    );
    Failure::new(Exit::TimedOut, "timed_out", message)
}
