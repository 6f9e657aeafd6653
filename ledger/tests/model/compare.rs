//! What is compared after every call, and how a difference is told.

use std::fmt::Debug;

use cairn_ledger::{AccountState, BlocksAdded, Ledger, LedgerError, LedgerReader, Supply, Tip};
use cairn_protocol::{AccountId, Network, Timestamp};

use crate::accounts::{amount_of, issued};
use crate::model::Model;
use crate::purse::PEOPLE;

/// An answer whose refused blocks stand in the order of their heights and hashes, since a call has
/// no order that matters.
pub(crate) fn sorted(mut answer: BlocksAdded) -> BlocksAdded {
    answer.refused.sort_by_key(|(block, error)| (*block, error.rule()));
    answer
}

/// In what the ledger and its reader differ from the model, line by line.
///
/// All accounts that there can be are looked at; and the sum of all that the ledger holds is
/// theirs, so there are no others.
pub(crate) fn differences(
    network: &Network,
    model: &Model,
    ledger: &Ledger,
    reader: &LedgerReader,
    now: Timestamp,
) -> Result<Vec<String>, LedgerError> {
    let mut found = Differences(Vec::new());
    found.compare_ledger(model, ledger, now)?;
    let tip = model.tip();
    found.compare("committed tip", &tip, &ledger.committed_tip());

    let ids: Vec<AccountId> = PEOPLE.iter().map(|(_, id)| *id).collect();
    let (seen, accounts) = reader.accounts(&ids)?;
    found.compare("tip as a reader sees it", &tip, &seen);
    let (rules, state) = (network.rules(), model.state());
    for (index, account) in accounts.iter().enumerate() {
        let id = ids[index];
        let expected =
            AccountState { account: state.account(id), immature: state.immature(rules, id) };
        found.compare(&format!("account of {}", index + 1), &expected, account);
    }

    let expected = Supply {
        credited: amount_of(state.credited()),
        immature: amount_of(state.held_back(rules)),
        issued: amount_of(issued(rules, state.height())),
    };
    let supply = reader.supply()?;
    found.compare("supply", &expected, &supply);
    if !expected.is_right() || !supply.is_right() {
        found.0.push("coins were made or lost".to_owned());
    }
    Ok(found.0)
}

/// Compares what a ledger shows while blocks wait for its commit; its reader is where it was.
pub(crate) fn uncommitted(
    model: &Model,
    ledger: &Ledger,
    reader: &LedgerReader,
    committed: Tip,
    now: Timestamp,
) -> Result<(), String> {
    let mut found = Differences(Vec::new());
    let compared = found.compare_ledger(model, ledger, now).and_then(|()| reader.tip());
    let seen = compared.map_err(|error| error.to_string())?;
    found.compare("tip as a reader sees it", &committed, &seen);
    found.compare("committed tip", &committed, &ledger.committed_tip());
    if found.0.is_empty() { Ok(()) } else { Err(found.0.join("\n")) }
}

struct Differences(Vec<String>);

impl Differences {
    /// What the ledger itself shows.
    fn compare_ledger(
        &mut self,
        model: &Model,
        ledger: &Ledger,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let missing = ledger.missing_blocks(usize::MAX)?;
        self.compare("tip", &model.tip(), &ledger.tip());
        self.compare("best header", &model.best_header(), &ledger.best_header());
        self.compare("missing blocks", &model.missing_blocks(), &missing);
        self.compare("next block", &model.next_block(now), &ledger.next_block(now)?);
        for (index, (_, id)) in PEOPLE.iter().enumerate() {
            let name = format!("balance and sequence of {}", index + 1);
            self.compare(&name, &model.state().account(*id), &ledger.account(id)?);
        }
        Ok(())
    }

    fn compare<T: PartialEq + Debug>(&mut self, what: &str, model: &T, ledger: &T) {
        if model != ledger {
            self.0.push(format!("{what}:\n  model  {model:?}\n  ledger {ledger:?}"));
        }
    }
}
