//! [`Interrupt`]: Ctrl-C while a command works on the chain.

use std::ops::ControlFlow;
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use cairn_home::{Exit, Failure, Signals};

/// Whether the user or the system has asked for the end. What was asked a second time ends the
/// process at once: that loses nothing either, but a draft of a file may stay.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from here on.
    ///
    /// # Errors
    /// If the system does not let it.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let unexpected = |error: std::io::Error| {
            Failure::new(Exit::Unexpected, "system", format!("cannot listen for Ctrl-C: {error}"))
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(unexpected)?;
        let (asked, (listens, started)) = (Arc::<AtomicBool>::default(), channel());
        let flag = Arc::clone(&asked);
        let listen = move || {
            runtime.block_on(async {
                let mut signals = match Signals::listen() {
                    Ok(signals) => signals,
                    Err(error) => return drop(listens.send(Err(error))),
                };
                let _ = listens.send(Ok(()));
                signals.next().await;
                flag.store(true, Ordering::Relaxed);
                signals.next().await;
                exit(i32::from(Exit::Unexpected.code()));
            });
        };
        std::thread::Builder::new().spawn(listen).map_err(unexpected)?;
        started.recv().expect("it says how it starts").map_err(unexpected)?;
        Ok(Self(asked))
    }

    /// Whether to go on.
    pub(crate) fn check(&self) -> ControlFlow<()> {
        if self.0.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// What a command that was interrupted says: how things stand.
    pub(crate) fn failure(how_things_stand: &str) -> Failure {
        Failure::new(Exit::Unexpected, "interrupted", format!("interrupted: {how_things_stand}"))
    }
}
