//! Programs that are killed at any moment (`kill -9`), and what is found when their data directory
//! is opened again: the chain is whole, an earlier or later state of the right one, and no payment
//! that `wallet send` acknowledged is lost.
//!
//! | command | kills |
//! |---|---|
//! | `cargo test -p cairn-tests --test kills` | a dozen |
//! | `CAIRN_KILLS=200 cargo test --release -p cairn-tests --test kills -- --nocapture --test-threads 1` | so many, and tells how long each chain took to open |
//! | `CAIRN_SEED=7 ...` | at other moments: those of seed 7 instead of 1 |
//! | `CAIRN_DOWNLOAD=200000 ...` | in a first download of so many blocks |
//!
//! A seed gives moments, not states: what a program has done by then is the machine's affair.
//!
//! [`scenario`] kills, opens and asks what is always true; each scenario is a file of its own.

mod download;
mod import;
mod rebuild;
mod reorganisation;
mod scenario;
mod send;
mod tip;
