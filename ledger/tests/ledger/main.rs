//! What the ledger shows to its users, on disk and in memory. Numbers in brackets are those of
//! the behaviours that a robust node must show.

mod chain;
mod follow;
mod fork_choice;
mod golden;
mod killed;
mod kit;
mod memory;
mod order;
mod readers;
mod rules;
mod storage;
