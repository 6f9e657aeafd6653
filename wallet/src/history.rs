//! `wallet history [NAME|ADDRESS]`: what this wallet's keys received and sent, the newest first.

use std::collections::BTreeMap;

use cairn_home::history::{Entry, Event};
use cairn_home::keys::Listing;
use cairn_home::{Exit, Failure, KeyName, Outbox, Party};
use cairn_ledger::{LedgerReader, Tip};
use cairn_network::clock;
use cairn_protocol::{AccountId, Height, Memo, Payment, Timestamp};
use serde::Serialize;

use crate::cli;
use crate::context::{Context, is_empty};
use crate::index;
use crate::table::{Align, describe_tip, printable, table, utc};

/// How often the tip may move while everything is read as of one.
const ATTEMPTS: usize = 5;

pub(crate) fn run(context: &Context, args: &cli::History) -> Result<(), Failure> {
    let listing = context.keys().list()?;
    let names = Names::new(&listing);
    let accounts = match &args.party {
        Some(party) => vec![names.local(context, party)?],
        None => names.0.keys().copied().collect(),
    };
    let (tip, lines) = match context.chain()? {
        Some(reader) => read(context, &reader, &accounts, args.last as usize)?,
        None => (context.genesis_tip(), Vec::new()),
    };
    if is_empty(&tip) {
        context.output.note(
            "never_synchronised",
            "no block is known yet; start a miner, or run `wallet sync`",
        );
    }
    let answer = Answer::new(context, &tip, &names, &lines);
    context.output.result(&answer, || text(context, &tip, &names, &lines))?;
    report_broken(&listing)
}

/// Which local key owns an account; the first by name, where several do.
struct Names(BTreeMap<AccountId, KeyName>);

impl Names {
    fn new(listing: &Listing) -> Self {
        let accounts = listing.accounts.iter().rev();
        Self(accounts.map(|(name, account)| (*account, name.clone())).collect())
    }

    /// The account of this wallet that the command line names.
    fn local(&self, context: &Context, party: &str) -> Result<AccountId, Failure> {
        let keys = context.keys();
        let account = Party::resolve(party, &keys, &context.network().rules().name)?.account();
        if self.0.contains_key(&account) {
            return Ok(account);
        }
        let message = format!(
            "the key of {party} is not in this wallet, which knows the history of its own keys \
             only; {}",
            keys.known()
        );
        Err(Failure::new(Exit::BadInput, "not_local", message))
    }

    /// The local name, or else the address.
    fn label(&self, context: &Context, account: AccountId) -> String {
        let name = self.0.get(&account).map(KeyName::to_string);
        name.unwrap_or_else(|| context.address(account).to_string())
    }
}

/// One line of the history: an entry of the index, or a payment that no block holds yet.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    account: AccountId,
    block: Option<(Height, Timestamp)>,
    event: Event,
}

impl Line {
    fn of_entry(entry: Entry) -> Self {
        Self { account: entry.account, block: Some((entry.height, entry.time)), event: entry.event }
    }

    /// What a payment that waits will do to these accounts, in the order of an index that is read
    /// from its end.
    fn of_waiting(payment: &Payment, accounts: &[AccountId]) -> Vec<Self> {
        let sides = [
            (payment.recipient, Event::Received(payment.clone())),
            (payment.sender, Event::Sent(payment.clone())),
        ];
        let ours = sides.into_iter().filter(|(account, _)| accounts.contains(account));
        ours.map(|(account, event)| Self { account, block: None, event }).collect()
    }

    fn kind(&self) -> &'static str {
        match self.event {
            Event::Reward(_) => "reward",
            Event::Sent(_) => "sent",
            Event::Received(_) => "received",
        }
    }

    /// What the account gets or gives away, without the fee.
    fn amount(&self) -> String {
        let sign = if matches!(self.event, Event::Sent(_)) { '-' } else { '+' };
        format!("{sign}{}", self.event.amount())
    }

    /// What the account paid to the miner.
    fn fee(&self) -> Option<String> {
        match &self.event {
            Event::Sent(payment) => Some(payment.fee.to_string()),
            Event::Reward(_) | Event::Received(_) => None,
        }
    }

    fn counterparty(&self) -> Option<AccountId> {
        match &self.event {
            Event::Reward(_) => None,
            Event::Sent(payment) => Some(payment.recipient),
            Event::Received(payment) => Some(payment.sender),
        }
    }

    fn memo(&self) -> Option<&Memo> {
        self.event.payment().map(|payment| &payment.memo).filter(|memo| !memo.is_empty())
    }
}

