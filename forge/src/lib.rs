//! Makes valid chains from a seed, for tests and benchmarks: the same [`Recipe`] gives the same
//! blocks on every machine.
//!
//! [`Chain`] is an iterator over the blocks of a recipe, in order, with next to no work in them. It
//! keeps the accounts of the recipe and a few thousand signed payments, however long the chain
//! becomes. [`Draft`] seals a single block in any place, for tests that shape their chains
//! themselves.
//!
//! ```
//! use cairn_forge::{Chain, Recipe, batches, network};
//!
//! let network = network(0);
//! let recipe = Recipe { blocks: 20, payments: 3, accounts: 4, ..Recipe::default() };
//! let chain = Chain::new(&network, &recipe).expect("possible");
//! let mut ledger = cairn_ledger::Ledger::in_memory(&network).expect("memory");
//! for blocks in batches(chain) {
//!     let added = ledger.add_blocks(&blocks, recipe.end()).expect("memory");
//!     assert_eq!(added.refused, []);
//! }
//! assert_eq!(ledger.tip().block.height.get(), 20);
//! ```
//!
//! [`verify_signatures`] is what downloads of such a chain are compared with.
//!
//! The command `forge` writes such a chain into a data directory of the miner and the wallet:
//!
//! ```console
//! $ cargo run --release -p cairn-forge -- --blocks 1000000 --seed 1 --data-dir DIR
//! ```
//!
//! It is the feature `command`, which the crates of this workspace leave out when they take the
//! library for their tests.

#![forbid(unsafe_code)]

mod accounts;
mod baseline;
mod batches;
mod chain;
mod draft;
mod network;
mod random;
mod recipe;
mod sign;

pub use baseline::verify_signatures;
pub use batches::batches;
pub use chain::Chain;
pub use draft::Draft;
pub use network::{NAME, network};
pub use recipe::{Recipe, RecipeError};
