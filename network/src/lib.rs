//! Runs a pure [`cairn_node::Node`] on real sockets, clocks and threads.

pub mod clock;
pub mod limits;

mod answers;
mod asks;
mod broadcast;
mod connect;
mod datagrams;
mod dials;
mod driver;
mod error;
mod foreign;
mod frames;
mod handshake;
mod inbox;
mod intake;
mod interfaces;
mod launch;
mod link;
mod links;
mod peers;
mod publisher;
mod questions;
mod running;
mod seen;
mod server;
mod settings;
mod slots;
mod sockets;
mod statics;
mod surroundings;
mod switchboard;
#[cfg(test)]
mod testing;
mod udp;

pub use broadcast::announce;
pub use error::NetworkError;
pub use publisher::{Snapshot, Told, Work};
pub use running::{Handle, Running};
pub use settings::{BlocksPort, Ports, Settings};
