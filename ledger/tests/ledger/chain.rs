//! [`Chain`]: a ledger on disk that is checked after each step.

use std::collections::BTreeMap;
use std::path::Path;

use cairn_ledger::{Account, BlocksAdded, ContextError, HeadersAdded, Ledger, LedgerReader};
use cairn_protocol::codec::decode;
use cairn_protocol::{AccountId, Amount, Block, BlockRef, Network, Sequence, VerifiedBlock};
use tempfile::TempDir;

use crate::kit::{self, Branch};

/// The longest active chain that is replayed after each step.
const LONGEST_REPLAY: usize = 200;
/// The longest that is fully checked after each step, which verifies every signature again.
const LONGEST_CHECK: usize = 20;

/// What every account holds, and the hashes of the active chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) tip: BlockRef,
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    pub(crate) active: Vec<BlockRef>,
}

/// A ledger in a folder of its own.
pub(crate) struct Chain {
    pub(crate) folder: TempDir,
    pub(crate) network: Network,
    ledger: Option<Ledger>,
}

impl Chain {
    pub(crate) fn new(network: &Network) -> Self {
        let folder = TempDir::new().expect("a folder");
        let ledger = Some(Ledger::open(folder.path(), network).expect("a new chain"));
        Self { folder, network: network.clone(), ledger }
    }

    /// The chain that is in a folder already.
    pub(crate) fn of(folder: TempDir, network: &Network) -> Self {
        let mut chain = Self { folder, network: network.clone(), ledger: None };
        chain.restart();
        chain
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn ledger(&mut self) -> &mut Ledger {
        self.ledger.as_mut().expect("open")
    }

    pub(crate) fn reader(&self) -> LedgerReader {
        LedgerReader::open(self.folder.path(), &self.network).expect("a chain")
    }

    pub(crate) fn close(&mut self) {
        self.ledger = None;
    }

    pub(crate) fn restart(&mut self) {
        self.close();
        self.ledger = Some(Ledger::open(self.folder.path(), &self.network).expect("a chain"));
        self.check();
    }

    pub(crate) fn add_headers(&mut self, branch: &Branch) -> HeadersAdded {
        let added = self.ledger().add_headers(&branch.headers(), kit::now()).expect("a disk");
        self.check();
        added
    }

    /// Adds blocks in one call, and checks what is true after every call.
    pub(crate) fn add(&mut self, blocks: &[VerifiedBlock]) -> BlocksAdded {
        let before = self.ledger().tip();
        let added = self.ledger().add_blocks(blocks, kit::now()).expect("a disk");
        let after = self.ledger().tip();
        let moved =
            added.change.as_ref().map_or((before, before), |change| (change.old, change.new));
        assert_eq!(moved, (before, after));
        assert!(after.work >= before.work, "the tip never loses work");
        self.check();
        added
    }

    /// Adds blocks that are all to be accepted, and one after the other.
    pub(crate) fn grow(&mut self, blocks: &[VerifiedBlock]) {
        for block in blocks {
            let added = self.add(std::slice::from_ref(block));
            assert_eq!(added.refused, []);
        }
    }

    /// Adds one block that is to be refused, and says why it was. Nothing else may change.
    pub(crate) fn refused(&mut self, block: &VerifiedBlock) -> ContextError {
        let before = self.snapshot();
        let added = self.add(std::slice::from_ref(block));
        assert_eq!(self.snapshot(), before, "a refused block changes nothing");
        match added.refused[..] {
            [(refused, error)] if refused == block.block_ref() => error,
            _ => panic!("{added:?}"),
        }
    }

    pub(crate) fn tip(&mut self) -> BlockRef {
        self.ledger().tip().block
    }

    pub(crate) fn balance(&mut self, key: u8) -> String {
        let account = self.ledger().account(&kit::account(key)).expect("a disk");
        account.balance.to_string()
    }

    pub(crate) fn file(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path().join("chain.db")).expect("a file")
    }

