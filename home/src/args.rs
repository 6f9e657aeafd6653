//! The options that both programs take, and how a command line is read.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Args, Parser};

use crate::config::check_peer;
use crate::failure::{Exit, Failure};

/// Options of both programs, before or after a subcommand.
#[derive(Args, Clone, Debug, Default)]
pub struct CommonArgs {
    /// The configuration file [default: ./config.toml, else the user's, else built-in values]
    #[arg(long, value_name = "FILE", env = "CAIRN_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// Where keys and chains are kept [default: the user's data folder]
    #[arg(long, value_name = "DIR", env = "CAIRN_DATA_DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// Sets one key of the configuration, such as rules.difficulty=18 (may be repeated)
    #[arg(long, value_name = "KEY=VALUE", global = true, action = ArgAction::Append)]
    pub set: Vec<String>,
    /// Writes results and errors as JSON, one object a line
    #[arg(long, global = true)]
    pub json: bool,
    /// Logs more on stderr (-vv: still more)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Writes no notes and logs only errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// Options of the commands that talk to other nodes. They add to `[network]` of the configuration.
#[derive(Args, Clone, Debug, Default)]
pub struct NetworkArgs {
    /// Talks to the local network, not only to this machine
    #[arg(long)]
    pub lan: bool,
    /// Links to this node, named by its blocks port (may be repeated)
    #[arg(long = "peer", value_name = "HOST:PORT", value_parser = check_peer)]
    pub peers: Vec<String>,
}

/// The command line of this process.
///
/// # Errors
/// The code to exit with, after help, version or error were printed.
pub fn parse<P: Parser>() -> Result<P, ExitCode> {
    P::try_parse_from(gather_settings(std::env::args_os())).map_err(|error| {
        let json = std::env::args_os().any(|argument| argument == "--json");
        if json && error.use_stderr() {
            return Failure::from(error).report(json);
        }
        // Nothing can be said where not even an error can be printed.
        let _ = error.print();
        if error.use_stderr() { ExitCode::from(Exit::Usage.code()) } else { ExitCode::SUCCESS }
    })
}

/// The same command line with each `--set` moved to its start, in order. Where an option stands
/// both before and after a subcommand, clap forgets the former, and settings are to add up.
fn gather_settings(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments = arguments.peekable();
    let mut gathered: Vec<_> = arguments.next().into_iter().collect();
    let mut rest = Vec::new();
    while let Some(argument) = arguments.next_if(|argument| argument != "--") {
        let value = arguments.next_if(|_| argument == "--set");
        if value.is_some() || argument.to_string_lossy().starts_with("--set=") {
            gathered.push(argument);
            gathered.extend(value);
        } else {
            rest.push(argument);
        }
    }
    gathered.extend(rest);
    gathered.extend(arguments);
    gathered
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        let text = error.render().to_string();
        let message = text.trim().trim_start_matches("error: ");
        Self::new(Exit::Usage, "usage", message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        common: CommonArgs,
        #[command(subcommand)]
        command: Command,
    }

    #[derive(Debug, clap::Subcommand)]
    enum Command {
        Go(NetworkArgs),
    }

    fn parsed(line: &str) -> Result<Program, clap::Error> {
        Program::try_parse_from(gather_settings(line.split(' ').map(OsString::from)))
    }

    #[test]
    fn options_stand_before_or_after_the_command() {
        for line in [
            "program --data-dir d --config c --set a.b=1 --json -vv go",
            "program go --data-dir d --config c --set a.b=1 --json -vv",
        ] {
            let common = parsed(line).expect(line).common;
            assert_eq!(common.data_dir, Some("d".into()), "{line}");
            assert_eq!(common.config, Some("c".into()), "{line}");
            assert_eq!(common.set, ["a.b=1"], "{line}");
            assert!(common.json, "{line}");
            assert_eq!(common.verbose, 2, "{line}");
        }
    }

    #[test]
    fn lists_grow_with_each_mention() {
        let program =
            parsed("program --set a=1 go --set=b=2 --peer h:1 --peer h:2 --lan --set c=3");
        let Program { common, command: Command::Go(network) } = program.expect("valid");
        assert_eq!(common.set, ["a=1", "b=2", "c=3"]);
        assert_eq!(network.peers, ["h:1", "h:2"]);
        assert!(network.lan);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for line in [
            "program go -q -v",
            "program go --peer h",
            "program go --peer h:0",
            "program go --set",
            "program go -- --set a=1",
        ] {
            let failure = Failure::from(parsed(line).expect_err(line));
            assert_eq!(failure.exit(), Exit::Usage, "{line}");
        }
    }
}
