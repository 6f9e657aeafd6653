//! [`CatchingUp`]: how far the chain is while others have a longer one, in one line on a terminal.

use cairn_home::{Output, Pace, ProgressLine, progress};
use cairn_protocol::Height;

/// From so many missing blocks on there is something to tell about.
const LONG: u64 = 100;

/// The line. Events are told as ever; the line is for whoever waits for the first of them.
pub(crate) struct CatchingUp {
    line: ProgressLine,
    /// Since the chain is far behind.
    pace: Option<Pace>,
}

impl CatchingUp {
    pub(crate) fn new(output: Output) -> Self {
        Self { line: ProgressLine::on_stderr(output), pace: None }
    }

    /// Tells how far the tip is, where the best header known stands there.
    pub(crate) fn look(&mut self, tip: Height, best: Height) {
        if best.since(tip) < LONG {
            if self.pace.take().is_some() {
                progress::wipe();
            }
            return;
        }
        let pace = *self.pace.get_or_insert_with(|| Pace::from(tip.get()));
        self.line.show(|| {
            text(pace.per_second(tip.get()), &pace.left(tip.get(), best.get()), tip, best)
        });
    }
}

fn text(rate: u64, left: &str, tip: Height, best: Height) -> String {
    format!("catching up: block {tip} of {best}, {rate} blocks/s{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_how_far_and_how_fast() {
        let line = text(500, ", 4 s left", Height::from(1_000), Height::from(3_000));
        assert_eq!(line, "catching up: block 1000 of 3000, 500 blocks/s, 4 s left");
    }
}
