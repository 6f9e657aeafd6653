//! Payments and blocks made by hand: what a test starts from, and what a liar shows.
//!
//! They belong to networks of fixed difficulty ([`crate::TestNetwork::on_demand`]), where a block
//! costs its maker next to nothing. Nothing here is verified: a block may hold any payments.

use std::time::{Duration, SystemTime};

use cairn_ledger::Ledger;
use cairn_protocol::codec::encode;
use cairn_protocol::hash::Tag;
use cairn_protocol::header::HEADER_VERSION;
use cairn_protocol::messages::{Answer, EncodedBlock, InstanceId, Request, Status};
use cairn_protocol::{
    AccountId, Amount, Block, BlockRef, Bounded, ContentRoot, Header, Height, Memo, Network,
    Payment, Proof, Reward, SealedHeader, Sequence, Timestamp, Transaction, VerifiedBlock, Work,
    merkle,
};

use crate::home::Home;

/// How long ago a branch starts; each block is a second after its parent.
const AGE: Duration = Duration::from_secs(3_600);

/// A payment of so many coins without a fee or memo.
pub fn payment(sender: AccountId, sequence: u64, coins: &str, recipient: AccountId) -> Payment {
    Payment {
        sender,
        recipient,
        amount: coins.parse().expect("an amount"),
        fee: Amount::ZERO,
        sequence: Sequence::new(sequence).expect("small"),
        memo: Memo::default(),
    }
}

/// This machine's clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    Timestamp::ZERO.after(since)
}

/// A chain from genesis on.
#[derive(Clone, Debug)]
pub struct Branch {
    network: Network,
    start: Timestamp,
    blocks: Vec<Block>,
}

impl Branch {
    /// Nothing but genesis.
    pub fn new(network: &Network) -> Self {
        let start = Timestamp::from_millis(now().millis() - 1_000 * AGE.as_secs());
        Self { network: network.clone(), start: start.expect("a time"), blocks: Vec::new() }
    }

    /// The chain that a data directory holds.
    pub fn of(home: &Home) -> Self {
        let mut branch = Self::new(home.network());
        let reader = home.reader();
        for height in 1..=reader.tip().expect("a tip").block.height.get() {
            let height = Height::new(height).expect("small");
            let (hash, _) = reader.header_at(height).expect("readable").expect("active");
            let bytes = reader.block_bytes(BlockRef { height, hash }).expect("readable");
            let bytes = bytes.expect("the active chain is complete");
            branch.blocks.push(cairn_protocol::codec::decode(&bytes).expect("a block"));
        }
        branch
    }

    /// Its first so many blocks.
    #[must_use]
    pub fn fork(&self, height: usize) -> Self {
        let blocks = self.blocks[..height].to_vec();
        Self { blocks, ..self.clone() }
    }

    /// One block more, whose reward is this account's.
    pub fn mine(&mut self, miner: AccountId, payments: Vec<Transaction>) -> BlockRef {
        let parent = self.tip();
        let height = parent.height.next();
        let fees = payments.iter().map(|one| one.payment.fee).sum::<Option<Amount>>();
        let amount = self.network.subsidy(height).checked_add(fees.expect("small fees"));
        let reward = Reward { height, recipient: miner, amount: amount.expect("small fees") };
        let header = Header {
            version: HEADER_VERSION,
            height,
            parent: parent.hash,
            content: self.content_root(&reward, &payments),
            time: self.start.after(Duration::from_secs(height.get())),
            target: self.network.rules().floor(),
        };
        let payments = Bounded::new(payments).expect("not too many");
        self.blocks.push(Block { sealed: seal(header), reward, payments });
        self.tip()
    }

    fn content_root(&self, reward: &Reward, payments: &[Transaction]) -> ContentRoot {
        let leaf = |one: &Transaction| {
            let id = one.payment.id(self.network.id());
            Tag::PaymentLeaf.hash(&[id.as_bytes(), &one.signature.0])
        };
        let mut leaves = vec![Tag::RewardLeaf.hash(&[&encode(reward)])];
        leaves.extend(payments.iter().map(leaf));
        ContentRoot(Tag::Content.hash(&[&merkle::root(&leaves)]))
    }

    /// Where it ends.
    pub fn tip(&self) -> BlockRef {
        self.blocks.last().map_or(self.network.genesis_ref(), place)
    }

    /// The blocks from height 1 on.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The block at this height, which is at least 1, to be tampered with.
    pub fn block_mut(&mut self, height: usize) -> &mut Block {
        &mut self.blocks[height - 1]
    }

    /// Makes it the chain of a data directory, in which no program runs.
    pub fn write_to(&self, home: &Home) {
        let folder = home.network_folder();
        let mut ledger = Ledger::open(&folder, &self.network).expect("a chain");
        let verify = |block: &Block| block.clone().verify(&self.network).expect("a valid block");
        let blocks: Vec<VerifiedBlock> = self.blocks.iter().map(verify).collect();
        let added = ledger.add_blocks(&blocks, now()).expect("written");
        assert_eq!((added.refused, ledger.tip().block), (Vec::new(), self.tip()));
    }

    /// What a node that has it says of itself. Without a port, it takes no links.
    pub fn status(&self, instance: u8, blocks_port: u16) -> Status {
        let work: Work = self.blocks.iter().map(|one| one.sealed.header.target.work()).sum();
        let BlockRef { height, hash: tip } = self.tip();
        let instance = InstanceId([instance; 16]);
        Status { instance, height, tip, work, blocks_port, clock: now() }
    }

    /// What an honest node that has it, and no mempool, answers.
    pub fn answer(&self, request: &Request) -> Answer {
        match request {
            Request::Headers(locator) => {
                let places: Vec<_> = self.blocks.iter().map(place).collect();
                let known = locator.iter().find_map(|at| places.iter().position(|one| one == at));
                let after = &self.blocks[known.map_or(0, |index| index + 1)..];
                Answer::Headers(Bounded::first(after.iter().map(|block| block.sealed)))
            }
            Request::Blocks(wanted) => {
                let find = |at: &BlockRef| self.blocks.iter().find(|block| place(block) == *at);
                Answer::Blocks(Bounded::first(wanted.iter().filter_map(find).map(encoded)))
            }
            Request::MempoolIds(_) => Answer::MempoolIds(Bounded::default()),
            Request::Transactions(_) => Answer::Transactions(Bounded::default()),
        }
    }
}

/// A block as an answer holds it.
pub fn encoded(block: &Block) -> EncodedBlock {
    EncodedBlock::new(encode(block)).expect("not too long")
}

fn place(block: &Block) -> BlockRef {
    BlockRef { height: block.sealed.header.height, hash: block.sealed.hash() }
}

/// The header with the first proof that meets its target.
fn seal(header: Header) -> SealedHeader {
    let digest = header.digest();
    let proofs = (0..u32::MAX).map(|nonce| Proof { salt: [0; 16], nonce });
    let mut proofs = proofs.filter(|proof| header.target.is_met_by(&proof.hash(&digest)));
    SealedHeader { header, proof: proofs.next().expect("the difficulty is low") }
}
