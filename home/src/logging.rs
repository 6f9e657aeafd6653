//! Logging on stderr.

use std::io::{self, IsTerminal};

use tracing_subscriber::filter::LevelFilter;

use crate::args::CommonArgs;

/// Starts logging: warnings, with `-v` what happens, with `-vv` all, with `-q` errors only. With
/// `--json`, where stderr holds JSON only, nothing unless `-v` asks for it.
pub fn start(args: &CommonArgs) {
    let colour = io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let subscriber = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(colour)
        .with_target(false)
        .with_max_level(level(args))
        .finish();
    // Fails only if logging was started before, which tests in one process do.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

fn level(args: &CommonArgs) -> LevelFilter {
    match args.verbose {
        0 if args.json => LevelFilter::OFF,
        0 if args.quiet => LevelFilter::ERROR,
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flag_has_its_level() {
        let level = |json, quiet, verbose| {
            level(&CommonArgs { json, verbose, quiet, ..CommonArgs::default() })
        };
        assert_eq!(level(false, false, 0), LevelFilter::WARN);
        assert_eq!(level(false, true, 0), LevelFilter::ERROR);
        assert_eq!(level(true, false, 0), LevelFilter::OFF);
        assert_eq!(level(true, false, 1), LevelFilter::INFO);
        assert_eq!(level(false, false, 3), LevelFilter::DEBUG);
    }
}
