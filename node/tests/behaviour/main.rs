//! What nodes do together, in virtual time and in memory.

#![allow(unreachable_pub, reason = "everything in a test is private")]

mod chaos;
mod clocks;
mod disk;
mod following;
mod forge;
mod honest;
mod liars;
mod limits;
mod mining;
mod misbehaviour;
mod partition;
mod payments;
mod player;
mod puppet;
mod reorganisation;
mod restart;
mod sync;
mod world;
mod worthless;
