//! How a node gets the chain with the most work: headers first, then the bodies they commit to.

mod bodies;
mod deferred;
mod headers;

pub(crate) use bodies::Bodies;
pub(crate) use deferred::Deferred;