    /// How many bodies the file holds, of whatever blocks.
    pub(crate) fn stored_bodies(&self) -> u32 {
        let count = self.file().query_row("SELECT count(*) FROM bodies", [], |row| row.get(0));
        count.expect("SQL")
    }

    /// The accounts and the active chain as they stand in the file.
    pub(crate) fn snapshot(&mut self) -> Snapshot {
        let tip = self.tip();
        let file = self.file();
        let mut accounts =
            file.prepare("SELECT key, balance, sequence FROM accounts").expect("SQL");
        let accounts = accounts.query_map([], |row| {
            let number = |index| row.get::<_, i64>(index).map(i64::cast_unsigned);
            let balance = Amount::from_micros(number(1)?).expect("an amount");
            let sequence = Sequence::new(number(2)?).expect("a sequence");
            Ok((AccountId(row.get(0)?), Account { balance, sequence }))
        });
        let accounts = accounts.expect("rows").map(|row| row.expect("an account")).collect();
        let active = self.reader().changes_since(self.network.genesis_ref(), usize::MAX);
        Snapshot { tip, accounts, active: active.expect("a chain").connected }
    }

    /// What is always true: readers see what the writer knows, no coin was made or lost, the
    /// accounts are what replaying the active chain gives, and the full check finds nothing.
    pub(crate) fn check(&mut self) {
        let reader = self.reader();
        assert_eq!(reader.tip().expect("a chain"), self.ledger().tip());
        let supply = reader.supply().expect("a chain");
        assert!(supply.is_right(), "{supply:?}");
        let best = self.ledger().best_header();
        assert!(best.work >= self.ledger().tip().work);
        let snapshot = self.snapshot();
        assert_eq!(
            snapshot.active.last().copied().unwrap_or(self.network.genesis_ref()),
            snapshot.tip
        );
        // Replaying after each step is quadratic; long chains are checked by their supply.
        if snapshot.active.len() <= LONGEST_REPLAY {
            assert_eq!(snapshot.accounts, self.replay(&snapshot.active));
        }
        if snapshot.active.len() <= LONGEST_CHECK {
            let checked = kit::check(&reader, &self.network).expect("whole");
            assert_eq!(checked.tip, self.ledger().tip());
            assert_eq!(checked.accounts, snapshot.accounts.len() as u64);
        }
    }

    /// The accounts after these blocks, by the plainest reading of the rules.
    fn replay(&mut self, active: &[BlockRef]) -> BTreeMap<AccountId, Account> {
        let reader = self.reader();
        let mut accounts: BTreeMap<AccountId, (u64, u64)> = BTreeMap::new();
        let mut rewards = Vec::new();
        let maturity = self.network.rules().reward_maturity as usize;
        for block in active {
            let bytes = reader.block_bytes(*block).expect("a chain").expect("a body");
            let block: Block = decode(&bytes).expect("a block");
            for transaction in block.payments.iter() {
                let payment = &transaction.payment;
                let sender = accounts.entry(payment.sender).or_default();
                assert_eq!(sender.1, payment.sequence.get());
                sender.0 -= payment.amount.micros() + payment.fee.micros();
                sender.1 += 1;
                accounts.entry(payment.recipient).or_default().0 += payment.amount.micros();
            }
            rewards.push(block.reward);
            if let Some(matured) = rewards.len().checked_sub(maturity + 1) {
                let reward = rewards[matured];
                accounts.entry(reward.recipient).or_default().0 += reward.amount.micros();
            }
        }
        accounts.retain(|_, account| *account != (0, 0));
        let account = |(balance, sequence)| Account {
            balance: Amount::from_micros(balance).expect("an amount"),
            sequence: Sequence::new(sequence).expect("a sequence"),
        };
        accounts.into_iter().map(|(id, held)| (id, account(held))).collect()
    }
}
