//! Writes lines on a thread of its own, so that a terminal or pipe that nobody reads stops
//! neither the mining nor Ctrl-C.

use std::io::{ErrorKind, Write};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::time::Duration;

use cairn_home::progress;
use tokio::sync::oneshot;

/// The most lines that wait to be written; further ones are dropped.
const MAX_WAITING: usize = 1_000;

/// Where lines go.
pub(crate) struct Printer {
    lines: SyncSender<String>,
    /// Answers when the thread has ended.
    done: Receiver<()>,
}

impl Printer {
    /// Starts the thread. The receiver answers once the reader of `out` has gone.
    pub(crate) fn start(out: impl Write + Send + 'static) -> (Self, oneshot::Receiver<()>) {
        let (lines, waiting) = mpsc::sync_channel(MAX_WAITING);
        let (closed, reader_gone) = oneshot::channel();
        let (done_sender, done) = mpsc::sync_channel(1);
        std::thread::Builder::new()
            .name("printer".to_owned())
            .spawn(move || {
                write_all(&waiting, out, closed);
                // Nobody may wait for it.
                let _ = done_sender.send(());
            })
            .expect("the system allows one more thread at the start of a program");
        (Self { lines, done }, reader_gone)
    }

    /// Writes a line soon.
    pub(crate) fn print(&self, line: String) {
        match self.lines.try_send(line) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(line)) => tracing::warn!("nobody reads; dropped: {line}"),
        }
    }

    /// Waits until all is written, but not longer than this.
    pub(crate) fn finish(self, most: Duration) {
        drop(self.lines);
        // After a time-out the thread is left behind.
        let _ = self.done.recv_timeout(most);
    }
}

fn write_all(lines: &Receiver<String>, mut out: impl Write, closed: oneshot::Sender<()>) {
    for line in lines {
        progress::wipe();
        match writeln!(out, "{line}").and_then(|()| out.flush()) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                // The program may be about to end by itself.
                let _ = closed.send(());
                return;
            }
            // Such as a full disk under a log file: mining is worth more than the log.
            Err(error) => tracing::warn!("cannot write the events: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn finish_waits_for_all_lines() {
        let out = Shared::default();
        let (printer, _) = Printer::start(out.clone());
        for number in 0..100 {
            printer.print(number.to_string());
        }
        printer.finish(PATIENCE);
        let text = String::from_utf8(out.0.lock().expect("no panic").clone()).expect("text");
        let expected: Vec<_> = (0..100).map(|number| number.to_string()).collect();
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_reader_that_has_gone_is_told_and_nothing_panics() {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let (printer, gone) = Printer::start(writer);
        printer.print("to nobody".to_owned());
        assert_eq!(gone.blocking_recv(), Ok(()));
        printer.print("to nobody either".to_owned());
        printer.finish(PATIENCE);
    }

    #[test]
    fn a_reader_that_does_not_read_holds_nothing_up() {
        let (_reader, writer) = io::pipe().expect("a pipe");
        let (printer, _gone) = Printer::start(writer);
        for _ in 0..2 * MAX_WAITING {
            printer.print("x".repeat(1_000));
        }
        printer.finish(Duration::from_millis(1));
    }
}
