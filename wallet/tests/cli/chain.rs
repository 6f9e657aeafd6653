//! Builds chains whose blocks need no search.

use cairn_ledger::Ledger;
use cairn_protocol::block::content_root_of;
use cairn_protocol::header::HEADER_VERSION;
use cairn_protocol::{
    AccountId, Amount, BlockRef, Header, Network, Proof, Reward, Rules, Timestamp, Transaction,
    VerifiedBlock,
};

/// The time of the first block; each later one is a second after its parent.
const START_MILLIS: u64 = 1_700_000_000_000;

/// A network in which any hash will do.
pub(crate) fn network() -> Network {
    let rules = Rules {
        name: "test".parse().expect("a name"),
        difficulty: 0,
        block_interval_seconds: 0,
        reward_maturity: 1,
        ..Rules::default()
    };
    Network::new(rules).expect("possible")
}

/// Adds so many blocks on the tip, whose rewards are this account's.
pub(crate) fn mine(ledger: &mut Ledger, recipient: AccountId, blocks: u64) {
    for _ in 0..blocks {
        mine_on(ledger, ledger.tip().block, recipient, &[]);
    }
}

/// Adds a block with these payments on any block, and tells where it stands.
pub(crate) fn mine_on(
    ledger: &mut Ledger,
    parent: BlockRef,
    recipient: AccountId,
    payments: &[Transaction],
) -> BlockRef {
    let network = network();
    let payments: Vec<_> =
        payments.iter().map(|one| one.clone().verify(network.id()).expect("valid")).collect();
    let height = parent.height.next();
    let time = Timestamp::from_millis(START_MILLIS + 1_000 * height.get()).expect("a time");
    let fees: Option<Amount> = payments.iter().map(|one| one.payment().fee).sum();
    let amount = fees.and_then(|fees| fees.checked_add(network.subsidy(height)));
    let reward = Reward { height, recipient, amount: amount.expect("small fees") };
    let header = Header {
        version: HEADER_VERSION,
        height,
        parent: parent.hash,
        content: content_root_of(&reward, &payments),
        time,
        target: network.rules().floor(),
    };
    let block = VerifiedBlock::seal(header, Proof::default(), reward, payments, &network)
        .expect("any hash will do");
    let place = block.block_ref();
    let added = ledger.add_blocks(&[block], time).expect("written");
    assert_eq!(added.refused, []);
    place
}
