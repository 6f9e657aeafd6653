//! [`ProgressLine`]: how far something is that takes long, in one line on a terminal.
//!
//! The line is written on stderr and over itself, and only where somebody reads along: on a terminal,
//! and neither with `--quiet` nor beside JSON. Whatever else is printed takes it away first ([`wipe`]).

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::output::Output;

/// How long a line stays at least; what is done before that shows none.
const PAUSE: Duration = Duration::from_millis(200);
/// Back to the beginning of the line, and clear it.
const CLEAR: &str = "\r\x1b[K";

/// Whether a line stands on the terminal, of which a process has but one.
static STANDS: AtomicBool = AtomicBool::new(false);

/// Takes away the line that stands on the terminal, if there is one.
pub fn wipe() {
    if STANDS.swap(false, Ordering::Relaxed) {
        // A line that cannot be taken away is no reason to fail.
        let _ = write_stderr(CLEAR);
    }
}

/// The line; taken away when it is dropped.
#[derive(Debug)]
pub struct ProgressLine {
    shown: bool,
    next: Instant,
}

impl ProgressLine {
    /// The line of a run with this output.
    pub fn on_stderr(output: Output) -> Self {
        let shown = io::stderr().is_terminal() && !output.is_quiet() && !output.is_json();
        Self { shown, next: Instant::now() + PAUSE }
    }

    /// Whether there is anybody to read it, and it is time to write it anew.
    pub fn is_due(&self) -> bool {
        self.shown && Instant::now() >= self.next
    }

    /// Writes the line anew, unless that was done just now.
    pub fn show(&mut self, text: impl FnOnce() -> String) {
        if !self.is_due() {
            return;
        }
        self.next = Instant::now() + PAUSE;
        // A line that cannot be written is not written again.
        self.shown = write_stderr(&format!("{CLEAR}{}", text())).is_ok();
        STANDS.store(self.shown, Ordering::Relaxed);
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.shown {
            wipe();
        }
    }
}

fn write_stderr(text: &str) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    stderr.write_all(text.as_bytes())?;
    stderr.flush()
}

/// How fast something comes on that is counted.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    begin: Instant,
    first: u64,
}

impl Pace {
    /// The pace from now on, where so many are done.
    pub fn from(first: u64) -> Self {
        Self { begin: Instant::now(), first }
    }

    /// How many are done in a second, now that so many are done.
    pub fn per_second(&self, done: u64) -> u64 {
        per_second(done.saturating_sub(self.first), self.begin.elapsed())
    }

    /// How long the rest takes at this pace, as the end of a line: ", 7 s left". Empty where there is
    /// no pace yet.
    pub fn left(&self, done: u64, total: u64) -> String {
        left(total.saturating_sub(done), self.per_second(done))
    }
}

fn per_second(done: u64, span: Duration) -> u64 {
    let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    done.saturating_mul(1_000).checked_div(millis).unwrap_or_default()
}

fn left(rest: u64, rate: u64) -> String {
    match rest.checked_div(rate) {
        None => String::new(),
        Some(seconds @ 0..120) => format!(", {seconds} s left"),
        Some(seconds @ 120..7_200) => format!(", {} min left", seconds / 60),
        Some(seconds) => format!(", {} h left", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::CommonArgs;

    #[test]
    fn the_rest_is_told_in_its_largest_unit() {
        assert_eq!(per_second(3_000, Duration::from_secs(2)), 1_500);
        assert_eq!(per_second(3_000, Duration::ZERO), 0);
        assert_eq!(left(7_000, 1_500), ", 4 s left");
        assert_eq!([left(0, 1), left(7, 0)], [", 0 s left", ""]);
        assert_eq!([left(120, 1), left(7_200, 1)], [", 2 min left", ", 2 h left"]);
    }

    #[test]
    fn what_was_done_before_does_not_count_for_the_pace() {
        let begin = Instant::now().checked_sub(Duration::from_secs(10)).expect("a clock");
        let pace = Pace { begin, first: 1_000 };
        assert!((90..=100).contains(&pace.per_second(2_000)), "{}", pace.per_second(2_000));
        assert_eq!(pace.per_second(500), 0);
    }

    #[test]
    fn nothing_is_shown_where_nobody_wants_it() {
        for args in [
            CommonArgs { quiet: true, ..CommonArgs::default() },
            CommonArgs { json: true, ..CommonArgs::default() },
        ] {
            let mut line = ProgressLine::on_stderr(Output::new(&args));
            line.next = Instant::now();
            line.show(|| unreachable!("nobody reads it"));
            assert!(!line.is_due());
        }
    }
}
