//! [`Chain`]: the blocks of a recipe, one after the other.

use std::collections::VecDeque;

use cairn_protocol::{AccountId, BlockRef, Network, VerifiedBlock, VerifiedTransaction};

use crate::accounts::{Accounts, Plan};
use crate::draft::Draft;
use crate::recipe::{Recipe, RecipeError};
use crate::sign::{sign_all, window};

/// An iterator over the blocks of a recipe, from height 1 on.
///
/// Payments are signed some thousands ahead, on all cores; the blocks are sealed on the thread
/// that asks for them.
#[derive(Debug)]
pub struct Chain {
    network: Network,
    recipe: Recipe,
    accounts: Accounts,
    /// How many payments are signed together.
    window: usize,
    /// The last block that was given away.
    parent: BlockRef,
    /// Recipients and payments of the blocks after it.
    ready: VecDeque<(AccountId, Vec<VerifiedTransaction>)>,
}

impl Chain {
    /// The chain of a recipe, for this network.
    ///
    /// # Errors
    /// [`RecipeError`] if there is none.
    pub fn new(network: &Network, recipe: &Recipe) -> Result<Self, RecipeError> {
        recipe.check(network)?;
        Ok(Self {
            network: network.clone(),
            recipe: recipe.clone(),
            accounts: Accounts::new(recipe),
            window: window(),
            parent: network.genesis_ref(),
            ready: VecDeque::new(),
        })
    }

    /// The last block that was given away; genesis at first.
    pub fn tip(&self) -> BlockRef {
        self.parent
    }

    /// The blocks that are left.
    fn left(&self) -> usize {
        let left = u64::from(self.recipe.blocks) - self.parent.height.get();
        usize::try_from(left).expect("at most 2^32")
    }

    /// Plans some blocks and signs their payments.
    fn prepare(&mut self) {
        let blocks = self.window.checked_div(self.recipe.payments as usize).unwrap_or(1);
        let blocks = blocks.clamp(1, self.left());
        let plans: Vec<_> =
            (0..blocks).map(|_| self.accounts.plan(self.recipe.payments, &self.network)).collect();
        let counts: Vec<_> =
            plans.iter().map(|plan| (plan.recipient, plan.payments.len())).collect();
        let payments: Vec<_> =
            plans.into_iter().flat_map(|Plan { payments, .. }| payments).collect();
        let mut signed = sign_all(&payments, &self.accounts, self.network.id()).into_iter();
        let blocks = counts.into_iter();
        self.ready
            .extend(blocks.map(|(recipient, payments)| {
                (recipient, signed.by_ref().take(payments).collect())
            }));
    }
}

impl Iterator for Chain {
    type Item = VerifiedBlock;

    fn next(&mut self) -> Option<VerifiedBlock> {
        if self.left() == 0 {
            return None;
        }
        if self.ready.is_empty() {
            self.prepare();
        }
        let (recipient, payments) = self.ready.pop_front().expect("prepared");
        let draft = Draft {
            parent: self.parent,
            time: self.recipe.time_of(self.parent.height.next()),
            target: self.network.rules().floor(),
            recipient,
            payments,
        };
        let block = draft.seal(&self.network).expect("the recipe was checked");
        self.parent = block.block_ref();
        Some(block)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left(), Some(self.left()))
    }
}

impl ExactSizeIterator for Chain {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network;

    /// How much is signed together depends on the machine.
    #[test]
    fn blocks_do_not_depend_on_how_many_payments_are_signed_together() {
        let recipe = Recipe { blocks: 6, payments: 4, ..Recipe::default() };
        let blocks = |window: usize| -> Vec<_> {
            let chain = Chain::new(&network(0), &recipe).expect("possible");
            Chain { window, ..chain }.collect()
        };
        let alone = blocks(1);
        assert_eq!(alone.len(), 6);
        assert_eq!([blocks(8), blocks(9), blocks(1_000)], [&alone; 3].map(Vec::clone));
    }
}
