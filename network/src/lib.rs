//! Runs a pure [`cairn_node::Node`] on real sockets, clocks and threads: broadcasts by UDP, links
//! by TCP.
//!
//! [`Running::start`] takes a ledger and [`Settings`]; a [`Handle`] reaches the node from then on.
//! One thread owns the node and all tables (the driver); tasks around it read, write, verify and
//! serve, and report to its bounded queue. The driver never waits for them: what it wants done goes
//! into bounded queues too, and whoever does not keep up loses its link.
//!
//! ```text
//!  UDP -- datagrams --+------------------- status ------------------+
//!                     +-- transaction -- intake (verified in batches)-+--> driver: node + switchboard
//!  TCP -- link -------+-- status, questions, verified answers -------+         |            |
//!          |   ^                                                               |            |
//!          |   +------------------------- commands ----------------------------+        publisher
//!          +-- server: headers and blocks, from the chain's readers               (programs, engine)
//! ```
//!
//! | file | job |
//! |---|---|
//! | `running`, `launch`, `resume` | what programs hold; how it starts, with what waited before |
//! | `driver`, `publisher`, `work` | the node's thread; what it lets the program know, and the engine do |
//! | `switchboard` | turns what happens into the node's inputs, and does what the node wants |
//! | `peers`, `links`, `asks` | its tables: who is where, which links stand, what is asked |
//! | `dials`, `statics`, `foreign`, `slots` | whom we connect to, and who may connect to us |
//! | `connect`, `handshake`, `link`, `link_tasks`, `frames`, `questions` | one link, from its first byte to its last |
//! | `server`, `answers` | others' questions about the chain; checks of the answers to ours |
//! | `datagrams`, `intake`, `seen`, `known` | what is heard by broadcast, and the way of a transaction |
//! | `udp`, `broadcast`, `interfaces`, `sockets` | sockets and where to send |

#![forbid(unsafe_code)]

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
mod known;
mod launch;
mod link;
mod link_tasks;
mod links;
mod peers;
mod publisher;
mod questions;
mod resume;
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
mod work;

pub use broadcast::announce;
pub use error::NetworkError;
pub use publisher::{Snapshot, Told};
pub use running::{Delivered, Handle, Running};
pub use settings::{BlocksPort, Ports, Settings};
pub use work::Work;
