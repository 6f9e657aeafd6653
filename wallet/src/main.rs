//! The wallet: makes addresses, shows balances, pays, keeps a copy of the chain, and backs up.

#![forbid(unsafe_code)]

mod attendant;
mod backup;
mod blocks;
#[cfg(test)]
#[path = "../tests/cli/chain.rs"]
mod chain;
mod claims;
mod cli;
mod confirm;
mod context;
#[cfg(test)]
mod fixture;
mod follow;
mod funds;
mod history;
mod index;
mod list_addresses;
mod new_address;
mod order;
mod overtaken;
mod restore;
mod send;
mod sync;
mod table;

use std::future::Future;
use std::process::ExitCode;

use cairn_home::{Exit, Failure, args, logging, size_limit};

use cli::{Cli, Command};
use context::Context;

fn main() -> ExitCode {
    let cli: Cli = match args::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    logging::start(&cli.common);
    size_limit::make_an_error();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(cli.common.json),
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let context = Context::load(&cli.common)?;
    match &cli.command {
        Command::NewAddress(args) => new_address::run(&context, args),
        Command::ListAddresses => list_addresses::run(&context),
        Command::History(args) => history::run(&context, args),
        Command::Send(args) => block_on(send::run(&context.with_network_args(&args.network), args)),
        Command::Backup(args) => backup::run(&context, args),
        Command::Restore(args) => restore::run(&context, args),
        Command::Sync(args) => block_on(sync::run(&context.with_network_args(&args.network), args)),
    }
}

/// Runs what talks to other nodes.
fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        Failure::new(Exit::Unexpected, "runtime", format!("cannot start threads: {error}"))
    })?;
    runtime.block_on(work)
}
