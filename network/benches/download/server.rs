//! The process that has the chain: this program once more, which serves until its input ends.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use cairn_ledger::Ledger;
use cairn_network::Running;

use crate::client::{runtime, settings};

/// Tells the other process what to serve.
const FOLDER: &str = "CAIRN_BENCH_FOLDER";

/// A node in a process of its own, which ends with this.
pub(crate) struct Server {
    process: Child,
    port: u16,
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut process = Command::new(program)
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut line = String::new();
        let output = process.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("it says its port");
        let port = line.trim().parse().expect("a port");
        Self { process, port }
    }

    /// Where its blocks are.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Whether this process is the server, which has served then.
pub(crate) fn serves_here() -> bool {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return false;
    };
    let ledger = Ledger::open(folder.as_ref(), &cairn_forge::network(0)).expect("a chain");
    runtime().block_on(async {
        let running = Running::start(ledger, settings(None)).await.expect("it starts");
        println!("{}", running.ports().blocks);
        let end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        let _ = end.await;
        running.stop().await;
    });
    true
}
