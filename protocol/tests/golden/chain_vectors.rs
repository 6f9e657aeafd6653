//! Networks, and of one of them the transactions and blocks.

use cairn_protocol::codec;
use cairn_protocol::hash::Tag;
use cairn_protocol::{
    Amount, ContentRoot, Network, Rules, Transaction, VerifiedBlock, Work, merkle,
};
use serde::Serialize;

use crate::chain::{Chain, alice, bob, carol, coins};
use crate::{encoding, micros};

#[derive(Serialize)]
pub(crate) struct ChainVectors {
    networks: Vec<NetworkVector>,
    transactions: Vec<TransactionVector>,
    merkle: Vec<MerkleVector>,
    blocks: Vec<BlockVector>,
}

impl ChainVectors {
    pub(crate) fn new(chain: &Chain) -> Self {
        Self {
            networks: networks(),
            transactions: transactions(chain),
            merkle: (1..=5).map(merkle_vector).collect(),
            blocks: (0..chain.blocks.len()).map(|index| block_vector(chain, index)).collect(),
        }
    }
}

/// The rules as the file writes them.
#[derive(Serialize)]
pub(crate) struct RulesVector {
    name: String,
    difficulty: u8,
    block_interval_seconds: u32,
    half_life_seconds: u32,
    min_block_transactions: u32,
    min_block_wait_seconds: u32,
    block_reward: String,
    reward_maturity: u32,
    max_block_bytes: u32,
}

impl From<&Rules> for RulesVector {
    fn from(rules: &Rules) -> Self {
        Self {
            name: rules.name.to_string(),
            difficulty: rules.difficulty,
            block_interval_seconds: rules.block_interval_seconds,
            half_life_seconds: rules.half_life_seconds,
            min_block_transactions: rules.min_block_transactions,
            min_block_wait_seconds: rules.min_block_wait_seconds,
            block_reward: micros(rules.block_reward),
            reward_maturity: rules.reward_maturity,
            max_block_bytes: rules.max_block_bytes,
        }
    }
}

#[derive(Serialize)]
struct NetworkVector {
    rules: RulesVector,
    rules_encoding: String,
    genesis_content: String,
    genesis_target: String,
    genesis_encoding: String,
    id: String,
    folder: String,
}

fn networks() -> Vec<NetworkVector> {
    let classic = Rules {
        difficulty: 18,
        block_interval_seconds: 0,
        min_block_transactions: 5,
        ..Rules::default()
    };
    let other = Rules {
        name: "abcdefghijklmnopqr42".parse().expect("a name"),
        difficulty: 128,
        block_interval_seconds: u32::MAX,
        half_life_seconds: u32::MAX,
        min_block_wait_seconds: 1,
        block_reward: Amount::MAX,
        reward_maturity: 100,
        max_block_bytes: 864,
        ..Rules::default()
    };
    [Rules::default(), classic, other].map(network_vector).into()
}

fn network_vector(rules: Rules) -> NetworkVector {
    let network = Network::new(rules).expect("possible");
    let genesis = network.genesis();
    NetworkVector {
        rules: network.rules().into(),
        rules_encoding: encoding(network.rules()),
        genesis_content: genesis.header.content.to_string(),
        genesis_target: genesis.header.target.to_string(),
        genesis_encoding: encoding(genesis),
        id: network.id().to_string(),
        folder: network.folder_name(),
    }
}

#[derive(Serialize)]
struct TransactionVector {
    network: String,
    sender: String,
    recipient: String,
    amount: String,
    fee: String,
    sequence: u64,
    memo: String,
    signed_message: String,
    id: String,
    signature: String,
    encoding: String,
}

fn transactions(chain: &Chain) -> Vec<TransactionVector> {
    chain.transactions().into_iter().map(|one| transaction_vector(one, &chain.network)).collect()
}

fn transaction_vector(transaction: &Transaction, network: &Network) -> TransactionVector {
    let payment = &transaction.payment;
    TransactionVector {
        network: network.id().to_string(),
        sender: const_hex::encode(payment.sender.0),
        recipient: const_hex::encode(payment.recipient.0),
        amount: micros(payment.amount),
        fee: micros(payment.fee),
        sequence: payment.sequence.get(),
        memo: const_hex::encode(&*payment.memo),
        signed_message: const_hex::encode(payment.signed_message(network.id())),
        id: payment.id(network.id()).to_string(),
        signature: const_hex::encode(transaction.signature.0),
        encoding: encoding(transaction),
    }
}

