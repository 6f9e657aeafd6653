//! How a node gets the chain with the most work: headers first, then the bodies they commit to.

mod bodies;
mod deferred;
mod headers;
mod reach;
mod window;

pub(crate) use deferred::Deferred;
pub(crate) use reach::Reach;
pub(crate) use window::Window;
