//! Several `wallet send` at once, beside a miner that is killed with them, and without one.

use std::collections::BTreeMap;
use std::time::Duration;

use cairn_forge::Recipe;
use cairn_home::Outbox;
use cairn_protocol::{BlockRef, Payment, Sequence};
use cairn_tests::{Home, Miner, Outcome, Process, TestNetwork, text, wait_until};

use crate::scenario::{Scenario, run, say, time_of};

/// How many send at the same time.
const SENDERS: usize = 3;
const PAYER: &str = "account-1";
const SEND: [&str; 6] = ["send", PAYER, "0.001", "account-2", "--json", "--offline"];

struct Send {
    home: Home,
    first: u64,
    span: Duration,
    /// The id of each payment that `send` has printed, by its sequence.
    acknowledged: BTreeMap<u64, String>,
}

impl Send {
    fn new() -> Self {
        let home = TestNetwork::forged().home();
        let recipe = Recipe { blocks: 60, payments: 1, ..Recipe::default() };
        home.forge(&recipe);
        let first = home.sequence(PAYER);
        let mut send = Self { home, first, span: Duration::ZERO, acknowledged: BTreeMap::new() };
        let mut senders = Vec::new();
        send.span = time_of(|| {
            senders = send.senders(0);
            assert!(senders.iter_mut().all(|sender| sender.wait().success()));
        });
        send.remember(&mut senders);
        assert_eq!(send.acknowledged.len(), SENDERS);
        send
    }

    /// Every second time they announce their payments, too.
    fn senders(&self, number: u32) -> Vec<Process> {
        let options = SEND.len() - usize::from(number % 2 == 1);
        (0..SENDERS).map(|_| self.home.start_wallet(&SEND[..options])).collect()
    }

    /// What was acknowledged before the kill is a promise.
    fn remember(&mut self, senders: &mut [Process]) {
        for sender in senders {
            if !sender.wait().success() {
                continue;
            }
            let sent = Outcome::of(sender).json();
            let sequence = sent["sequence"].as_u64().expect("a number");
            let other = self.acknowledged.insert(sequence, text(&sent["txid"]));
            assert_eq!(other, None, "sequence {sequence} was given out twice");
        }
    }

    /// The payments that are recorded, by sequence.
    fn recorded(&self) -> BTreeMap<u64, String> {
        let outbox = Outbox::open_existing(&self.home.network_folder()).expect("not damaged");
        let payments =
            outbox.expect("there").payments_from(self.home.account(PAYER), Sequence::FIRST);
        let id = |payment: &Payment| {
            (payment.sequence.get(), payment.id(self.home.network().id()).to_string())
        };
        payments.expect("not damaged").iter().map(|one| id(&one.payment)).collect()
    }

    /// Each payment that was acknowledged is recorded, and no sequence is left out.
    fn nothing_is_lost(&self) {
        let recorded = self.recorded();
        for (sequence, id) in &self.acknowledged {
            assert_eq!(recorded.get(sequence), Some(id), "payment {sequence} is lost");
        }
        let consecutive = (self.first..).take(recorded.len());
        assert!(recorded.keys().copied().eq(consecutive), "{:?}", recorded.keys());
    }

    /// Waits until a miner has made all payments that are recorded.
    fn wait_until_made(&self) {
        let next = self.first + self.recorded().len() as u64;
        wait_until("all payments are made", || self.home.sequence(PAYER) == next);
    }

    /// A miner makes all payments, each once.
    fn all_are_made(&self) {
        let _miner = self.home.mine(&[]);
        self.wait_until_made();
        let made =
            self.home.made_by(PAYER).into_iter().skip_while(|(number, _)| *number < self.first);
        assert!(made.eq(self.recorded()));
    }
}

impl Scenario for Send {
    fn home(&self) -> &Home {
        &self.home
    }

    fn start(&mut self, number: u32) -> Vec<Process> {
        let miner = (number % 2 == 1).then(|| self.home.mine(&[]));
        if miner.is_some() {
            self.wait_until_made();
        }
        let mut programs = self.senders(number);
        programs.extend(miner.map(Miner::into_process));
        programs
    }

    fn span(&self) -> Duration {
        self.span
    }

    fn judge(&mut self, killed: &mut [Process], _: BlockRef) {
        self.remember(&mut killed[..SENDERS]);
        self.nothing_is_lost();
        let (acknowledged, recorded) = (self.acknowledged.len(), self.recorded().len());
        say(&format!("send: {acknowledged} acknowledged so far, {recorded} recorded"));
    }
}

#[test]
fn behaviour_51_no_payment_that_send_acknowledged_is_lost() {
    let mut send = Send::new();
    run("send", &mut send);
    send.all_are_made();
}
