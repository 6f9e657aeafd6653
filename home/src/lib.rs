//! What the miner and the wallet share: command-line options, configuration, the data directory
//! with its key files and recorded payments, and the way in which errors are reported.
//!
//! A program starts with [`args::parse`], [`logging::start`], [`size_limit::make_an_error`],
//! [`Config::load`] and [`DataDir::resolve`], and ends with [`Failure::report`].

#![forbid(unsafe_code)]

pub mod args;
pub mod backup;
pub mod config;
pub mod data_dir;
pub mod failure;
pub mod files;
pub mod history;
mod key_file;
pub mod keys;
pub mod logging;
pub mod mempool_file;
pub mod miner_lock;
pub mod outbox;
pub mod output;
pub mod party;
pub mod progress;
pub mod repeater;
pub mod signals;
pub mod size_limit;

pub use args::{CommonArgs, NetworkArgs};
pub use backup::Backup;
pub use config::{Config, ConfigError};
pub use data_dir::DataDir;
pub use failure::{Exit, Failure};
pub use files::Draft;
pub use history::History;
pub use keys::{KeyError, KeyName, KeyStore};
pub use mempool_file::MempoolFile;
pub use miner_lock::MinerLock;
pub use outbox::{Fate, Outbox, OutboxError, Undecided};
pub use output::Output;
pub use party::Party;
pub use progress::{Pace, ProgressLine};
pub use repeater::Repeater;
pub use signals::Signals;
