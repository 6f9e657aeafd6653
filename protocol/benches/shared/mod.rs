//! The block that both benchmarks take: valid, with 1,000 payments.

use cairn_protocol::block::content_root_of;
use cairn_protocol::{
    Amount, Block, Header, Height, Memo, Network, Payment, Proof, Reward, Rules, SecretKey,
    Sequence, Timestamp, Transaction, VerifiedBlock,
};

/// Payments of the block.
pub(crate) const PAYMENTS: u32 = 1_000;

/// A network whose blocks need next to no proof of work.
pub(crate) fn network() -> Network {
    Network::new(Rules { difficulty: 1, ..Rules::default() }).expect("possible")
}

/// Each of `senders` pays as often as the others, and without a memo.
pub(crate) fn block(network: &Network, senders: u32) -> Block {
    let payments = (0..PAYMENTS).map(|number| payment(network, number % senders, number / senders));
    let payments =
        Transaction::verify_all(payments.collect(), network.id()).expect("valid payments");
    let (height, recipient) = (Height::from(1), SecretKey::from_seed([1; 32]).account());
    let reward = Reward { height, recipient, amount: network.subsidy(height) };
    let header = Header {
        version: 1,
        height,
        parent: network.genesis_ref().hash,
        content: content_root_of(&reward, &payments),
        time: Timestamp::from_millis(1_760_000_000_000).expect("a time"),
        target: network.rules().floor(),
    };
    let proofs = (0..).map(|nonce| Proof { salt: [0; 16], nonce });
    let mut blocks =
        proofs.map(|proof| VerifiedBlock::seal(header, proof, reward, payments.clone(), network));
    blocks.find_map(Result::ok).expect("every second nonce is a proof").to_block()
}

fn payment(network: &Network, sender: u32, sequence: u32) -> Transaction {
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&sender.to_le_bytes());
    let key = SecretKey::from_seed(seed);
    let payment = Payment {
        sender: key.account(),
        recipient: SecretKey::from_seed([2; 32]).account(),
        amount: Amount::from_micros(1).expect("small"),
        fee: Amount::ZERO,
        sequence: Sequence::from(sequence),
        memo: Memo::default(),
    };
    key.sign(payment, network.id())
}
