//! A miner as a process, read by its events.

use serde_json::Value;

use crate::home::text;
use crate::process::Process;
use crate::wait::{wait_for, wait_until};

/// A running miner.
pub struct Miner {
    process: Process,
}

impl Miner {
    /// The miner that runs as this process, started with `--json`.
    pub fn of(process: Process) -> Self {
        Self { process }
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// The process alone.
    pub fn into_process(self) -> Process {
        self.process
    }

    /// Waits until its log says why it has ended the link to this address.
    pub fn wait_for_end_of_link(&self, remote: &str) -> String {
        let ends = [format!("link to {remote} ends: "), format!("cutting off {remote}: ")];
        wait_for(&format!("the end of the link to {remote}"), || {
            let mut lines = self.process.stderr().into_iter();
            lines.find(|line| ends.iter().any(|end| line.contains(end)))
        })
    }

    /// All events so far.
    pub fn events(&self) -> Vec<Value> {
        let parse = |line: String| {
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
        };
        self.process.stdout().into_iter().map(parse).collect()
    }

    /// The events of a kind so far.
    pub fn events_of(&self, kind: &str) -> Vec<Value> {
        self.events().into_iter().filter(|event| event["event"] == kind).collect()
    }

    /// Waits for the first event of a kind.
    pub fn wait_for_event(&self, kind: &str) -> Value {
        let what = format!("the event {kind}; stderr: {:?}", self.process.stderr());
        wait_for(&what, || self.events_of(kind).into_iter().next())
    }

    /// Waits for a warning with this code.
    pub fn wait_for_warning(&self, code: &str) -> Value {
        wait_for(&format!("the warning {code}"), || {
            self.events_of("warning").into_iter().find(|event| event["code"] == code)
        })
    }

    /// Waits until it has mined so many blocks since it started.
    pub fn wait_for_mined(&self, blocks: usize) {
        wait_until("mined blocks", || self.events_of("block_mined").len() >= blocks);
    }

    /// Waits until its tip is at least that high.
    pub fn wait_for_height(&self, height: u64) {
        wait_until("a height", || self.tip().0 >= height);
    }

    /// Height and hash of its tip, as its events tell it.
    pub fn tip(&self) -> (u64, String) {
        let events = self.events();
        let moved = events.iter().rev().find(|event| {
            let kind = event["event"].as_str().expect("an event has a kind");
            ["started", "block_mined", "block_adopted", "reorg"].contains(&kind)
        });
        let event = moved.expect("it has started");
        let hash = if event["event"] == "started" { &event["tip"] } else { &event["hash"] };
        (event["height"].as_u64().expect("a height"), text(hash))
    }

    /// Where it serves blocks, as `--peer` takes it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.wait_for_event("started")["blocks_port"])
    }
}
