//! Whole nodes on loopback, with chains on disk, real sockets and real clocks.

mod delivery;
mod hostile;
mod lifecycle;
mod nodes;
mod resume;
mod support;
