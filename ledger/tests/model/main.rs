//! The ledger against a naive model of it.

mod found;
#[allow(dead_code, reason = "the other tests use the rest of it")]
#[path = "../ledger/kit.rs"]
mod kit;
