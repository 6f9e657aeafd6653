//! B1 to B5: what makes a block.

use std::collections::BTreeSet;

use cairn_protocol::codec::encode;
use cairn_protocol::{
    Amount, BlockError, ContentRoot, Height, Sequence, TransactionError, VerifiedBlock,
};

use crate::draft::Draft;
use crate::kit::{coins, key, micros, network, payment, signed};

#[test]
fn rule_b1_the_content_is_what_the_header_commits_to() {
    let network = network();
    let mut draft = Draft::with_payments(&network, 2);
    let mut near = draft.content_root();
    near.0[31] ^= 1;
    for content in [ContentRoot([0; 32]), near] {
        draft.content = Some(content);
        assert_eq!(draft.refused(), (BlockError::ContentRoot, "B1"));
    }
    draft.content = None;
    draft.assert_accepted();
}

/// Whatever of a block's content changes, its header was not about that.
#[test]
fn behaviour_17_a_wrong_root_is_refused() {
    let good = Draft::with_payments(&network(), 3);
    let committed = good.content_root();
    let changes: [&dyn Fn(&mut Draft); 8] = [
        &|draft| draft.reward.recipient = key(8).account(),
        &|draft| draft.reward.amount = coins("1"),
        &|draft| draft.reward.height = Height::from(2),
        &|draft| draft.payments.truncate(2),
        &|draft| draft.payments.swap(0, 1),
        &|draft| draft.payments.push(signed(&network(), |one| one.sequence = Sequence::from(3))),
        &|draft| draft.payments[2].payment.amount = coins("2"),
        &|draft| draft.payments[2].signature.0[40] ^= 1,
    ];
    for (index, change) in changes.iter().enumerate() {
        let mut draft = good.clone();
        draft.content = Some(committed);
        draft.assert_accepted();
        change(&mut draft);
        assert_eq!(draft.refused(), (BlockError::ContentRoot, "B1"), "change {index}");
    }
}

/// A block of 2,000 bytes, and one more: 192 without payments, 160 and the memo for each.
fn of_size(bytes: usize) -> Draft {
    let network = network();
    let mut draft = Draft::with_payments(&network, 3);
    let last_memo = bytes - 192 - 2 * (160 + 512) - 160;
    for (sequence, memo) in [(0, 512), (1, 512), (2, last_memo)] {
        let index = usize::try_from(sequence).expect("small");
        draft.payments[index] = signed(&network, |one| *one = payment(sequence, memo));
    }
    assert_eq!(encode(&draft.block()).len(), bytes);
    draft
}

#[test]
fn rule_b2_a_block_is_at_most_as_large_as_the_network_allows() {
    let too_large = BlockError::TooLarge { bytes: 2_001, most: 2_000 };
    assert_eq!(of_size(2_001).refused(), (too_large, "B2"));
    of_size(2_000).assert_accepted();
}

/// The block as its own miner makes it, of payments that were verified before: with the same
/// verdict as for everybody else.
fn assert_sealed_alike(draft: &Draft) -> Result<VerifiedBlock, BlockError> {
    let network = network();
    let block = draft.block();
    let payments = draft.payments.iter().map(|one| one.clone().verify(network.id()));
    let payments = payments.collect::<Result<Vec<_>, _>>().expect("valid payments");
    let (header, proof) = (block.sealed.header, block.sealed.proof);
    let sealed = VerifiedBlock::seal(header, proof, block.reward, payments, &network);
    assert_eq!(sealed, block.verify(&network));
    sealed
}

#[test]
fn behaviour_23_the_size_limit_is_exact() {
    for bytes in [1_999, 2_000] {
        assert_eq!(assert_sealed_alike(&of_size(bytes)).expect("valid").encoded_len(), bytes);
    }
    let too_large = BlockError::TooLarge { bytes: 2_001, most: 2_000 };
    assert_eq!(assert_sealed_alike(&of_size(2_001)), Err(too_large));
}

#[test]
fn a_block_is_judged_alike_by_its_miner_and_by_others() {
    let good = Draft::with_payments(&network(), 2);
    let sealed = assert_sealed_alike(&good).expect("valid");
    assert_eq!(sealed.to_block(), good.block());
    assert_eq!((sealed.transaction_count(), sealed.encoded_len()), (3, 192 + 2 * 160));
    let changes: [&dyn Fn(&mut Draft); 4] = [
        &|draft| draft.proven = false,
        &|draft| draft.content = Some(ContentRoot([0; 32])),
        &|draft| draft.reward.height = Height::from(2),
        &|draft| draft.reward.amount = coins("10.25"),
    ];
    for change in changes {
        let mut draft = good.clone();
        change(&mut draft);
        assert_sealed_alike(&draft).expect_err("not valid");
    }
}

