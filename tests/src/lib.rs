//! End-to-end tests of both programs: real processes over loopback, each with its own data
//! directory, on ports that were free, waiting on predicates with a deadline.
//!
//! This is the harness; the tests stand in `tests/tests/`. A test makes a [`TestNetwork`], from it
//! one [`Home`] for each data directory, and runs programs in that. Where a test needs a chain to
//! start from, or a peer that lies, it makes blocks by hand in a [`Branch`] and speaks the protocol
//! itself on a [`Line`].

#![forbid(unsafe_code)]

mod branch;
mod home;
mod line;
mod miner;
mod network;
mod process;
mod programs;
mod proxy;
mod small_disk;
mod snapshot;
mod victim;
mod wait;

pub use branch::{Branch, encoded, now, payment};
pub use home::{Home, Outcome, micros, path_text, text};
pub use line::{Line, accept};
pub use miner::Miner;
pub use network::TestNetwork;
pub use process::{Process, Traffic};
pub use programs::{Program, path_of};
pub use proxy::Proxy;
pub use rustix::process::Signal;
pub use small_disk::SmallDisk;
pub use snapshot::Snapshot;
pub use victim::{Person, Victim};
pub use wait::{PATIENCE, wait_for, wait_until};
