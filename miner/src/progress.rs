//! [`ProgressLine`]: how far a command is, in one line on a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use cairn_home::Output;
use cairn_ledger::{Progress, Stage};

/// How often the line is written anew.
const PAUSE: Duration = Duration::from_millis(200);
/// Back to the beginning of the line, and clear it.
const CLEAR: &str = "\r\x1b[K";

/// A time as results give it, to the millisecond.
pub(crate) fn seconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1000.0).round() / 1000.0
}

/// A line on stderr that is written over and over, if that is a terminal.
pub(crate) struct ProgressLine {
    shown: bool,
    stage: Option<Stage>,
    /// When this stage began.
    begin: Instant,
    last: Option<Instant>,
}

impl ProgressLine {
    /// The line, where somebody reads along: not with `--quiet`, nor beside JSON.
    pub(crate) fn on_stderr(output: Output) -> Self {
        let shown = io::stderr().is_terminal() && !output.is_quiet() && !output.is_json();
        Self { shown, stage: None, begin: Instant::now(), last: None }
    }

    pub(crate) fn show(&mut self, progress: Progress) {
        if !self.shown {
            return;
        }
        let now = Instant::now();
        if self.stage != Some(progress.stage) {
            (self.stage, self.begin, self.last) = (Some(progress.stage), now, None);
        }
        if self.last.is_none_or(|last| now - last >= PAUSE) {
            self.last = Some(now);
            self.write(&format!("{CLEAR}{}", text(progress, now - self.begin)));
        }
    }

    /// Leaves an empty line to what comes next.
    pub(crate) fn clear(&mut self) {
        if self.shown {
            self.write(CLEAR);
        }
    }

    fn write(&mut self, text: &str) {
        let mut stderr = io::stderr();
        // A line that cannot be written is not written again.
        self.shown = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()).is_ok();
    }
}

/// What the line says after so long in a stage.
fn text(progress: Progress, since: Duration) -> String {
    let Progress { stage, done, total } = progress;
    let name = match stage {
        Stage::Headers => "headers",
        Stage::Bodies => "bodies",
        Stage::Blocks => "blocks",
        Stage::Accounts => "accounts",
        Stage::File => return "the pages of the file".to_owned(),
    };
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let rate = done.saturating_mul(1000).checked_div(millis).unwrap_or_default();
    match total.saturating_sub(done).checked_div(rate) {
        Some(left) => format!("{name}: {done} of {total}, {rate} a second, {left} s left"),
        None => format!("{name}: {done} of {total}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_rate_and_remaining_time() {
        let progress = Progress { stage: Stage::Blocks, done: 3_000, total: 10_000 };
        let line = "blocks: 3000 of 10000, 1500 a second, 4 s left";
        assert_eq!(text(progress, Duration::from_secs(2)), line);
        assert_eq!(text(progress, Duration::ZERO), "blocks: 3000 of 10000");
        let all = Progress { stage: Stage::Accounts, done: 7, total: 7 };
        assert_eq!(text(all, Duration::from_secs(1)), "accounts: 7 of 7, 7 a second, 0 s left");
        let file = Progress { stage: Stage::File, done: 0, total: 1 };
        assert_eq!(text(file, Duration::from_secs(9)), "the pages of the file");
    }
}
