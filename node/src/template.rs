//! [`Template`]: the block that a proof is searched for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use cairn_ledger::NextBlock;
use cairn_protocol::block::content_root_of;
use cairn_protocol::header::HEADER_VERSION;
use cairn_protocol::limits::{EMPTY_BLOCK_BYTES, MIN_TRANSACTION_BYTES};
use cairn_protocol::{
    AccountId, Amount, BlockError, Header, Network, Proof, Reward, VerifiedBlock,
    VerifiedTransaction,
};

use crate::mempool::{Entry, FeeRate, Mempool, Queue};

/// What to search a proof for.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    header: Header,
    reward: Reward,
    payments: Vec<VerifiedTransaction>,
}

impl Template {
    /// What the proof must be for.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What the block will pay to its miner.
    pub fn reward(&self) -> &Reward {
        &self.reward
    }

    /// The number of transactions, the reward included.
    pub fn transaction_count(&self) -> usize {
        1 + self.payments.len()
    }

    /// The block with this proof.
    ///
    /// # Errors
    /// [`BlockError`] if the proof does not meet the target; all else is right by construction.
    pub fn seal(&self, proof: Proof, network: &Network) -> Result<VerifiedBlock, BlockError> {
        VerifiedBlock::seal(self.header, proof, self.reward, self.payments.clone(), network)
    }

    /// The block that brings its miner the most: of the ready payments, those with the highest
    /// fee rates, each after those that its account made before it.
    pub(crate) fn build(
        mempool: &Mempool,
        next: &NextBlock,
        network: &Network,
        recipient: AccountId,
    ) -> Self {
        let height = next.parent.block.height.next();
        let most = network.rules().max_block_bytes as usize - EMPTY_BLOCK_BYTES;
        let (payments, amount) = select(mempool, most, network.subsidy(height));
        let reward = Reward { height, recipient, amount };
        let header = Header {
            version: HEADER_VERSION,
            height,
            parent: next.parent.block.hash,
            content: content_root_of(&reward, &payments),
            time: next.time,
            target: next.target,
        };
        Self { header, reward, payments }
    }
}

/// The payments for a block with room for so many bytes, and what they and the subsidy bring.
fn select(mempool: &Mempool, most: usize, subsidy: Amount) -> (Vec<VerifiedTransaction>, Amount) {
    let mut heads: BinaryHeap<Head<'_>> =
        mempool.queues().filter_map(|(account, queue)| Head::of(*account, queue)).collect();
    let (mut payments, mut brought, mut room) = (Vec::new(), subsidy, most);
    while room >= MIN_TRANSACTION_BYTES
        && let Some(mut head) = heads.pop()
    {
        let Some(total) = brought.checked_add(head.entry.transaction.payment().fee) else {
            continue;
        };
        // What does not fit takes the later payments of its account with it.
        if head.entry.bytes > room {
            continue;
        }
        (brought, room) = (total, room - head.entry.bytes);
        payments.push(head.entry.transaction.clone());
        if head.advance() {
            heads.push(head);
        }
    }
    (payments, brought)
}

/// The next payment of an account that a block could have.
struct Head<'a> {
    account: AccountId,
    entry: &'a Entry,
    rest: Box<dyn Iterator<Item = &'a Entry> + 'a>,
    /// What the account has left after `entry`.
    left: Amount,
}

impl<'a> Head<'a> {
    fn of(account: AccountId, queue: &'a Queue) -> Option<Self> {
        let mut rest = Box::new(queue.ready());
        let entry = rest.next()?;
        let left = queue.account().balance.checked_sub(entry.transaction.cost())?;
        Some(Self { account, entry, rest, left })
    }

    /// Goes on to the account's next payment, if there is one and it can be paid for.
    fn advance(&mut self) -> bool {
        let next = self.rest.next();
        let affordable =
            next.and_then(|entry| Some((entry, self.left.checked_sub(entry.transaction.cost())?)));
        let Some((entry, left)) = affordable else {
            return false;
        };
        (self.entry, self.left) = (entry, left);
        true
    }

    /// The highest fee rate first; the account decides between equals, so that a template
    /// depends on nothing but the mempool.
    fn key(&self) -> (FeeRate, Reverse<AccountId>) {
        (self.entry.rate, Reverse(self.account))
    }
}

impl PartialEq for Head<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Head<'_> {}

impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}
