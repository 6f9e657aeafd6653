//! Payments that will never be made, because a copy of their key has paid with their sequence: the
//! user is told so once.
//!
//! Nothing else would say it: such a payment no longer waits, just like one that a block holds.
//! Which of the two it is can only be seen in the blocks since it was made. They are searched up to
//! the one that has its sequence, again and again until that lies deep; so a reorganisation that
//! puts another payment in the place of ours is noticed too.

use std::collections::BTreeMap;

use cairn_home::{Failure, Fate, Outbox, Undecided};
use cairn_ledger::{LedgerError, LedgerReader};
use cairn_protocol::{AccountId, BlockRef, Network, Payment, Sequence, Transaction};

use crate::blocks::payments_of;
use crate::context::Context;

/// How many blocks are looked at between two questions to the ledger.
const BATCH: usize = 100;
/// From so many confirmations on, a payment counts as made for good.
const DEEP: u64 = 100;

/// Who paid what as which of their payments.
type Place = (AccountId, Sequence);

/// Gives up the payments that were overtaken, and tells of each in a note.
pub(crate) fn tell(context: &Context) -> Result<(), Failure> {
    let Some(outbox) = Outbox::open_existing(&context.folder())? else { return Ok(()) };
    let Some(reader) = context.chain()? else { return Ok(()) };
    tell_of(context, &outbox, &reader)
}

/// The same, where both are open already.
pub(crate) fn tell_of(
    context: &Context,
    outbox: &Outbox,
    reader: &LedgerReader,
) -> Result<(), Failure> {
    for (undecided, verdict) in decide(&outbox.undecided(reader)?, reader, context.network())? {
        let fate = match verdict {
            Verdict::Made => Fate::Made,
            // Who does not want to be told is told another time.
            Verdict::Overtaken(_) if context.output.is_quiet() => continue,
            Verdict::Overtaken(block) => {
                let message = describe(context, &undecided.transaction.payment, block);
                context.output.note("overtaken", &message);
                Fate::GivenUp
            }
        };
        note(outbox, &undecided.transaction, fate);
    }
    Ok(())
}

/// Notes what became of a payment. On a disk that is full or may not be written, it will be told
/// again.
pub(crate) fn note(outbox: &Outbox, transaction: &Transaction, fate: Fate) {
    if let Err(error) = outbox.decide(transaction, fate) {
        tracing::warn!("cannot note what became of a payment: {error}");
    }
}

/// What became of a payment for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Made,
    /// This block holds another one in its place.
    Overtaken(BlockRef),
}

/// The verdicts that can be given on these payments.
fn decide<'a>(
    undecided: &'a [Undecided],
    reader: &LedgerReader,
    network: &Network,
) -> Result<Vec<(&'a Undecided, Verdict)>, Failure> {
    let mut open: BTreeMap<Place, &Undecided> =
        undecided.iter().map(|one| (place(&one.transaction.payment), one)).collect();
    let starts = undecided.iter().map(|one| start(one, reader, network));
    let starts = starts.collect::<Result<Vec<_>, _>>()?;
    let Some(mut cursor) = starts.into_iter().min_by_key(|block| block.height) else {
        return Ok(Vec::new());
    };
    let tip = reader.tip()?.block;
    let mut verdicts = Vec::new();
    while !open.is_empty() {
        let changes = reader.changes_since(cursor, BATCH)?;
        for block in &changes.connected {
            for transaction in payments_of(reader, *block)?.unwrap_or_default() {
                let Some(one) = open.remove(&place(&transaction.payment)) else { continue };
                if transaction.payment != one.transaction.payment {
                    verdicts.push((one, Verdict::Overtaken(*block)));
                } else if tip.height.since(block.height) >= DEEP {
                    verdicts.push((one, Verdict::Made));
                }
            }
        }
        cursor = changes.cursor;
        if changes.connected.len() < BATCH {
            break;
        }
    }
    Ok(verdicts)
}

/// A block of the active chain that neither holds the payment nor has a forebear that does.
fn start(
    undecided: &Undecided,
    reader: &LedgerReader,
    network: &Network,
) -> Result<BlockRef, LedgerError> {
    let genesis = network.genesis_ref();
    match reader.changes_since(undecided.made.unwrap_or(genesis), 0) {
        Ok(changes) => Ok(changes.cursor),
        // The chain was downloaded anew, and that block was not on it.
        Err(LedgerError::UnknownCursor(_)) => Ok(genesis),
        Err(error) => Err(error),
    }
}

fn place(payment: &Payment) -> Place {
    (payment.sender, payment.sequence)
}

/// The sentence for people.
fn describe(context: &Context, payment: &Payment, block: BlockRef) -> String {
    let (from, to) = (label(context, payment.sender), label(context, payment.recipient));
    format!(
        "the payment of {} from {from} to {to} (transaction {}) will never be made: block {} holds \
         another payment of {from} in its place, made with a copy of its key elsewhere; send it \
         again if it is still due, and keep a key in one place",
        payment.amount,
        payment.id(context.network().id()),
        block.height,
    )
}

/// The local name of an account, or else its address.
fn label(context: &Context, account: AccountId) -> String {
    let listing = context.keys().list().unwrap_or_default();
    let name = listing.accounts.into_iter().find(|(_, known)| *known == account);
    name.map_or_else(|| context.address(account).to_string(), |(name, _)| name.to_string())
}

#[cfg(test)]
mod tests {
    use cairn_protocol::BlockHash;

