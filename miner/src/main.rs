//! The miner program; see the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    cairn_miner::main()
}
