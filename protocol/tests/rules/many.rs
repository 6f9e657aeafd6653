//! Many blocks at once: the same verdict on each, and the culprit has a name.

use std::cell::Cell;
use std::collections::BTreeMap;

use cairn_protocol::{
    Block, BlockError, Network, TransactionError, TransactionId, VerifiedBlock, VerifiedTransaction,
};

use crate::draft::Draft;
use crate::kit::{micros, network_with};

/// More payments than are checked in one batch, in blocks of very different sizes.
const COUNTS: [u32; 6] = [0, 700, 0, 330, 12, 1_100];

fn network() -> Network {
    network_with(|rules| rules.max_block_bytes = 1_000_000)
}

fn drafts(network: &Network) -> Vec<Draft> {
    COUNTS.iter().map(|count| Draft::with_payments(network, *count)).collect()
}

fn verify(drafts: &[Draft], network: &Network) -> Result<Vec<Block>, (usize, BlockError)> {
    let verified = Block::verify_all(drafts.iter().map(Draft::block).collect(), network)?;
    Ok(verified.iter().map(VerifiedBlock::to_block).collect())
}

#[test]
fn each_block_gets_its_own_payments_back() {
    let network = network();
    let drafts = drafts(&network);
    let blocks: Vec<Block> = drafts.iter().map(Draft::block).collect();
    assert_eq!(verify(&drafts, &network), Ok(blocks));
    assert_eq!(Block::verify_all(Vec::new(), &network), Ok(Vec::new()));
}

#[test]
fn the_culprit_is_named_by_its_block_and_its_place_there() {
    let network = network();
    let good = drafts(&network);
    for (block, index) in [(1, 0), (1, 699), (3, 0), (3, 323), (3, 324), (4, 11), (5, 1_099)] {
        let mut drafts = good.clone();
        drafts[block].payments[index].signature.0[40] ^= 1;
        let error = BlockError::Payment { index, error: TransactionError::Signature };
        assert_eq!(verify(&drafts, &network), Err((block, error)));
        assert_eq!(drafts[block].refused().0, error, "the same verdict alone");
    }
}

#[test]
fn commitments_come_before_signatures_and_those_before_rewards() {
    let network = network();
    let mut drafts = drafts(&network);
    drafts[2].reward.amount = micros(1);
    let reward = drafts[2].refused().0;
    assert!(matches!(reward, BlockError::RewardAmount { .. }));
    assert_eq!(verify(&drafts, &network), Err((2, reward)));
    drafts[3].payments[7].signature.0[40] ^= 1;
    let signature = BlockError::Payment { index: 7, error: TransactionError::Signature };
    assert_eq!(verify(&drafts, &network), Err((3, signature)));
    drafts[5].content = Some(drafts[0].content_root());
    assert_eq!(verify(&drafts, &network), Err((5, BlockError::ContentRoot)));
}

#[test]
fn what_was_verified_before_is_taken_as_it_is() {
    let network = network();
    let drafts = drafts(&network);
    let blocks: Vec<Block> = drafts.iter().map(Draft::block).collect();
    let before: BTreeMap<TransactionId, VerifiedTransaction> = drafts[3]
        .payments
        .iter()
        .map(|one| one.clone().verify(network.id()).expect("valid"))
        .map(|one| (one.id(), one))
        .collect();
    let asked = Cell::new(0);
    let known = |id: &TransactionId| {
        asked.set(asked.get() + 1);
        before.get(id).cloned()
    };
    let verified = Block::verify_unknown(blocks.clone(), &network, &known).expect("valid");
    assert!(verified.iter().map(VerifiedBlock::to_block).eq(blocks));
    assert_eq!(asked.get(), COUNTS.iter().sum::<u32>());
}

/// Whoever knows a payment does not know all signatures that somebody puts under it.
#[test]
fn another_signature_under_a_known_payment_is_checked() {
    let network = network();
    let mut draft = Draft::with_payments(&network, 3);
    let good = draft.payments[1].clone().verify(network.id()).expect("valid");
    draft.payments[1].signature.0[40] ^= 1;
    for known in [good.clone(), draft.payments[2].clone().verify(network.id()).expect("valid")] {
        let verified =
            Block::verify_unknown(vec![draft.block()], &network, &|_| Some(known.clone()));
        let error = BlockError::Payment { index: 1, error: TransactionError::Signature };
        assert_eq!(verified, Err((0, error)));
    }
}
