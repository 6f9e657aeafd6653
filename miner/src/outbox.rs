//! Repeats the payments of this data directory until a block holds them.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Instant;

use cairn_home::Repeater;
use cairn_home::repeater::POLL_INTERVAL;
use cairn_network::Handle;
use cairn_protocol::Network;

/// A thread that reads the outbox; it ends when this is dropped.
pub(crate) struct OutboxThread(#[expect(dead_code, reason = "dropped, not used")] mpsc::Sender<()>);

impl OutboxThread {
    /// Starts it.
    pub(crate) fn start(repeater: Repeater, network: Network, node: Handle) -> Self {
        let (owner, dropped) = mpsc::channel();
        std::thread::Builder::new()
            .name("outbox".to_owned())
            .spawn(move || repeat(repeater, &network, &node, &dropped))
            .expect("the system allows one more thread at the start of a program");
        Self(owner)
    }
}

fn repeat(mut repeater: Repeater, network: &Network, node: &Handle, dropped: &Receiver<()>) {
    let mut last_trouble = None;
    loop {
        match repeater.due(Instant::now(), network) {
            Ok(payments) => payments.into_iter().for_each(|payment| node.submit(payment)),
            Err(error) => {
                let trouble = Some(error.to_string());
                if trouble != last_trouble {
                    tracing::warn!("payments made here are not repeated for now: {error}");
                    last_trouble = trouble;
                }
            }
        }
        match dropped.recv_timeout(POLL_INTERVAL) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
