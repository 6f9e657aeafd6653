//! What the ledger shows to its users, on disk and in memory.

mod archive;
mod catch_up;
mod chain;
mod check;
mod crashes;
mod damage;
mod follow;
mod fork_choice;
mod golden;
mod invalid_branches;
mod killed;
mod kit;
mod memory;
mod order;
mod payments;
mod random_damage;
mod readers;
mod rebuild;
mod reorganisations;
mod rule_book;
mod rule_order;
mod rules;
mod scan;
mod storage;
