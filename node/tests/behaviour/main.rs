//! What nodes do together, in virtual time and in memory. The numbers in the tests' comments are
//! those of BEHAVIOURS.md.

#![allow(unreachable_pub, reason = "everything in a test is private")]

mod chaos;
mod clocks;
mod disk;
mod forge;
mod honest;
mod liars;
mod limits;
mod mining;
mod payments;
mod player;
mod puppet;
mod sync;
mod world;
