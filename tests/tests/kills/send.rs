//! Several `wallet send` at once, beside a miner that is killed with them, and without one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cairn_forge::Recipe;
use cairn_home::Outbox;
use cairn_protocol::{AccountId, BlockRef, Sequence};
use cairn_tests::{Branch, Home, Miner, Outcome, Process, TestNetwork, text, wait_until};

use crate::scenario::{Scenario, run, say, time_of};

/// How many send at the same time.
const SENDERS: usize = 3;
const SEND: [&str; 6] = ["send", "account-1", "0.001", "account-2", "--json", "--offline"];

struct Send {
    home: Home,
    payer: AccountId,
    first: Sequence,
    span: Duration,
    /// The id of each payment that `send` has printed, by its sequence.
    acknowledged: BTreeMap<u64, String>,
}

impl Send {
    fn new() -> Self {
        let home = TestNetwork::forged().home();
        let recipe = Recipe { blocks: 60, payments: 1, ..Recipe::default() };
        home.forge(&recipe);
        let payer = recipe.keys()[0].account();
        let (_, accounts) = home.reader().accounts(&[payer]).expect("readable");
        let first = accounts[0].account.sequence;
        let mut send =
            Self { home, payer, first, span: Duration::ZERO, acknowledged: BTreeMap::new() };
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
        let payments = outbox.expect("there").payments_from(self.payer, Sequence::FIRST);
        let id = |payment: &cairn_protocol::Payment| {
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
        let consecutive = (self.first.get()..).take(recorded.len());
        assert!(recorded.keys().copied().eq(consecutive), "{:?}", recorded.keys());
    }

    /// Waits until a miner has made all payments that are recorded.
    fn wait_until_made(&self) {
        let next = self.first.get() + self.recorded().len() as u64;
        wait_until("all payments are made", || {
            let (_, accounts) = self.home.reader().accounts(&[self.payer]).expect("readable");
            accounts[0].account.sequence.get() == next
        });
    }

    /// A miner makes all payments, each once.
    fn all_are_made(&self) {
        let recorded = self.recorded();
        let _miner = self.home.mine(&[]);
        self.wait_until_made();
        let chain = Branch::of(&self.home);
        let payments = chain.blocks().iter().flat_map(|block| block.payments.iter());
        let ours = payments.filter(|one| one.payment.sender == self.payer);
        let ours = ours.map(|one| one.payment.id(self.home.network().id()).to_string());
        let (mut made, mut count) = (BTreeSet::new(), 0_u64);
        for id in ours {
            made.insert(id);
            count += 1;
        }
        let expected = self.first.get() + recorded.len() as u64;
        assert_eq!(count, expected, "each is made once");
        assert!(recorded.values().all(|id| made.contains(id)));
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
