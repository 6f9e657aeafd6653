//! What the tests and benchmarks share: keys, payments, and branches that are mined apart from
//! any ledger, with next to no work.

use std::collections::VecDeque;

use cairn_ledger::{BadBlock, Checked, LedgerError, LedgerReader, StoredBlocks, VerifyBlocks};
use cairn_protocol::block::content_root_of;
use cairn_protocol::header::HEADER_VERSION;
use cairn_protocol::retarget::required_target;
use cairn_protocol::{
    AccountId, Amount, BlockRef, Header, Height, Memo, Network, Payment, Proof, ProvenHeader,
    Reward, Rules, SealedHeader, SecretKey, Sequence, Target, Timestamp, VerifiedBlock,
    VerifiedTransaction,
};

/// A network whose difficulty is 0 and stays there, with some rules changed.
pub(crate) fn network(change: impl FnOnce(&mut Rules)) -> Network {
    let mut rules = Rules { difficulty: 0, block_interval_seconds: 0, ..Rules::default() };
    change(&mut rules);
    Network::new(rules).expect("possible rules")
}

/// The clock of the tests, later than all blocks.
pub(crate) fn now() -> Timestamp {
    at(1_000_000_000)
}

pub(crate) fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis).expect("a time")
}

pub(crate) fn coins(text: &str) -> Amount {
    text.parse().expect("an amount")
}

pub(crate) fn height(number: u32) -> Height {
    Height::from(number)
}

pub(crate) fn key(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

pub(crate) fn account(number: u8) -> AccountId {
    key(number).account()
}

/// A payment of so many coins without a fee.
pub(crate) fn pay(
    network: &Network,
    from: u8,
    sequence: u32,
    amount: &str,
    to: u8,
) -> VerifiedTransaction {
    pay_with_fee(network, from, sequence, amount, "0", account(to))
}

pub(crate) fn pay_with_fee(
    network: &Network,
    from: u8,
    sequence: u32,
    amount: &str,
    fee: &str,
    recipient: AccountId,
) -> VerifiedTransaction {
    let payment = Payment {
        sender: account(from),
        recipient,
        amount: coins(amount),
        fee: coins(fee),
        sequence: Sequence::from(sequence),
        memo: Memo::default(),
    };
    key(from).sign(payment, network.id()).verify(network.id()).expect("a valid payment")
}

/// A chain of blocks from genesis on, each semantically valid.
#[derive(Clone)]
pub(crate) struct Branch {
    network: Network,
    headers: Vec<SealedHeader>,
    blocks: Vec<VerifiedBlock>,
    miner: AccountId,
}

impl Branch {
    /// Nothing but genesis, to be mined on by this key's owner.
    pub(crate) fn new(network: &Network, miner: u8) -> Self {
        let headers = vec![*network.genesis()];
        Self { network: network.clone(), headers, blocks: Vec::new(), miner: account(miner) }
    }

    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// The first so many blocks, to be mined on by another.
    pub(crate) fn fork(&self, height: usize, miner: u8) -> Self {
        let mut fork = self.clone();
        fork.headers.truncate(height + 1);
        fork.blocks.truncate(height);
        fork.miner = account(miner);
        fork
    }

    /// A block one second after the last.
    pub(crate) fn mine(&mut self, payments: Vec<VerifiedTransaction>) -> VerifiedBlock {
        self.mine_after(1000, payments)
    }

    /// So many empty blocks.
    pub(crate) fn mine_empty(&mut self, count: usize) -> Vec<VerifiedBlock> {
        (0..count).map(|_| self.mine(Vec::new())).collect()
    }

    /// A block so many milliseconds after the last, with the target that it needs.
    pub(crate) fn mine_after(
        &mut self,
        millis: u64,
        payments: Vec<VerifiedTransaction>,
    ) -> VerifiedBlock {
        let time = at(self.last().time.millis() + millis);
        let grandparent = self.headers.iter().rev().nth(1).map(|sealed| &sealed.header);
        let target = required_target(self.network.rules(), self.last(), grandparent, time);
        self.mine_with(time, target, payments)
    }

    /// A block of any time and target, whether or not they fit.
    pub(crate) fn mine_with(
        &mut self,
        time: Timestamp,
        target: Target,
        payments: Vec<VerifiedTransaction>,
    ) -> VerifiedBlock {
        let parent = self.headers.last().expect("genesis");
        let block = seal(&self.network, parent, self.miner, time, target, payments);
        self.headers.push(*block.header().sealed());
        self.blocks.push(block.clone());
        block
    }

    pub(crate) fn last(&self) -> &Header {
        &self.headers.last().expect("genesis").header
    }

    /// The block at this height, which is at least 1.
    pub(crate) fn block(&self, height: usize) -> &VerifiedBlock {
        &self.blocks[height - 1]
    }

    /// The blocks from height 1 on.
    pub(crate) fn blocks(&self) -> &[VerifiedBlock] {
        &self.blocks
    }

    /// Their headers.
    pub(crate) fn headers(&self) -> Vec<ProvenHeader> {
        self.blocks.iter().map(|block| *block.header()).collect()
    }

    /// Where they stand.
    pub(crate) fn refs(&self) -> Vec<BlockRef> {
        refs(&self.blocks)
    }

    pub(crate) fn tip(&self) -> BlockRef {
        self.refs().last().copied().unwrap_or(self.network.genesis_ref())
    }
}

/// A block on any parent, of any time and target, whether or not they fit.
pub(crate) fn seal(
    network: &Network,
    parent: &SealedHeader,
    miner: AccountId,
    time: Timestamp,
    target: Target,
    payments: Vec<VerifiedTransaction>,
) -> VerifiedBlock {
    let height = parent.header.height.next();
    let fees: Option<Amount> = payments.iter().map(|one| one.payment().fee).sum();
    let amount = fees.and_then(|fees| fees.checked_add(network.subsidy(height)));
    let reward = Reward { height, recipient: miner, amount: amount.expect("small fees") };
    let header = Header {
        version: HEADER_VERSION,
        height,
        parent: parent.hash(),
        content: content_root_of(&reward, &payments),
        time,
        target,
    };
    let digest = header.digest();
    let mut proofs = (0..).map(|nonce| Proof { salt: [0; 16], nonce });
    let proof = proofs.find(|proof| target.is_met_by(&proof.hash(&digest)));
    let proof = proof.expect("next to no work");
    VerifiedBlock::seal(header, proof, reward, payments, network).expect("semantically valid")
}

pub(crate) fn refs(blocks: &[VerifiedBlock]) -> Vec<BlockRef> {
    blocks.iter().map(VerifiedBlock::block_ref).collect()
}

/// Verifies stored blocks one after the other.
pub(crate) struct OneByOne<'n> {
    network: &'n Network,
    given: VecDeque<StoredBlocks>,
}

impl<'n> OneByOne<'n> {
    pub(crate) fn new(network: &'n Network) -> Self {
        Self { network, given: VecDeque::new() }
    }
}

impl VerifyBlocks for OneByOne<'_> {
    fn window(&self) -> usize {
        2
    }

    fn give(&mut self, batch: StoredBlocks) {
        self.given.push_back(batch);
    }

    fn take(&mut self) -> Vec<Result<VerifiedBlock, BadBlock>> {
        self.given.pop_front().expect("given before").verify(self.network)
    }
}

/// The full check.
pub(crate) fn check(reader: &LedgerReader, network: &Network) -> Result<Checked, LedgerError> {
    reader.check(&mut OneByOne::new(network), &mut |_| {})
}
