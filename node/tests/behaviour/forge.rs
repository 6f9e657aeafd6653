//! Makes chains, payments and statuses for the tests.

use std::time::Duration;

use cairn_ledger::Ledger;
use cairn_protocol::block::content_root_of;
use cairn_protocol::header::HEADER_VERSION;
use cairn_protocol::messages::{InstanceId, Status};
use cairn_protocol::{
    AccountId, Amount, BlockRef, Header, Memo, Network, Payment, Proof, ProvenHeader, Reward,
    Rules, SecretKey, Sequence, Timestamp, VerifiedBlock, VerifiedTransaction,
};

pub const SECOND: Duration = Duration::from_secs(1);

/// The time between two blocks, so short that thousands of them are not ahead of the clock.
pub const STEP: Duration = Duration::from_millis(10);

/// Blocks are found at once and the difficulty is fixed.
pub fn rules() -> Rules {
    Rules { difficulty: 1, block_interval_seconds: 0, ..Rules::default() }
}

pub fn network() -> Network {
    Network::new(rules()).expect("possible")
}

pub fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

pub fn micros(micros: u64) -> Amount {
    Amount::from_micros(micros).expect("an amount")
}

/// When every test starts.
pub fn start() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000).expect("in range")
}

/// A payment of one coin.
pub fn payment(network: &Network, from: u8, sequence: u64, fee: u64) -> VerifiedTransaction {
    let payment = Payment {
        sender: key(from).account(),
        recipient: AccountId([9; 32]),
        amount: micros(1_000_000),
        fee: micros(fee),
        sequence: Sequence::new(sequence).expect("small"),
        memo: Memo::default(),
    };
    key(from).sign(payment, network.id()).verify(network.id()).expect("valid")
}

/// The block of this header, with the first proof that meets its target.
pub fn seal(
    network: &Network,
    header: Header,
    reward: Reward,
    payments: &[VerifiedTransaction],
) -> VerifiedBlock {
    let digest = header.digest();
    let proofs = (0..).map(|nonce| Proof { salt: [0; 16], nonce });
    let mut proofs = proofs.filter(|proof| header.target.is_met_by(&proof.hash(&digest)));
    let proof = proofs.next().expect("the difficulty is low");
    VerifiedBlock::seal(header, proof, reward, payments.to_vec(), network).expect("valid")
}

/// A block without payments, [`STEP`] after its parent and as hard, whatever a ledger thinks of
/// that parent.
pub fn child_of(network: &Network, parent: &VerifiedBlock, miner: AccountId) -> VerifiedBlock {
    let height = parent.block_ref().height.next();
    let reward = Reward { height, recipient: miner, amount: network.subsidy(height) };
    let parent_header = parent.header().header();
    let header = Header {
        height,
        parent: parent.block_ref().hash,
        content: content_root_of(&reward, &[]),
        time: parent_header.time.after(STEP),
        ..*parent_header
    };
    seal(network, header, reward, &[])
}

/// A chain that the tests make, block by block.
pub struct Forge {
    pub ledger: Ledger,
    pub network: Network,
    pub blocks: Vec<VerifiedBlock>,
    miner: AccountId,
}

impl Forge {
    /// A chain without blocks. Different seeds give different blocks.
    pub fn new(network: &Network, seed: u8) -> Self {
        let ledger = Ledger::in_memory(network).expect("memory");
        let miner = key(seed).account();
        Self { ledger, network: network.clone(), blocks: Vec::new(), miner }
    }

    /// A chain that starts with the blocks of another one.
    pub fn branch(&self, seed: u8, blocks: usize) -> Self {
        let mut branch = Self::new(&self.network, seed);
        branch.adopt(&self.blocks[..blocks]);
        branch
    }

    fn adopt(&mut self, blocks: &[VerifiedBlock]) {
        let now = blocks.last().map_or(start(), |block| block.header().header().time);
        let added = self.ledger.add_blocks(blocks, now).expect("in memory");
        assert_eq!(added.refused, []);
        self.blocks.extend_from_slice(blocks);
    }

    /// The next block, of this time, which is not added.
    pub fn next(&self, time: Timestamp, payments: &[VerifiedTransaction]) -> VerifiedBlock {
        let next = self.ledger.next_block(time).expect("in memory");
        let height = next.parent.block.height.next();
        let fees: Option<Amount> = payments.iter().map(|one| one.payment().fee).sum();
        let amount = fees.and_then(|fees| fees.checked_add(self.network.subsidy(height)));
        let reward = Reward { height, recipient: self.miner, amount: amount.expect("small") };
        let header = Header {
            version: HEADER_VERSION,
            height,
            parent: next.parent.block.hash,
            content: content_root_of(&reward, payments),
            time: next.time,
            target: next.target,
        };
        seal(&self.network, header, reward, payments)
    }

    /// Adds a block with these payments.
    pub fn add(&mut self, time: Timestamp, payments: &[VerifiedTransaction]) -> BlockRef {
        let block = self.next(time, payments);
        self.adopt(&[block]);
        self.tip()
    }

    /// Adds so many blocks without payments, [`STEP`] apart; the difficulty must be fixed.
    pub fn grow(&mut self, blocks: usize) {
        let first = self.next(self.ledger.tip().time.after(STEP).max(start()), &[]);
        let grown: Vec<_> = std::iter::successors(Some(first), |parent| {
            Some(child_of(&self.network, parent, self.miner))
        })
        .take(blocks)
        .collect();
        self.adopt(&grown);
    }

    pub fn tip(&self) -> BlockRef {
        self.ledger.tip().block
    }

    pub fn headers(&self) -> Vec<ProvenHeader> {
        self.blocks.iter().map(|block| *block.header()).collect()
    }

    /// What a node with this chain says at this time.
    pub fn status(&self, instance: u8, clock: Timestamp) -> Status {
        let tip = self.ledger.tip();
        Status {
            instance: InstanceId([instance; 16]),
            height: tip.block.height,
            tip: tip.block.hash,
            work: tip.work,
            blocks_port: 2607,
            clock,
        }
    }
}
