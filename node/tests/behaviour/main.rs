//! What nodes do together, in virtual time and in memory. The numbers in the tests' comments are
//! those of BEHAVIOURS.md.

mod clocks;
mod forge;
mod limits;
mod mining;
mod payments;
mod sync;
mod world;
