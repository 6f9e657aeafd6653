//! [`Repeater`]: when which recorded payments are to be sent again.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use cairn_ledger::LedgerReader;
use cairn_protocol::{Network, Transaction};

use crate::outbox::{Outbox, OutboxError};

/// How often [`Repeater::due`] wants to be asked.
pub const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Says what to send: the payments that no block holds yet, at once after one was recorded by
/// another process, and all again each transaction interval.
#[derive(Debug)]
pub struct Repeater {
    folder: PathBuf,
    interval: Duration,
    outbox: Option<Outbox>,
    last: Option<(Instant, i64)>,
}

impl Repeater {
    /// For the outbox of this network folder, which need not exist yet.
    pub fn new(folder: PathBuf, interval: Duration) -> Self {
        Self { folder, interval, outbox: None, last: None }
    }

    /// What is to be sent now, each sender's payments in order. Ask every [`POLL_INTERVAL`].
    ///
    /// # Errors
    /// [`OutboxError`] if outbox or chain cannot be read; ask again later.
    pub fn due(
        &mut self,
        now: Instant,
        network: &Network,
    ) -> Result<Vec<Transaction>, OutboxError> {
        if self.outbox.is_none() {
            self.outbox = Outbox::open_existing(&self.folder)?;
        }
        let Some(outbox) = &self.outbox else { return Ok(Vec::new()) };
        let revision = outbox.revision()?;
        let unchanged = |(at, seen): (Instant, i64)| {
            seen == revision && now.saturating_duration_since(at) < self.interval
        };
        if self.last.is_some_and(unchanged) {
            return Ok(Vec::new());
        }
        let waiting = outbox.unconfirmed(&LedgerReader::open(&self.folder, network)?)?;
        self.last = Some((now, revision));
        Ok(waiting)
    }
}

#[cfg(test)]
mod tests {
    use cairn_ledger::Ledger;
    use cairn_protocol::{Amount, Memo, Payment, Rules, SecretKey};

    use super::*;
    use crate::outbox::next_sequence;

    const INTERVAL: Duration = Duration::from_secs(5);

    #[test]
    fn rule_n6_payments_are_due_at_once_after_a_change_and_each_interval() {
        let folder = tempfile::tempdir().expect("a folder");
        let network = Network::new(Rules::default()).expect("possible");
        let ledger = Ledger::open(folder.path(), &network).expect("new");
        let mut repeater = Repeater::new(folder.path().to_owned(), INTERVAL);
        let start = Instant::now();
        let mut due = |after| {
            let due = repeater.due(start + after, &network).expect("readable");
            due.iter().map(|one| one.payment.sequence.get()).collect::<Vec<_>>()
        };
        assert!(due(Duration::ZERO).is_empty());

        let record = || {
            let key = SecretKey::from_seed([1; 32]);
            let sender = key.account();
            let mut outbox = Outbox::open(folder.path()).expect("opens");
            let reader = ledger.reader().expect("readable");
            let recorded = outbox.record(&reader, sender, |account, waiting| {
                let payment = Payment {
                    sender,
                    recipient: sender,
                    amount: Amount::MAX,
                    fee: Amount::ZERO,
                    sequence: next_sequence(account, waiting),
                    memo: Memo::default(),
                };
                Ok::<_, OutboxError>(key.sign(payment, network.id()))
            });
            recorded.expect("recorded");
        };
        record();
        assert_eq!(due(Duration::ZERO), [0]);
        assert!(due(INTERVAL / 2).is_empty());
        assert_eq!(due(INTERVAL), [0]);
        record();
        assert_eq!(due(INTERVAL), [0, 1]);
        assert!(due(INTERVAL * 3 / 2).is_empty());
        assert_eq!(due(INTERVAL * 2), [0, 1]);
    }
}
