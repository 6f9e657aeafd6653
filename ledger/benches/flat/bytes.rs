//! What a payment takes on disk, all that its block, its accounts and the file need included.

use cairn_forge::{Chain, Recipe};
use cairn_protocol::codec::encode;

use crate::growing::store;

/// Payments of each block.
const PAYMENTS: u32 = 500;

pub(crate) fn run(payments: u32) {
    let network = cairn_forge::network(0);
    // The first block has none.
    let blocks = 1 + payments.div_ceil(PAYMENTS);
    let recipe = Recipe { blocks, payments: PAYMENTS, accounts: 1_000, ..Recipe::default() };
    let (folder, ledger) = store(&network, &recipe);
    drop(ledger);
    let file = folder.path().join("chain.db").metadata().expect("it is there").len();
    let example = Chain::new(&network, &Recipe { blocks: 2, ..recipe.clone() });
    let block = example.expect("possible").last().expect("two blocks");
    let payment = encode(block.payments()[0].transaction()).len();
    #[expect(clippy::cast_precision_loss, reason = "far less than 2^52")]
    let each = file as f64 / recipe.total_payments() as f64;
    #[expect(clippy::cast_precision_loss, reason = "a few bytes")]
    let ratio = each / payment as f64;
    println!(
        "bytes: {each:.1} a payment on disk after {} in blocks of {PAYMENTS}; {ratio:.2} times its \
         encoding of {payment}",
        recipe.total_payments()
    );
}
