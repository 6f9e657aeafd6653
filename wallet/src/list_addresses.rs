//! `wallet list-addresses`: what each local key has. Only reads, and creates nothing.

use std::collections::BTreeMap;

use cairn_home::{Failure, KeyName, Outbox, OutboxError};
use cairn_ledger::{AccountState, LedgerReader, Tip};
use cairn_network::clock;
use cairn_protocol::{AccountId, Sequence, Transaction};
use serde::Serialize;

use crate::context::{Context, is_empty};
use crate::funds::{Change, pending};
use crate::history::report_broken;
use crate::overtaken;
use crate::table::{Align, describe_tip, table};

pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let listing = context.keys().list()?;
    let accounts = &listing.accounts;
    let (outbox, reader) = (Outbox::open_existing(&context.folder())?, context.chain()?);
    let (outbox, reader) = (outbox.as_ref(), reader.as_ref());
    let chain = Chain::read(context, accounts.values().copied().collect(), outbox, reader)?;
    let rows: Vec<Row> = accounts.iter().map(|key| Row::new(context, key, &chain)).collect();
    if is_empty(&chain.tip) {
        context.output.note(
            "never_synchronised",
            "no block is known yet; start a miner, or run `wallet sync`",
        );
    }
    let answer = Answer::new(context, &chain.tip, &rows);
    context.output.result(&answer, || text(&chain.tip, &rows))?;
    if let Some((outbox, reader)) = outbox.zip(reader) {
        overtaken::tell_of(context, outbox, reader)?;
    }
    report_broken(&listing)
}

/// What chain and outbox say about some accounts.
struct Chain {
    tip: Tip,
    states: BTreeMap<AccountId, AccountState>,
    pending: BTreeMap<AccountId, Change>,
}

impl Chain {
    fn read(
        context: &Context,
        mut accounts: Vec<AccountId>,
        outbox: Option<&Outbox>,
        reader: Option<&LedgerReader>,
    ) -> Result<Self, Failure> {
        let senders = outbox.map(Outbox::senders).transpose()?.unwrap_or_default();
        accounts.extend(&senders);
        let (tip, states) = match reader {
            Some(reader) => read_states(reader, &accounts)?,
            None => (context.genesis_tip(), BTreeMap::new()),
        };
        let waiting = outbox.map(|outbox| waiting(outbox, &senders, &states)).transpose()?;
        Ok(Self { tip, pending: pending(&waiting.unwrap_or_default()), states })
    }
}

fn read_states(
    reader: &LedgerReader,
    accounts: &[AccountId],
) -> Result<(Tip, BTreeMap<AccountId, AccountState>), Failure> {
    let (tip, states) = reader.accounts(accounts)?;
    Ok((tip, accounts.iter().copied().zip(states).collect()))
}

/// The payments that no block holds yet. The sequences are of the same moment as the balances, so
/// a payment counts either in a balance or as pending.
fn waiting(
    outbox: &Outbox,
    senders: &[AccountId],
    states: &BTreeMap<AccountId, AccountState>,
) -> Result<Vec<Transaction>, OutboxError> {
    let mut waiting = Vec::new();
    for sender in senders {
        let first = states.get(sender).map_or(Sequence::FIRST, |state| state.account.sequence);
        waiting.extend(outbox.payments_from(*sender, first)?);
    }
    Ok(waiting)
}

/// One line of the list.
struct Row {
    name: KeyName,
    address: String,
    state: AccountState,
    pending: Change,
}

impl Row {
    fn new(context: &Context, (name, account): (&KeyName, &AccountId), chain: &Chain) -> Self {
        Self {
            name: name.clone(),
            address: context.address(*account).to_string(),
            state: chain.states.get(account).copied().unwrap_or_default(),
            pending: chain.pending.get(account).copied().unwrap_or_default(),
        }
    }
}

/// The list as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    network: &'a str,
    height: u64,
    tip: String,
    /// Milliseconds since the Unix epoch.
    tip_time: u64,
    addresses: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    address: &'a str,
    balance: String,
    pending: String,
    immature: String,
}

