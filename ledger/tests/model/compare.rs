//! What is compared after every call, and how a difference is told.

use std::fmt::Debug;

use cairn_ledger::{AccountState, BlocksAdded, Ledger, LedgerError, LedgerReader, Supply};
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
    let tip = model.tip();
    found.compare("tip", &tip, &ledger.tip());
    found.compare("best header", &model.best_header(), &ledger.best_header());
    found.compare("missing blocks", &model.missing_blocks(), &ledger.missing_blocks(usize::MAX)?);
    found.compare("next block", &model.next_block(now), &ledger.next_block(now)?);

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

struct Differences(Vec<String>);

impl Differences {
    fn compare<T: PartialEq + Debug>(&mut self, what: &str, model: &T, ledger: &T) {
        if model != ledger {
            self.0.push(format!("{what}:\n  model  {model:?}\n  ledger {ledger:?}"));
        }
    }
}