#[test]
fn rule_b3_the_reward_is_for_the_blocks_height() {
    let mut draft = Draft::new(&network());
    for height in [0, 2] {
        draft.reward.height = Height::from(height);
        assert_eq!(draft.refused(), (BlockError::RewardHeight(Height::from(height)), "B3"));
    }
    draft.reward.height = Height::from(1);
    draft.assert_accepted();
}

#[test]
fn rule_b4_subsidy_and_fees_are_an_amount() {
    let network = network();
    let with_fees = |fees: u64| {
        let mut draft = Draft::with_payments(&network, 2);
        let halves = [fees / 2, fees - fees / 2];
        for ((index, fee), sequence) in halves.into_iter().enumerate().zip(0..) {
            let change = |one: &mut cairn_protocol::Payment| {
                (one.fee, one.amount) = (micros(fee), micros(1));
                one.sequence = Sequence::from(sequence);
            };
            draft.payments[index] = signed(&network, change);
        }
        draft.reward.amount = Amount::MAX;
        draft
    };
    let most = Amount::MAX.micros() - coins("10").micros();
    for fees in [most + 1, Amount::MAX.micros(), 2 * (Amount::MAX.micros() - 1)] {
        assert_eq!(with_fees(fees).refused(), (BlockError::FeesTooLarge, "B4"), "{fees}");
    }
    with_fees(most).assert_accepted();
}

#[test]
fn rule_b5_the_reward_is_the_subsidy_and_the_fees() {
    let mut draft = Draft::with_payments(&network(), 2);
    let due = coins("10.5");
    for paid in ["10.499999", "10.500001", "10", "0", "9223372036854.775807"] {
        draft.reward.amount = coins(paid);
        let error = BlockError::RewardAmount { paid: coins(paid), due };
        assert_eq!(draft.refused(), (error, "B5"));
    }
    draft.reward.amount = due;
    draft.assert_accepted();
}

/// The bad payment is named, by its index and its own rule.
#[test]
fn a_block_with_a_bad_payment_is_refused_by_that_payments_rule() {
    let mut draft = Draft::with_payments(&network(), 3);
    draft.payments[1].payment.amount = coins("2");
    let error = TransactionError::Signature;
    assert_eq!(draft.refused(), (BlockError::Payment { index: 1, error }, "T4"));
}

/// The subsidy is that of the height, also where no further coins come into being.
#[test]
fn behaviour_12_a_reward_above_subsidy_and_fees_is_refused() {
    let quarter = micros(1 << 61);
    let network = crate::kit::network_with(|rules| rules.block_reward = quarter);
    for (height, subsidy) in [(1, quarter), (3, quarter), (4, Amount::ZERO)] {
        let mut draft = Draft::new(&network);
        draft.height = Height::from(height);
        draft.reward.height = draft.height;
        draft.reward.amount = micros(subsidy.micros() + 1);
        let error = BlockError::RewardAmount { paid: draft.reward.amount, due: subsidy };
        assert_eq!(draft.refused(), (error, "B5"));
        draft.reward.amount = subsidy;
        draft.assert_accepted();
    }
}

/// A block's hash commits to its reward, and the reward to its height: the same miner's same
/// reward is another at every height, and with another salt it is another block.
#[test]
fn behaviour_29_the_same_reward_twice_gives_different_ids() {
    let network = network();
    let drafts = (1..=50).map(|height| {
        let mut draft = Draft::new(&network);
        draft.height = Height::from(height);
        draft.reward.height = draft.height;
        draft
    });
    let drafts: Vec<_> = drafts.collect();
    let roots: BTreeSet<_> = drafts.iter().map(Draft::content_root).collect();
    let hashes: BTreeSet<_> = drafts.iter().map(|draft| draft.block().sealed.hash()).collect();
    assert_eq!((roots.len(), hashes.len()), (50, 50));

    let mut again = drafts[1].clone();
    again.reward = drafts[0].reward;
    assert_eq!(again.refused(), (BlockError::RewardHeight(Height::from(1)), "B3"));
}

#[test]
fn only_a_foreign_content_leaves_the_header_in_peace() {
    assert!(!BlockError::ContentRoot.condemns_header());
    let error = TransactionError::Signature;
    for condemning in [
        BlockError::TooLarge { bytes: 2_001, most: 2_000 },
        BlockError::Payment { index: 0, error },
        BlockError::RewardHeight(Height::from(2)),
        BlockError::FeesTooLarge,
        BlockError::RewardAmount { paid: coins("11"), due: coins("10") },
    ] {
        assert!(condemning.condemns_header(), "{condemning}");
    }
}