impl<'a> Answer<'a> {
    fn new(context: &'a Context, tip: &Tip, rows: &'a [Row]) -> Self {
        let entry = |row: &'a Row| Entry {
            name: row.name.as_str(),
            address: &row.address,
            balance: row.state.account.balance.to_string(),
            pending: row.pending.to_string(),
            immature: row.state.immature.to_string(),
        };
        Self {
            network: context.network().rules().name.as_str(),
            height: tip.block.height.get(),
            tip: tip.block.hash.to_string(),
            tip_time: tip.time.millis(),
            addresses: rows.iter().map(entry).collect(),
        }
    }
}

fn text(tip: &Tip, rows: &[Row]) -> String {
    let list = if rows.is_empty() {
        "There are no addresses yet; `wallet new-address NAME` makes one.".to_owned()
    } else {
        list(rows)
    };
    format!("{list}\nAs of {}.", describe_tip(tip, clock::now()))
}

fn list(rows: &[Row]) -> String {
    let mut headings =
        vec![("Key Name", Align::Left), ("Balance", Align::Right), ("Pending", Align::Right)];
    let immature = rows.iter().any(|row| !row.state.immature.is_zero());
    if immature {
        headings.push(("Immature", Align::Right));
    }
    headings.push(("Address", Align::Left));
    let cells = |row: &Row| {
        let mut cells = vec![
            row.name.to_string(),
            row.state.account.balance.to_string(),
            row.pending.to_string(),
        ];
        if immature {
            cells.push(row.state.immature.to_string());
        }
        cells.push(row.address.clone());
        cells
    };
    table(&headings, &rows.iter().map(cells).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    /// What `list-addresses` tells now of a key: confirmed, pending, and what that comes to.
    fn told(home: &Fixture, name: &str) -> [String; 3] {
        let account = home.account(name);
        let (outbox, reader) = (home.outbox(), home.reader());
        let chain = Chain::read(&home.context, vec![account], Some(&outbox), Some(&reader));
        let chain = chain.expect("readable");
        let name = name.parse().expect("a name");
        let Row { state, pending, .. } = Row::new(&home.context, (&name, &account), &chain);
        let confirmed = state.account.balance;
        [confirmed.to_string(), pending.to_string(), pending.applied_to(confirmed).to_string()]
    }

    #[test]
    fn behaviour_56_confirmed_pending_and_total_are_right_through_mining_reorg_and_conflict() {
        let mut home = Fixture::new();
        // The reward of block 3 can be spent from the next block on.
        let fork = home.mine(&[]);
        let both = |home: &Fixture| [told(home, "rich"), told(home, "alice")];
        assert_eq!(
            both(&home),
            [["30.000000", "+0.000000", "+30.000000"], ["0.000000", "+0.000000", "+0.000000"]]
        );

        let payment = home.try_pay(&["rich", "2.5", "alice", "--fee", "0.5"]).expect("recorded");
        let under_way =
            [["30.000000", "-3.000000", "+27.000000"], ["0.000000", "+2.500000", "+2.500000"]];
        assert_eq!(both(&home), under_way);

        home.mine(std::slice::from_ref(&payment));
        let made =
            [["27.000000", "+0.000000", "+27.000000"], ["2.500000", "+0.000000", "+2.500000"]];
        assert_eq!(both(&home), made);

        let empty = home.mine_on(fork, &[]);
        let empty = home.mine_on(empty, &[]);
        assert_eq!(both(&home), under_way, "a better branch does not hold it");

        home.mine_on(empty, &[home.overtaking(&payment)]);
        let overtaken =
            [["27.000000", "+0.000000", "+27.000000"], ["0.000000", "+0.000000", "+0.000000"]];
        assert_eq!(both(&home), overtaken, "another one has its sequence");
    }

    #[test]
    fn behaviour_57_a_payment_that_a_reorganisation_unconfirmed_is_pending_when_next_looked() {
        let mut home = Fixture::new();
        let fork = home.ledger.tip().block;
        let payment = home.pay("rich", "2.5", "alice");
        home.mine(&[payment]);
        assert_eq!(told(&home, "alice"), ["2.500000", "+0.000000", "+2.500000"]);

        // No wallet runs while the chain goes another way, 150 blocks long.
        let mut tip = fork;
        for _ in 0..150 {
            tip = home.mine_on(tip, &[]);
        }
        assert_eq!(told(&home, "alice"), ["0.000000", "+2.500000", "+2.500000"]);
        let waiting = home.outbox().unconfirmed(&home.reader()).expect("readable");
        assert_eq!(waiting.len(), 1, "and it is repeated");
    }
}
