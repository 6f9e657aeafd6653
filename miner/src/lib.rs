//! The miner: listens, serves, relays, and searches blocks until Ctrl-C.
//!
//! [`engine`] searches; the rest is the program around it: `start` joins data directory, chain,
//! node and engine, [`foreman`] stands between node and engine, `run` tells what happens.

#![forbid(unsafe_code)]

mod benchmark;
mod breakdowns;
mod catching_up;
mod chain;
mod check;
mod cli;
pub mod engine;
mod events;
mod export;
pub mod foreman;
mod hash_rate;
mod import;
mod interrupt;
mod outbox;
mod printer;
mod progress;
mod rebuild;
mod rests;
mod run;
mod shutdown;
mod start;
pub mod thread_time;
mod threads;
mod verifiers;

use std::process::ExitCode;
use std::time::Duration;

use cairn_home::{Exit, Failure, Output, Signals};

use cli::{Arguments, Command};
use threads::Threads;

/// How long to wait at the end for tasks that do not end by themselves.
const LAST_TASKS: Duration = Duration::from_millis(100);

/// The program: reads the command line, mines, and says how it ended.
pub fn main() -> ExitCode {
    let arguments: Arguments = match cairn_home::args::parse() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    cairn_home::logging::start(&arguments.common);
    cairn_home::size_limit::make_an_error();
    engine::keep_failures_off_stderr();
    let result = match &arguments.command {
        None => mine(&arguments),
        Some(command) => run_command(command, &arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(arguments.common.json),
    }
}

fn run_command(command: &Command, arguments: &Arguments) -> Result<(), Failure> {
    if let Some(option) = arguments.option_beside_command() {
        let message = format!("{option} is for mining; beside a command leave it out");
        return Err(Failure::new(Exit::Usage, "usage", message));
    }
    let threads = Threads::of_this_machine(arguments.threads.unwrap_or(0));
    let output = Output::new(&arguments.common);
    match command {
        Command::Benchmark => benchmark::run(threads.number(), output),
        Command::Check => check::run(arguments, threads, output),
        Command::Rebuild => rebuild::run(arguments, threads, output),
        Command::Export(to) => export::run(arguments, to, output),
        Command::Import { file } => import::run(arguments, file, threads, output),
    }
}

fn mine(arguments: &Arguments) -> Result<(), Failure> {
    let unexpected =
        |error: std::io::Error| Failure::new(Exit::Unexpected, "system", error.to_string());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(unexpected)?;
    let result = runtime.block_on(async {
        let mut signals = Signals::listen().map_err(unexpected)?;
        run::run(arguments, &mut signals).await
    });
    runtime.shutdown_timeout(LAST_TASKS);
    result
}
