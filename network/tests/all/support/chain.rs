//! Chains and payments made by hand.

use cairn_ledger::{Ledger, Tip};
use cairn_protocol::block::content_root_of;
use cairn_protocol::{
    AccountId, Amount, Header, Memo, Network, Payment, Proof, Reward, Sequence, Timestamp,
    Transaction, VerifiedBlock, VerifiedTransaction,
};

use super::{account, key};

/// A payment of one micro-coin.
pub(crate) fn payment(network: &Network, from: u8, sequence: u64, memo: usize) -> Transaction {
    let payment = Payment {
        sender: account(from),
        recipient: AccountId([9; 32]),
        amount: Amount::from_micros(1).expect("small"),
        fee: Amount::ZERO,
        sequence: Sequence::new(sequence).expect("small"),
        memo: Memo::new(vec![b'm'; memo]).expect("short"),
    };
    key(from).sign(payment, network.id())
}

/// A chain of that many blocks, each with so many payments of 672 bytes (the first with none).
pub(crate) fn build(ledger: &mut Ledger, miner: u8, blocks: u64, payments: u64) {
    let network = ledger.network().clone();
    for height in 1..=blocks {
        let count = if height == 1 { 0 } else { payments };
        let first = height.saturating_sub(2) * payments;
        let payments = (first..first + count)
            .map(|sequence| payment(&network, miner, sequence, 512))
            .map(|payment| payment.verify(network.id()).expect("valid"));
        let block = block(&network, ledger.tip(), miner, payments.collect());
        let added = ledger.add_blocks(&[block], cairn_network::clock::now()).expect("stored");
        assert!(added.refused.is_empty(), "{:?}", added.refused);
    }
    assert_eq!(ledger.tip().block.height.get(), blocks);
}

/// A valid block on this one.
pub(crate) fn block(
    network: &Network,
    parent: Tip,
    miner: u8,
    payments: Vec<VerifiedTransaction>,
) -> VerifiedBlock {
    let height = parent.block.height.next();
    let fees: Option<Amount> = payments.iter().map(|one| one.payment().fee).sum();
    let amount = fees.and_then(|fees| fees.checked_add(network.subsidy(height)));
    let amount = amount.expect("small fees");
    let reward = Reward { height, recipient: account(miner), amount };
    let header = Header {
        version: 1,
        height,
        parent: parent.block.hash,
        content: content_root_of(&reward, &payments),
        time: Timestamp::from_millis(parent.time.millis() + 1_000).expect("small"),
        target: network.rules().floor(),
    };
    let digest = header.digest();
    let proof = (0..u32::MAX)
        .map(|nonce| Proof { salt: [miner; 16], nonce })
        .find(|proof| header.target.is_met_by(&proof.hash(&digest)))
        .expect("it is easy");
    VerifiedBlock::seal(header, proof, reward, payments, network).expect("valid")
}
