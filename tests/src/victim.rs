//! A miner that a test does its worst to, on a network where blocks are mined on demand.

use cairn_protocol::messages::{Announcement, Status};
use cairn_protocol::{AccountId, SecretKey, Transaction};

use crate::branch::{Branch, payment};
use crate::home::Home;
use crate::line::Line;
use crate::miner::Miner;
use crate::network::TestNetwork;

/// The people of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    /// Has 9 coins and has paid once.
    Alice,
    /// Has 1 coin.
    Bob,
    /// Wants more than her 10 coins.
    Mallory,
}

impl Person {
    /// Her or his key.
    pub fn key(self) -> SecretKey {
        SecretKey::from_seed([self as u8 + 1; 32])
    }

    /// The account of that key.
    pub fn account(self) -> AccountId {
        self.key().account()
    }
}

/// A running miner, and the chain that it started with: two blocks, of which Alice mined the first
/// and Mallory the second, in which Alice pays Bob a coin.
pub struct Victim {
    /// Its network.
    pub network: TestNetwork,
    /// Its data directory.
    pub home: Home,
    /// The process.
    pub miner: Miner,
    /// What its chain was when it started first.
    pub chain: Branch,
}

impl Victim {
    /// Starts it.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts it with further arguments.
    pub fn start_with(arguments: &[&str]) -> Self {
        let network = TestNetwork::on_demand();
        let home = network.home();
        let mut chain = Branch::new(home.network());
        chain.mine(Person::Alice.account(), Vec::new());
        let first = payment(Person::Alice.account(), 0, "1", Person::Bob.account());
        let first = Person::Alice.key().sign(first, home.network().id());
        chain.mine(Person::Mallory.account(), vec![first]);
        chain.write_to(&home);
        let miner = home.mine(arguments);
        Self { network, home, miner, chain }
    }

    /// Kills it, and starts it again in the same data directory.
    pub fn restart(&mut self) {
        self.miner.process().kill();
        self.miner = self.home.mine(&[]);
    }

    /// A payment that its sender signed.
    pub fn payment(&self, from: Person, sequence: u64, coins: &str, to: Person) -> Transaction {
        let payment = payment(from.account(), sequence, coins, to.account());
        from.key().sign(payment, self.home.network().id())
    }

    /// Sends a payment as a datagram.
    pub fn broadcast(&self, payment: &Transaction) {
        self.network.broadcast(Announcement::Transaction(payment.clone()));
    }

    /// Opens a link to it, as a peer that says this of itself.
    pub fn link(&self, status: Status) -> Line {
        Line::to(&self.miner.address(), self.home.network(), status)
    }

    /// Lets this happen on a link, which the miner then ends; returns why, by its log.
    pub fn cuts_off(&self, status: Status, happening: impl FnOnce(&mut Line)) -> String {
        let mut line = self.link(status);
        let remote = line.address();
        happening(&mut line);
        line.is_cut_off();
        self.miner.wait_for_end_of_link(&remote)
    }

    /// What Alice, Bob and Mallory have, in micro-coins.
    pub fn balances(&self) -> [u64; 3] {
        [Person::Alice, Person::Bob, Person::Mallory].map(|person| self.balance(person))
    }

    /// What an account has, in micro-coins.
    pub fn balance(&self, person: Person) -> u64 {
        self.home.balance_of(person.account())
    }

    /// Sends an honest payment, and waits until it is mined.
    ///
    /// # Panics
    /// If anything but this payment is mined.
    pub fn confirms(&self, payment: &Transaction) {
        let before = self.miner.events_of("block_mined").len();
        let height = self.height();
        self.broadcast(payment);
        self.miner.wait_for_mined(before + 1);
        let mined = self.miner.events_of("block_mined");
        let block = &mined[before];
        assert_eq!((&block["transactions"], &block["height"]), (&2.into(), &(height + 1).into()));
        let block = Branch::of(&self.home).blocks().last().expect("mined").clone();
        assert_eq!(*block.payments, *std::slice::from_ref(payment));
    }

    /// The height of its chain.
    pub fn height(&self) -> u64 {
        self.home.reader().tip().expect("a tip").block.height.get()
    }
}
