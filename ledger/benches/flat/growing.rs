//! A chain on disk that gets one block after the other.

use std::time::{Duration, Instant};

use cairn_forge::{Chain, Draft, Recipe, batches};
use cairn_ledger::Ledger;
use cairn_protocol::{
    AccountId, Amount, Memo, Network, Payment, SecretKey, Sequence, Transaction, VerifiedBlock,
    VerifiedTransaction,
};
use tempfile::TempDir;

/// Of every chain, whatever its length: each has the reward of at least one block.
const ACCOUNTS: u32 = 1_000;

pub(crate) struct Growing {
    ledger: Ledger,
    network: Network,
    keys: Vec<SecretKey>,
    /// Payments made, by the accounts in turn.
    paid: usize,
    _folder: TempDir,
}

impl Growing {
    /// A chain of so many blocks without payments. A shorter one is the beginning of a longer one.
    pub(crate) fn forge(blocks: u32) -> Self {
        let network = cairn_forge::network(0);
        let recipe = Recipe { blocks, accounts: ACCOUNTS, ..Recipe::default() };
        let (folder, ledger) = store(&network, &recipe);
        Self { ledger, network, keys: recipe.keys(), paid: 0, _folder: folder }
    }

    pub(crate) fn height(&self) -> u64 {
        self.ledger.tip().block.height.get()
    }

    /// Adds a block with so many payments; returns how long the commit took.
    pub(crate) fn add_block(&mut self, payments: usize) -> Duration {
        let block = self.next_block(payments);
        let now = block.header().header().time;
        let begin = Instant::now();
        let added = self.ledger.add_blocks(std::slice::from_ref(&block), now).expect("a disk");
        let took = begin.elapsed();
        assert!(added.change.is_some(), "{:?}", added.refused);
        took
    }

    fn next_block(&mut self, payments: usize) -> VerifiedBlock {
        let tip = self.ledger.tip();
        let draft = Draft {
            parent: tip.block,
            time: tip.time.after(Duration::from_secs(1)),
            target: self.network.rules().floor(),
            recipient: self.account(self.paid),
            payments: self.next_payments(payments),
        };
        draft.seal(&self.network).expect("few payments")
    }

    /// Each account pays the one after it, in turn.
    fn next_payments(&mut self, payments: usize) -> Vec<VerifiedTransaction> {
        let numbers = self.paid..self.paid + payments;
        self.paid = numbers.end;
        if numbers.is_empty() {
            return Vec::new();
        }
        let signed = numbers.map(|number| self.payment(number)).collect();
        Transaction::verify_all(signed, self.network.id()).expect("signed by their senders")
    }

    fn payment(&self, number: usize) -> Transaction {
        let sequence = u64::try_from(number / self.keys.len()).expect("a few");
        let payment = Payment {
            sender: self.account(number),
            recipient: self.account(number + 1),
            amount: Amount::from_micros(1).expect("small"),
            fee: Amount::ZERO,
            sequence: Sequence::new(sequence).expect("small"),
            memo: Memo::default(),
        };
        self.keys[number % self.keys.len()].sign(payment, self.network.id())
    }

    fn account(&self, number: usize) -> AccountId {
        self.keys[number % self.keys.len()].account()
    }
}

/// The chain of a recipe in a new folder.
pub(crate) fn store(network: &Network, recipe: &Recipe) -> (TempDir, Ledger) {
    eprintln!("forging {} blocks of {} payments", recipe.blocks, recipe.payments);
    let folder = TempDir::new().expect("a folder");
    let mut ledger = Ledger::open(folder.path(), network).expect("a disk");
    for blocks in batches(Chain::new(network, recipe).expect("possible")) {
        let added = ledger.add_blocks(&blocks, recipe.end()).expect("a disk");
        assert_eq!(added.refused, []);
    }
    (folder, ledger)
}