    use super::*;
    use crate::fixture::Fixture;

    /// What became of the payments, and where.
    fn verdicts(home: &Fixture) -> Vec<(u64, Verdict)> {
        let undecided = home.outbox().undecided(&home.reader()).expect("readable");
        let verdicts = decide(&undecided, &home.reader(), home.context.network());
        let sequence = |one: &Undecided| one.transaction.payment.sequence.get();
        verdicts
            .expect("readable")
            .into_iter()
            .map(|(one, verdict)| (sequence(one), verdict))
            .collect()
    }

    #[test]
    fn a_payment_that_a_block_holds_is_looked_at_until_it_lies_deep() {
        let mut home = Fixture::new();
        let payment = home.pay("rich", "1", "alice");
        assert_eq!(verdicts(&home), []);
        home.mine(&[payment]);
        for _ in 0..DEEP {
            assert_eq!(verdicts(&home), []);
            home.mine(&[]);
        }
        assert_eq!(verdicts(&home), [(0, Verdict::Made)]);
        tell(&home.context).expect("noted");
        assert_eq!(home.outbox().undecided(&home.reader()).expect("readable"), []);
    }

    #[test]
    fn a_payment_is_overtaken_where_another_has_its_sequence() {
        let mut home = Fixture::new();
        let first = home.pay("rich", "1", "alice");
        let second = home.pay("rich", "2", "alice");
        let holder = home.mine(&[first, home.overtaking(&second)]);
        // The wallet was off for longer than it looks through at once.
        for _ in 0..BATCH {
            home.mine(&[]);
        }
        let expected = [(0, Verdict::Made), (1, Verdict::Overtaken(holder))];
        let mut found = verdicts(&home);
        found.sort_by_key(|(sequence, _)| *sequence);
        assert_eq!(found, expected);
    }

    #[test]
    fn a_reorganisation_that_puts_another_in_its_place_is_noticed() {
        let mut home = Fixture::new();
        let fork = home.ledger.tip().block;
        let payment = home.pay("rich", "1", "alice");
        home.mine(std::slice::from_ref(&payment));
        home.pay("rich", "1", "alice");
        assert_eq!(verdicts(&home), []);
        let holder = home.mine_on(fork, &[home.overtaking(&payment)]);
        home.mine_on(holder, &[]);
        assert_eq!(verdicts(&home), [(0, Verdict::Overtaken(holder))]);
    }

    #[test]
    fn a_payment_made_on_a_branch_that_was_left_is_found_on_the_other() {
        let mut home = Fixture::new();
        let fork = home.ledger.tip().block;
        home.mine(&[]);
        let payment = home.pay("rich", "1", "alice");
        let holder = home.mine_on(fork, &[home.overtaking(&payment)]);
        let next = home.mine_on(holder, &[]);
        home.mine_on(next, &[]);
        assert_eq!(verdicts(&home), [(0, Verdict::Overtaken(holder))]);
    }

    #[test]
    fn payments_made_on_different_branches_are_all_found() {
        let mut home = Fixture::new();
        let fork = home.ledger.tip().block;
        home.mine(&[]);
        home.mine(&[]);
        let first = home.pay("rich", "1", "alice");
        let holder = home.mine_on(fork, &[home.overtaking(&first)]);
        let next = home.mine_on(holder, &[]);
        home.mine_on(next, &[]);
        let second = home.pay("rich", "2", "alice");
        let last = home.mine(&[home.overtaking(&second)]);
        let expected = [(0, Verdict::Overtaken(holder)), (1, Verdict::Overtaken(last))];
        assert_eq!(verdicts(&home), expected);
    }

    #[test]
    fn a_payment_made_on_a_block_that_is_not_known_any_more_is_searched_from_the_start() {
        let mut home = Fixture::new();
        let payment = home.pay("rich", "1", "alice");
        let holder = home.mine(&[home.overtaking(&payment)]);
        let made = Some(BlockRef { hash: BlockHash([7; 32]), ..holder });
        let undecided = [Undecided { transaction: payment, made }];
        let verdicts = decide(&undecided, &home.reader(), home.context.network());
        let expected = [(&undecided[0], Verdict::Overtaken(holder))];
        assert_eq!(verdicts.expect("readable"), expected);
    }

    #[test]
    fn who_does_not_want_to_be_told_leaves_no_payment_undecided_that_was_made() {
        let mut home = Fixture::new();
        let made = home.pay("rich", "1", "alice");
        home.mine(&[made]);
        for _ in 0..DEEP {
            home.mine(&[]);
        }
        tell(&quietly(&home)).expect("noted");
        assert_eq!(home.outbox().undecided(&home.reader()).expect("readable"), []);
    }

    /// The same data directory, of which nothing is to be told.
    fn quietly(home: &Fixture) -> Context {
        let quiet = cairn_home::CommonArgs { quiet: true, ..Default::default() };
        Context { output: cairn_home::Output::new(&quiet), ..home.context.clone() }
    }

    #[test]
    fn an_overtaken_payment_is_given_up_when_it_is_told() {
        let mut home = Fixture::new();
        let payment = home.pay("rich", "1", "alice");
        home.mine(&[home.overtaking(&payment)]);
        tell(&quietly(&home)).expect("readable");
        assert_eq!(verdicts(&home).len(), 1, "nobody was told");
        tell(&home.context).expect("told");
        assert_eq!(verdicts(&home), []);
    }
}
