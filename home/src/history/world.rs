//! A chain of many branches for the tests of the index, and what each account's history must be.

use std::collections::BTreeMap;

use cairn_forge::{Draft, network};
use cairn_ledger::Ledger;
use cairn_protocol::{
    AccountId, Amount, BlockRef, Memo, Network, Payment, SecretKey, Sequence, Timestamp,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

use super::History;
use super::entry::{Entry, Event};

/// So many accounts pay each other, and get the rewards.
const ACCOUNTS: u8 = 6;
/// A block has at most so many payments.
const MOST_PAYMENTS: u32 = 5;

/// A block, and all that it and those before it have done.
#[derive(Clone)]
struct Node {
    block: BlockRef,
    time: Timestamp,
    balances: BTreeMap<AccountId, u64>,
    sequences: BTreeMap<AccountId, Sequence>,
    entries: Vec<Entry>,
}

/// A ledger in a folder, with every block that was ever made.
pub(super) struct World {
    pub(super) folder: TempDir,
    pub(super) network: Network,
    pub(super) ledger: Ledger,
    pub(super) draws: StdRng,
    keys: Vec<SecretKey>,
    nodes: Vec<Node>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let network = network(0);
        let ledger = Ledger::open(folder.path(), &network).expect("new");
        let genesis = Node {
            block: network.genesis_ref(),
            time: Timestamp::from_millis(1_700_000_000_000).expect("a time"),
            balances: BTreeMap::new(),
            sequences: BTreeMap::new(),
            entries: Vec::new(),
        };
        Self {
            folder,
            network,
            ledger,
            draws: StdRng::seed_from_u64(seed),
            keys: (1..=ACCOUNTS).map(|number| SecretKey::from_seed([number; 32])).collect(),
            nodes: vec![genesis],
        }
    }

    pub(super) fn accounts(&self) -> Vec<AccountId> {
        self.keys.iter().map(SecretKey::account).collect()
    }

    pub(super) fn open(&self) -> History {
        History::open(self.folder.path(), &self.network).expect("usable")
    }

    /// What these accounts' history must be, the newest first: a replay of the active chain.
    pub(super) fn replayed(&self, accounts: &[AccountId]) -> Vec<Entry> {
        let tip = self.ledger.tip().block;
        let node = self.nodes.iter().find(|node| node.block == tip).expect("all are known");
        let ours = node.entries.iter().filter(|entry| accounts.contains(&entry.account));
        ours.rev().cloned().collect()
    }

    /// Adds a block with random payments on the tip.
    pub(super) fn mine(&mut self) {
        let tip = self.ledger.tip().block;
        self.mine_on(self.nodes.iter().position(|node| node.block == tip).expect("known"));
    }

    /// Adds a branch from up to so many blocks below the tip, which may become the active one.
    pub(super) fn fork(&mut self, depth: u64) {
        let tip = self.ledger.tip().block.height;
        let near = |node: &Node| tip.since(node.block.height) <= depth;
        let near: Vec<_> = (0..self.nodes.len()).filter(|at| near(&self.nodes[*at])).collect();
        let mut parent = near[self.draws.random_range(0..near.len())];
        for _ in 0..self.draws.random_range(1..=depth + 1) {
            parent = self.mine_on(parent);
        }
    }

    fn mine_on(&mut self, parent: usize) -> usize {
        let mut node = self.nodes[parent].clone();
        node.time = node.time.after(std::time::Duration::from_secs(1));
        let recipient = self.draw().account();
        let height = node.block.height.next();
        let mut payments = Vec::new();
        for _ in 0..self.draws.random_range(0..=MOST_PAYMENTS) {
            let (key, to) = (self.draw().clone(), self.draw().account());
            let Some(payment) = self.draw_payment(&node, key.account(), to) else { continue };
            let position = u32::try_from(payments.len()).expect("few") + 1;
            let entry =
                |account, event| Entry { account, height, time: node.time, position, event };
            let both = [
                entry(payment.sender, Event::Sent(payment.clone())),
                entry(payment.recipient, Event::Received(payment.clone())),
            ];
            node.entries.extend(both);
            node.apply(&payment);
            let id = self.network.id();
            payments.push(key.sign(payment, id).verify(id).expect("valid"));
        }
        let target = self.network.rules().floor();
        let draft = Draft { parent: node.block, time: node.time, target, recipient, payments };
        let block = draft.seal(&self.network).expect("possible");
        node.reward(&block);
        let added = self.ledger.add_blocks(&[block], node.time).expect("written");
        assert_eq!(added.refused, []);
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn draw(&mut self) -> &SecretKey {
        let at = self.draws.random_range(0..self.keys.len());
        &self.keys[at]
    }

    /// A payment that is valid after a block, unless its sender has nothing.
    fn draw_payment(&mut self, node: &Node, from: AccountId, to: AccountId) -> Option<Payment> {
        let balance = node.balances.get(&from).copied().unwrap_or_default();
        let amount = self.draws.random_range(1..=balance.checked_sub(1)?.clamp(1, 3_000_000));
        let fee = self.draws.random_range(0..=(balance - amount).min(5));
        let memo = vec![b'm'; self.draws.random_range(0..40)];
        Some(Payment {
            sender: from,
            recipient: to,
            amount: Amount::from_micros(amount).expect("small"),
            fee: Amount::from_micros(fee).expect("small"),
            sequence: node.sequences.get(&from).copied().unwrap_or(Sequence::FIRST),
            memo: Memo::new(memo).expect("short"),
        })
    }
}

impl Node {
    fn apply(&mut self, payment: &Payment) {
        let cost = payment.cost().expect("small").micros();
        *self.balances.get_mut(&payment.sender).expect("it has coins") -= cost;
        *self.balances.entry(payment.recipient).or_default() += payment.amount.micros();
        self.sequences.insert(payment.sender, payment.sequence.next());
    }

    /// Counts the block itself, whose reward comes first in its history.
    fn reward(&mut self, block: &cairn_protocol::VerifiedBlock) {
        self.block = block.block_ref();
        let (reward, height) = (*block.reward(), block.block_ref().height);
        *self.balances.entry(reward.recipient).or_default() += reward.amount.micros();
        let before = self.entries.partition_point(|entry| entry.height < height);
        let event = Event::Reward(reward);
        let entry =
            Entry { account: reward.recipient, height, time: self.time, position: 0, event };
        self.entries.insert(before, entry);
    }
}
