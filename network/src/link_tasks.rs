//! Counts the tasks of links, so that the end of all can be waited for.

use tokio::sync::watch;

/// The number of links whose tasks have not ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinkTasks(watch::Sender<usize>);

/// Counts for one task, until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted(LinkTasks);

impl LinkTasks {
    /// Counts one more.
    pub(crate) fn enter(&self) -> Counted {
        self.0.send_modify(|count| *count += 1);
        Counted(self.clone())
    }

    /// Waits until none is left.
    pub(crate) async fn ended(&self) {
        // It fails only without a sender, and this is one.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_of_all_is_waited_for() {
        let tasks = LinkTasks::default();
        tasks.ended().await;
        let (one, two) = (tasks.enter(), tasks.enter());
        drop(one);
        let mut ending = std::pin::pin!(tasks.ended());
        tokio::select! {
            biased;
            () = &mut ending => panic!("one is left"),
            () = std::future::ready(()) => drop(two),
        }
        ending.await;
    }
}
