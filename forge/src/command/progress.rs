//! [`Progress`]: one line on a terminal that says how far the chain is.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use cairn_protocol::Height;

use super::cli::Cli;

/// How long a line stays at least.
const PAUSE: Duration = Duration::from_millis(100);

/// The line, or nothing where stderr is no terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: bool,
    blocks: u32,
    started: Instant,
    last: Option<Instant>,
}

impl Progress {
    /// The progress towards so many blocks.
    pub(crate) fn of(blocks: u32, cli: &Cli) -> Self {
        let shown = io::stderr().is_terminal() && !cli.quiet && !cli.json;
        Self { shown, blocks, started: Instant::now(), last: None }
    }

    /// Says that the chain is that high, unless it has just said something else.
    pub(crate) fn show(&mut self, height: Height) {
        if !self.shown || self.last.is_some_and(|last| last.elapsed() < PAUSE) {
            return;
        }
        self.last = Some(Instant::now());
        let line = line(height, self.blocks, self.started.elapsed());
        // A line that nobody can read is no reason to fail.
        let _ = write!(io::stderr(), "\r{line}\x1b[K");
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if self.last.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(height: Height, blocks: u32, elapsed: Duration) -> String {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = height.get().saturating_mul(1_000) / millis;
    let percent = height.get() * 100 / u64::from(blocks);
    format!("{height} of {blocks} blocks, {percent} %, {rate} blocks/s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_and_how_fast() {
        let line = line(Height::from(250), 1_000, Duration::from_millis(500));
        assert_eq!(line, "250 of 1000 blocks, 25 %, 500 blocks/s");
    }
}