#[derive(Serialize)]
struct MerkleVector {
    leaves: Vec<String>,
    root: String,
}

/// So many leaves: 32 times 01, 32 times 02 and so on.
fn merkle_vector(count: u8) -> MerkleVector {
    let leaves: Vec<_> = (1..=count).map(|number| [number; 32]).collect();
    let root = const_hex::encode(merkle::root(&leaves));
    MerkleVector { leaves: leaves.iter().map(const_hex::encode).collect(), root }
}

#[derive(Serialize)]
struct BlockVector {
    height: u64,
    parent: String,
    content: String,
    time: u64,
    target: String,
    header_encoding: String,
    header_digest: String,
    salt: String,
    nonce: u32,
    hash: String,
    work: String,
    total_work: String,
    reward: RewardVector,
    leaves: Vec<String>,
    merkle_root: String,
    encoding: String,
    accounts_after: Vec<AccountAfter>,
}

#[derive(Serialize)]
struct RewardVector {
    height: u64,
    recipient: String,
    amount: String,
    encoding: String,
}

#[derive(Serialize)]
struct AccountAfter {
    account: String,
    balance: String,
    sequence: u64,
}

/// Balance and sequence of Alice, Bob and Carol after each block, worked out by hand.
const ACCOUNTS_AFTER: [[(&str, u64); 3]; 3] = [
    [("10", 0), ("0", 0), ("0", 0)],
    [("6.35", 3), ("12.65", 0), ("1", 0)],
    [("6.85", 3), ("12.149999", 1), ("11.000001", 0)],
];

fn block_vector(chain: &Chain, index: usize) -> BlockVector {
    let block = &chain.blocks[index];
    let (header, proof) = (block.header().header(), block.header().sealed().proof);
    let decoded = block.to_block().verify(&chain.network);
    assert_eq!(decoded.as_ref(), Ok(block), "a node would accept it");
    let (leaves, merkle_root) = tree(block);
    let works = chain.blocks[..=index].iter().map(|block| block.header().work());
    let total_work: Work = works.sum();
    BlockVector {
        height: header.height.get(),
        parent: header.parent.to_string(),
        content: header.content.to_string(),
        time: header.time.millis(),
        target: header.target.to_string(),
        header_encoding: encoding(header),
        header_digest: const_hex::encode(header.digest()),
        salt: const_hex::encode(proof.salt),
        nonce: proof.nonce,
        hash: block.header().hash().to_string(),
        work: block.header().work().to_string(),
        total_work: total_work.to_string(),
        reward: RewardVector {
            height: block.reward().height.get(),
            recipient: const_hex::encode(block.reward().recipient.0),
            amount: micros(block.reward().amount),
            encoding: encoding(block.reward()),
        },
        leaves: leaves.iter().map(const_hex::encode).collect(),
        merkle_root: const_hex::encode(merkle_root),
        encoding: encoding(&block.to_block()),
        accounts_after: accounts_after(chain, index),
    }
}

/// The leaves and the root that the content root of this block is made of.
fn tree(block: &VerifiedBlock) -> (Vec<[u8; 32]>, [u8; 32]) {
    let reward = Tag::RewardLeaf.hash(&[&codec::encode(block.reward())]);
    let payments = block
        .payments()
        .iter()
        .map(|payment| Tag::PaymentLeaf.hash(&[payment.id().as_bytes(), &payment.signature().0]));
    let leaves: Vec<_> = std::iter::once(reward).chain(payments).collect();
    let root = merkle::root(&leaves);
    let content = ContentRoot(Tag::Content.hash(&[&root]));
    assert_eq!(content, block.header().header().content);
    (leaves, root)
}

fn accounts_after(chain: &Chain, index: usize) -> Vec<AccountAfter> {
    let height = chain.blocks[index].header().header().height;
    let total: Option<Amount> =
        ACCOUNTS_AFTER[index].iter().map(|(balance, _)| coins(balance)).sum();
    assert_eq!(total, Some(chain.network.issued(height)), "nothing is lost and nothing made");
    let accounts = [alice(), bob(), carol()].map(|key| key.account());
    let after = accounts.into_iter().zip(ACCOUNTS_AFTER[index]);
    after
        .filter(|(_, state)| *state != ("0", 0))
        .map(|(account, (balance, sequence))| AccountAfter {
            account: const_hex::encode(account.0),
            balance: micros(coins(balance)),
            sequence,
        })
        .collect()
}
