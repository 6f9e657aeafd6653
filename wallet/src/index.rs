//! The wallet's own history (`history.db`), brought up to date where a command needs it.
//!
//! `wallet sync` does so as it follows the chain; any other command looks through what is missing
//! first, and all blocks for a key that is new here. Commands that do not need the history leave it
//! alone.

use std::cell::RefCell;

use cairn_home::history::{History, HistoryError, Indexed};
use cairn_home::{Failure, Pace, ProgressLine};
use cairn_protocol::AccountId;

use crate::context::Context;

/// Has the history of these accounts followed the chain to its tip, and reads it.
///
/// An index that is damaged is emptied and made anew. The chain must be there.
pub(crate) fn read<T>(
    context: &Context,
    accounts: &[AccountId],
    read: impl Fn(&History) -> Result<T, HistoryError>,
) -> Result<T, Failure> {
    let line = RefCell::new(Line::new(context));
    let attempt = || {
        let mut history = History::open(&context.folder(), context.network())?;
        history.catch_up(accounts, &mut |indexed| line.borrow_mut().show(indexed))?;
        read(&history)
    };
    let done = attempt().or_else(|error| {
        make_anew(context, error)?;
        attempt()
    });
    Ok(done?)
}

/// Empties the index, if this error says that it is damaged. Nothing is lost by that: it holds
/// nothing but what the blocks say.
fn make_anew(context: &Context, error: HistoryError) -> Result<(), HistoryError> {
    // A damaged header can make a file look as if it might not be written.
    if !matches!(error, HistoryError::Damaged(..) | HistoryError::NoPermission(_)) {
        return Err(error);
    }
    if History::reset(&context.folder()).is_err() {
        return Err(error);
    }
    let message = "the index of this wallet's payments (history.db) was damaged; it is made anew \
                   from the blocks";
    context.output.note("history_made_anew", message);
    tracing::info!("{error}");
    Ok(())
}

/// Brings the history of all keys of this wallet up to date.
pub(crate) fn follow(context: &Context) -> Result<(), Failure> {
    let accounts: Vec<_> = context.keys().list()?.accounts.into_values().collect();
    if accounts.is_empty() { Ok(()) } else { read(context, &accounts, |_| Ok(())) }
}

/// Notes that a key was made just now, so that it is not looked for in the blocks that are here. If
/// that does not work, it is looked for.
pub(crate) fn begin(context: &Context, account: AccountId) {
    let note = || {
        let Some(reader) = context.chain()? else { return Ok(()) };
        let tip = reader.tip()?.block;
        History::open(&context.folder(), context.network())?.begin(account, tip)?;
        Ok::<_, Failure>(())
    };
    if let Err(failure) = note() {
        tracing::info!("the new key will be looked for in all blocks: {failure}");
    }
}

/// The progress of a search.
struct Line {
    line: ProgressLine,
    pace: Pace,
}

impl Line {
    fn new(context: &Context) -> Self {
        Self { line: ProgressLine::on_stderr(context.output), pace: Pace::from(0) }
    }

    fn show(&mut self, indexed: Indexed) {
        let Indexed { blocks, total, payments } = indexed;
        let pace = &self.pace;
        self.line.show(|| {
            format!(
                "looking for own payments: block {blocks} of {total}, {payments} payments, {} \
                 payments/s{}",
                pace.per_second(payments),
                pace.left(blocks, total)
            )
        });
    }
}
