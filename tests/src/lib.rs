//! End-to-end tests of both programs: real processes over loopback, each with its own data
//! directory, on ports that were free, waiting on predicates with a deadline.
//!
//! This is the harness; the tests stand in `tests/tests/`. A test makes a [`TestNetwork`], from it
//! one [`Home`] for each data directory, and runs programs in that.

mod home;
mod miner;
mod network;
mod process;
mod programs;
mod proxy;
mod snapshot;
mod wait;

pub use home::{Home, Outcome, micros, path_text, text};
pub use miner::Miner;
pub use network::TestNetwork;
pub use process::Process;
pub use programs::{Program, path_of};
pub use proxy::Proxy;
pub use rustix::process::Signal;
pub use snapshot::Snapshot;
pub use wait::{PATIENCE, wait_for, wait_until};
