//! [`StageLine`]: how far a command over a whole chain is, in one line on a terminal.

use std::time::Duration;

use cairn_home::{Output, Pace, ProgressLine};
use cairn_ledger::{Progress, Stage};

/// A time as results give it, to the millisecond.
pub(crate) fn seconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1000.0).round() / 1000.0
}

/// The line, whose pace is that of the stage that runs.
pub(crate) struct StageLine {
    line: ProgressLine,
    stage: Option<(Stage, Pace)>,
}

impl StageLine {
    /// The line, where somebody reads along: not with `--quiet`, nor beside JSON.
    pub(crate) fn on_stderr(output: Output) -> Self {
        Self { line: ProgressLine::on_stderr(output), stage: None }
    }

    pub(crate) fn show(&mut self, progress: Progress) {
        let pace = match self.stage {
            Some((stage, pace)) if stage == progress.stage => pace,
            _ => Pace::from(progress.done),
        };
        self.stage = Some((progress.stage, pace));
        self.line.show(|| {
            text(
                progress,
                pace.per_second(progress.done),
                &pace.left(progress.done, progress.total),
            )
        });
    }
}

fn text(Progress { stage, done, total }: Progress, rate: u64, left: &str) -> String {
    let name = match stage {
        Stage::Headers => "headers",
        Stage::Bodies => "bodies",
        Stage::Blocks => "blocks",
        Stage::Accounts => "accounts",
        Stage::File => return "the pages of the file".to_owned(),
    };
    format!("{name}: {done} of {total}, {rate} a second{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_rate_and_remaining_time() {
        let progress = Progress { stage: Stage::Blocks, done: 3_000, total: 10_000 };
        let line = "blocks: 3000 of 10000, 1500 a second, 4 s left";
        assert_eq!(text(progress, 1_500, ", 4 s left"), line);
        let file = Progress { stage: Stage::File, done: 0, total: 1 };
        assert_eq!(text(file, 0, ""), "the pages of the file");
    }
}
