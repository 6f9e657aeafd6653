//! A process whose output is read while it runs, and which does not outlive its test.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::wait::{wait_for, wait_until};

/// The last lines of a process that are shown if its test fails.
const SHOWN_LINES: usize = 30;

/// A running process.
pub struct Process {
    child: Child,
    described: String,
    stdout: Reader,
    stderr: Reader,
}

/// What a process has read and written, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// By reading calls.
    pub read: u64,
    /// By writing calls.
    pub written: u64,
}

/// Reads the lines of a pipe on its own thread.
struct Reader {
    lines: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    fn start(pipe: impl Read + Send + 'static) -> Self {
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let target = Arc::clone(&lines);
        let thread = std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                target.lock().expect("no reader panics").push(line);
            }
        });
        Self { lines, thread: Some(thread) }
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("no reader panics").clone()
    }

    /// All lines of a process that has ended.
    fn finish(&mut self) -> Vec<String> {
        if let Some(thread) = self.thread.take() {
            thread.join().expect("reading does not panic");
        }
        self.lines()
    }
}

impl Process {
    /// Starts a command, with nothing to read on its stdin.
    pub fn start(command: &mut Command) -> Self {
        let described = format!("{command:?}");
        let spawned =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{described}: {error}"));
        let stdout = Reader::start(child.stdout.take().expect("piped"));
        let stderr = Reader::start(child.stderr.take().expect("piped"));
        Self { child, described, stdout, stderr }
    }

    /// Its number in the system.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The lines on stdout so far.
    pub fn stdout(&self) -> Vec<String> {
        self.stdout.lines()
    }

    /// The lines on stderr so far.
    pub fn stderr(&self) -> Vec<String> {
        self.stderr.lines()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        self.status().is_none()
    }

    /// Waits for a line on stderr that contains the text.
    pub fn wait_for_stderr(&self, text: &str) -> String {
        wait_for(&format!("{text:?} on stderr of {}", self.described), || {
            self.stderr().into_iter().find(|line| line.contains(text))
        })
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it has not been waited for");
    }

    /// Waits for its end; all its output, by lines, stays readable.
    pub fn wait(&mut self) -> ExitStatus {
        let what = format!("the end of {}", self.described);
        let status = wait_for(&what, || self.status());
        self.stdout.finish();
        self.stderr.finish();
        status
    }

    /// Waits for its end, and tells how much it read and wrote by then: files, pipes, all.
    pub fn wait_for_traffic(&mut self) -> Traffic {
        // The system keeps the account of a process that has ended until somebody waits for it.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let ended = waitid(WaitId::Pid(Pid::from_child(&self.child)), options);
        ended.expect("our own child");
        let account = format!("/proc/{}/io", self.child.id());
        let account = std::fs::read_to_string(account).expect("Linux counts it");
        let bytes = |name: &str| {
            let line = account.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|number| number.trim().parse().ok()).expect("a number")
        };
        Traffic { read: bytes("rchar:"), written: bytes("wchar:") }
    }

    /// Sends a signal, waits for its end and returns with how it ended.
    pub fn end_by(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.wait()
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        wait_until("the end of a killed process", || self.status().is_some());
    }

    fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("our own child")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            self.show();
        }
    }
}

impl Process {
    /// What it said last, for whoever looks into a failed test.
    #[expect(clippy::print_stderr, reason = "a test's output is where it belongs")]
    fn show(&self) {
        eprintln!("--- {}", self.described);
        for (name, lines) in [("stdout", self.stdout()), ("stderr", self.stderr())] {
            for line in lines.iter().skip(lines.len().saturating_sub(SHOWN_LINES)) {
                eprintln!("{name}: {line}");
            }
        }
    }
}