/// The newest lines of these accounts, and the tip as of which they are.
fn read(
    context: &Context,
    reader: &LedgerReader,
    accounts: &[AccountId],
    most: usize,
) -> Result<(Tip, Vec<Line>), Failure> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let tip = reader.tip()?;
        let mut lines = waiting(context, reader, accounts)?;
        let (entries, behind) = index::read(context, accounts, |history| {
            Ok((history.newest(accounts, most)?, history.behind(reader, accounts)?))
        })?;
        // A block that came in between may hold what waited before.
        if attempts < ATTEMPTS && (behind > 0 || reader.tip()? != tip) {
            continue;
        }
        lines.extend(entries.into_iter().map(Line::of_entry));
        lines.truncate(most);
        return Ok((tip, lines));
    }
}

/// What no block holds yet, each sender's last payment first.
fn waiting(
    context: &Context,
    reader: &LedgerReader,
    accounts: &[AccountId],
) -> Result<Vec<Line>, Failure> {
    let Some(outbox) = Outbox::open_existing(&context.folder())? else { return Ok(Vec::new()) };
    let waiting = outbox.unconfirmed(reader)?;
    let lines = waiting.iter().rev();
    Ok(lines.flat_map(|one| Line::of_waiting(&one.payment, accounts)).collect())
}

/// The history as JSON.
#[derive(Serialize)]
struct Answer {
    network: String,
    height: u64,
    tip: String,
    entries: Vec<AnswerEntry>,
}

#[derive(Serialize)]
struct AnswerEntry {
    height: Option<u64>,
    /// Milliseconds since the Unix epoch.
    time: Option<u64>,
    kind: &'static str,
    name: Option<String>,
    address: String,
    amount: String,
    fee: Option<String>,
    counterparty: Option<String>,
    counterparty_name: Option<String>,
    memo: Option<String>,
    txid: Option<String>,
}

impl Answer {
    fn new(context: &Context, tip: &Tip, names: &Names, lines: &[Line]) -> Self {
        Self {
            network: context.network().rules().name.to_string(),
            height: tip.block.height.get(),
            tip: tip.block.hash.to_string(),
            entries: lines.iter().map(|line| AnswerEntry::new(context, names, line)).collect(),
        }
    }
}

impl AnswerEntry {
    fn new(context: &Context, names: &Names, line: &Line) -> Self {
        let name = |account: &AccountId| names.0.get(account).map(KeyName::to_string);
        let (counterparty, payment) = (line.counterparty(), line.event.payment());
        Self {
            height: line.block.map(|(height, _)| height.get()),
            time: line.block.map(|(_, time)| time.millis()),
            kind: line.kind(),
            name: name(&line.account),
            address: context.address(line.account).to_string(),
            amount: line.amount(),
            fee: line.fee(),
            counterparty: counterparty.map(|account| context.address(account).to_string()),
            counterparty_name: counterparty.as_ref().and_then(name),
            memo: line.memo().map(|memo| String::from_utf8_lossy(memo).into_owned()),
            txid: payment.map(|payment| payment.id(context.network().id()).to_string()),
        }
    }
}

fn text(context: &Context, tip: &Tip, names: &Names, lines: &[Line]) -> String {
    let list = if lines.is_empty() {
        "Nothing was received or sent yet.".to_owned()
    } else {
        list(context, names, lines)
    };
    format!("{list}\nAs of {}.", describe_tip(tip, clock::now()))
}

fn list(context: &Context, names: &Names, lines: &[Line]) -> String {
    let headings = [
        ("Height", Align::Right),
        ("Time (UTC)", Align::Left),
        ("Key Name", Align::Left),
        ("What", Align::Left),
        ("Amount", Align::Right),
        ("Fee", Align::Right),
        ("From/To", Align::Left),
        ("Memo", Align::Left),
    ];
    let cells = |line: &Line| {
        let place = line.block.map(|(height, time)| (height.to_string(), utc(time)));
        let (height, time) = place.unwrap_or_else(|| ("pending".to_owned(), String::new()));
        let counterparty = line.counterparty().map(|account| names.label(context, account));
        vec![
            height,
            time,
            names.label(context, line.account),
            line.kind().to_owned(),
            line.amount(),
            line.fee().unwrap_or_default(),
            counterparty.unwrap_or_default(),
            line.memo().map(|memo| printable(memo)).unwrap_or_default(),
        ]
    };
    table(&headings, &lines.iter().map(cells).collect::<Vec<_>>())
}

/// The key files that cannot be used, as an error.
pub(crate) fn report_broken(listing: &Listing) -> Result<(), Failure> {
    let broken: Vec<_> = listing.broken.iter().map(ToString::to_string).collect();
    if broken.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::KeyFile, "bad_key_file", broken.join("\n")))
}
