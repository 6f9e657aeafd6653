//! The wallet as a process, in data directories of its own, with no other program beside it.

mod backup;
mod chain;
mod history;
mod home;
mod list_addresses;
mod new_address;
mod options;
mod overtaken;
mod peer;
mod send;
mod stranger;
mod sync;
mod transcripts;
