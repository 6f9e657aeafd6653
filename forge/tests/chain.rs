//! What is forged: the same chain every time, and one that a ledger accepts.

use std::time::Duration;

use cairn_forge::{Chain, Recipe, batches, network};
use cairn_ledger::Ledger;
use cairn_protocol::{BlockRef, SecretKey, VerifiedBlock};

fn recipe() -> Recipe {
    Recipe { seed: 7, blocks: 12, payments: 5, accounts: 3, ..Recipe::default() }
}

fn blocks(recipe: &Recipe) -> Vec<VerifiedBlock> {
    Chain::new(&network(0), recipe).expect("possible").collect()
}

fn tip(recipe: &Recipe) -> BlockRef {
    blocks(recipe).last().expect("a block").block_ref()
}

/// The chain of a recipe in memory.
fn ledger(difficulty: u8, recipe: &Recipe) -> Ledger {
    let network = network(difficulty);
    let mut ledger = Ledger::in_memory(&network).expect("memory");
    for batch in batches(Chain::new(&network, recipe).expect("possible")) {
        let added = ledger.add_blocks(&batch, recipe.end()).expect("memory");
        assert_eq!(added.refused, []);
    }
    ledger
}

/// Whoever keeps forged chains relies on these hashes: a change that moves them gives every such
/// chain another content.
#[test]
fn a_recipe_gives_the_same_chain_on_every_machine() {
    let golden = [
        (0, "6a7df6cb9c18739996387ea761337d777ed086a33d3ce3a99b6c9e60da59ec11"),
        (1, "43d2f0aa7414fdf2d2e7201a46d9dbee9e7817209782f40051b4e3e55fe6014e"),
    ];
    for (difficulty, tip) in golden {
        let chain = Chain::new(&network(difficulty), &recipe()).expect("possible");
        let last = chain.last().expect("a block").block_ref();
        assert_eq!(last.hash.to_string(), tip, "difficulty {difficulty}");
    }
}

#[test]
fn the_same_recipe_gives_the_same_blocks_and_any_other_gives_others() {
    assert_eq!(blocks(&recipe()), blocks(&recipe()));
    let others = [
        Recipe { seed: 8, ..recipe() },
        Recipe { payments: 6, ..recipe() },
        Recipe { accounts: 4, ..recipe() },
        Recipe { spacing: Duration::from_millis(999), ..recipe() },
        Recipe { seed: 8, payments: 0, ..recipe() },
        Recipe { payments: 0, ..recipe() },
    ];
    let tips: std::collections::BTreeSet<_> = others.iter().chain([&recipe()]).map(tip).collect();
    assert_eq!(tips.len(), others.len() + 1);
}

#[test]
fn a_longer_chain_starts_with_the_shorter_one() {
    let long = blocks(&Recipe { blocks: 20, ..recipe() });
    assert_eq!(long[..12], blocks(&recipe()));
}

#[test]
fn a_ledger_accepts_the_chain_at_either_difficulty() {
    for difficulty in [0, 1] {
        let ledger = ledger(difficulty, &recipe());
        assert_eq!(ledger.tip().block.height.get(), 12);
        assert_eq!(ledger.tip().time, recipe().end());
        let held = |key: SecretKey| ledger.account(&key.account()).expect("memory").sequence.get();
        let payments: u64 = recipe().keys().into_iter().map(held).sum();
        assert_eq!(payments, recipe().total_payments());
        assert_eq!(payments, 55);
    }
}

#[test]
fn a_ledger_accepts_full_blocks_and_one_account_that_pays_itself() {
    for (payments, accounts) in [(6_248, 40), (50, 1)] {
        let recipe = Recipe { blocks: 2, payments, accounts, ..Recipe::default() };
        assert_eq!(ledger(0, &recipe).tip().block.height.get(), 2);
    }
}

#[test]
fn blocks_hold_what_was_asked_for_at_times_that_ascend() {
    let recipe = recipe();
    for (index, block) in blocks(&recipe).iter().enumerate() {
        assert_eq!(block.payments().len(), if index == 0 { 0 } else { 5 });
        let after = recipe.spacing * u32::try_from(index).expect("few");
        assert_eq!(block.header().header().time, recipe.start.after(after));
        assert_eq!(block.to_block().verify(&network(0)).as_ref(), Ok(block));
    }
}

#[test]
fn a_chain_knows_how_much_of_it_is_left() {
    let mut chain = Chain::new(&network(0), &recipe()).expect("possible");
    assert_eq!((chain.len(), chain.tip()), (12, network(0).genesis_ref()));
    let first = chain.next().expect("a block");
    assert_eq!((chain.len(), chain.tip()), (11, first.block_ref()));
    assert_eq!(chain.by_ref().count(), 11);
    assert_eq!((chain.len(), chain.next()), (0, None));
}

#[test]
fn portions_end_after_many_payments_or_many_blocks() {
    let sizes = |payments, count| -> Vec<_> {
        let two = blocks(&Recipe { blocks: 2, payments, ..Recipe::default() });
        batches(vec![two[1].clone(); count]).map(|batch| batch.len()).collect()
    };
    assert_eq!(sizes(0, 20_001), [10_000, 10_000, 1]);
    assert_eq!(sizes(1_000, 120), [100, 20]);
    assert_eq!(sizes(0, 0), [0; 0]);
}
