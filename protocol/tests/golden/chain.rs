//! The fixed inputs: three keys, and three blocks of the network `cairn` with payments between
//! them. The chain is valid in context too.

use cairn_protocol::block::content_root_of;
use cairn_protocol::retarget::required_target;
use cairn_protocol::{
    Amount, Header, Height, Memo, Network, Payment, Proof, ProvenHeader, Reward, Rules, SecretKey,
    Sequence, Timestamp, Transaction, VerifiedBlock, VerifiedTransaction,
};

/// Where the search for each proof starts: at the nonce that it finds, so that it ends at once.
/// After a change of the format, start from 0 (some minutes) and write down what is found.
const NONCES: [u32; 3] = [39_503_895, 10_567_158, 8_273_468];
const SALT: [u8; 16] = *b"a pile of stones";
/// When block 1 was made; block 2 follows after 7 s, block 3 after 13 s more.
const BLOCK_TIMES: [u64; 3] = [1_760_000_000_000, 1_760_000_007_000, 1_760_000_020_000];

/// The key whose seed is this byte, 32 times.
pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

pub(crate) fn alice() -> SecretKey {
    key(1)
}

pub(crate) fn bob() -> SecretKey {
    key(2)
}

pub(crate) fn carol() -> SecretKey {
    key(3)
}

pub(crate) fn coins(text: &str) -> Amount {
    text.parse().expect("an amount")
}

/// The network and its first blocks.
pub(crate) struct Chain {
    pub(crate) network: Network,
    pub(crate) blocks: Vec<VerifiedBlock>,
}

impl Chain {
    pub(crate) fn new() -> Self {
        let network = Network::new(Rules::default()).expect("the defaults are possible");
        let mut chain = Self { network, blocks: Vec::new() };
        chain.extend(&alice(), "10", vec![]);
        chain.extend(&bob(), "10.15", block_2_payments());
        chain.extend(&carol(), "10.000001", vec![block_3_payment()]);
        chain
    }

    /// The transactions of block 2 and 3.
    pub(crate) fn transactions(&self) -> Vec<&Transaction> {
        let payments = self.blocks.iter().flat_map(VerifiedBlock::payments);
        payments.map(VerifiedTransaction::transaction).collect()
    }

    fn extend(&mut self, miner: &SecretKey, reward: &str, payments: Vec<(SecretKey, Payment)>) {
        let index = self.blocks.len();
        let height = Height::from(u32::try_from(index).expect("three blocks") + 1);
        let reward = Reward { height, recipient: miner.account(), amount: coins(reward) };
        let signed =
            payments.into_iter().map(|(key, payment)| key.sign(payment, self.network.id()));
        let payments =
            Transaction::verify_all(signed.collect(), self.network.id()).expect("valid payments");
        let time = Timestamp::from_millis(BLOCK_TIMES[index]).expect("a time");
        let (parent, grandparent) = self.last_headers();
        let header = Header {
            version: 1,
            height,
            parent: self.blocks.last().map_or(self.network.genesis_ref().hash, hash),
            content: content_root_of(&reward, &payments),
            time,
            target: required_target(self.network.rules(), &parent, grandparent.as_ref(), time),
        };
        let proof = search(&header, NONCES[index]);
        let block = VerifiedBlock::seal(header, proof, reward, payments, &self.network);
        self.blocks.push(block.expect("a valid block"));
    }

    /// The headers of the tip and of its parent, if it has one.
    fn last_headers(&self) -> (Header, Option<Header>) {
        let genesis = self.network.genesis().header;
        let headers = self.blocks.iter().map(|block| *block.header().header());
        let all: Vec<_> = std::iter::once(genesis).chain(headers).collect();
        let parent = *all.last().expect("genesis at least");
        (parent, all.len().checked_sub(2).map(|index| all[index]))
    }
}

fn hash(block: &VerifiedBlock) -> cairn_protocol::BlockHash {
    ProvenHeader::hash(block.header())
}

fn search(header: &Header, first: u32) -> Proof {
    let digest = header.digest();
    let mut proof = Proof { salt: SALT, nonce: first };
    while !header.target.is_met_by(&proof.hash(&digest)) {
        proof.nonce = proof.nonce.checked_add(1).expect("a proof within 2^32 nonces");
    }
    proof
}

/// Alice pays Bob, Carol (with a memo) and herself.
fn block_2_payments() -> Vec<(SecretKey, Payment)> {
    let paid =
        [(bob(), "2.5", "0.1", ""), (carol(), "1", "0", "thanks"), (alice(), "1", "0.05", "")];
    let payment = |(sequence, (recipient, amount, fee, memo)): (u32, (SecretKey, _, _, &str))| {
        let payment = Payment {
            sender: alice().account(),
            recipient: recipient.account(),
            amount: coins(amount),
            fee: coins(fee),
            sequence: Sequence::from(sequence),
            memo: Memo::new(memo.into()).expect("short"),
        };
        (alice(), payment)
    };
    (0..).zip(paid).map(payment).collect()
}

/// Bob pays Alice with what he was paid in the block before; the memo is not text.
fn block_3_payment() -> (SecretKey, Payment) {
    let payment = Payment {
        sender: bob().account(),
        recipient: alice().account(),
        amount: coins("0.5"),
        fee: coins("0.000001"),
        sequence: Sequence::FIRST,
        memo: Memo::new(vec![0x00, 0xff, 0xc3, 0x28]).expect("short"),
    };
    (bob(), payment)
}
