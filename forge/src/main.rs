//! The command `forge`: writes a chain for tests and benchmarks into a data directory.

#![forbid(unsafe_code)]

mod command;

use std::process::ExitCode;

use cairn_home::args;

use command::Cli;

fn main() -> ExitCode {
    let cli: Cli = match args::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match command::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(cli.json),
    }
}
