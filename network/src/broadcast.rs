//! Saying something to all: by loopback broadcast and, with `lan`, to the local networks.

use cairn_protocol::messages::{Announcement, Datagram};
use cairn_protocol::{Network, NetworkId, Transaction};
use tokio::time::Instant;

use crate::error::NetworkError;
use crate::interfaces::Interfaces;
use crate::settings::Settings;
use crate::udp::Sender;

/// The voice of a node.
#[derive(Debug)]
pub(crate) struct Broadcast {
    pub(crate) network: NetworkId,
    pub(crate) status: Sender,
    pub(crate) transactions: Sender,
    pub(crate) lan: bool,
}

impl Broadcast {
    /// Says it on the port that it belongs to. Returns whether the system took it.
    pub(crate) fn say(&self, announcement: Announcement, interfaces: &Interfaces) -> bool {
        let sender = match announcement {
            Announcement::Status(_) | Announcement::Solicit { .. } => &self.status,
            Announcement::Transaction(_) => &self.transactions,
        };
        let lan = if self.lan { interfaces.broadcast() } else { &[] };
        sender.send(&Datagram::new(self.network, announcement).encode(), lan)
    }
}

/// Broadcasts one transaction without running a node, to whoever follows the chain on this host
/// (and, with [`Settings::lan`], on the local networks). What is sent may be lost, and nobody
/// answers. Static peers are not reached: that takes a node with links. Port 0 reaches nobody.
///
/// # Errors
/// [`NetworkError`] if the system gives no socket.
pub fn announce(
    network: &Network,
    settings: &Settings,
    transaction: &Transaction,
) -> Result<(), NetworkError> {
    let port = settings.transactions_port;
    let sender = Sender::to_port(port).map_err(|source| NetworkError::Socket {
        what: "transactions",
        port,
        source,
    })?;
    let announcement = Announcement::Transaction(transaction.clone());
    let datagram = Datagram::new(network.id(), announcement).encode();
    let interfaces = settings.lan.then(|| Interfaces::read(Instant::now()));
    sender.send(&datagram, interfaces.as_ref().map_or(&[], Interfaces::broadcast));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::{network, payment, settings};
    use crate::udp::BroadcastSocket;

    #[tokio::test]
    async fn an_announced_transaction_is_heard() {
        let free = BroadcastSocket::bind("transactions", 0, false).expect("a free port").port();
        let listener = BroadcastSocket::bind("transactions", free, false).expect("shared");
        let (_, socket) = listener.split().expect("a socket");
        let transaction = payment(&network(), 1, 0);
        announce(&network(), &settings(free), &transaction).expect("sent");
        let mut buffer = [0; 2_000];
        let wait = tokio::time::timeout(Duration::from_secs(5), socket.recv_from(&mut buffer));
        let (length, _) = wait.await.expect("in time").expect("received");
        let heard = Datagram::decode(&buffer[..length]).expect("a datagram");
        assert_eq!(heard.announcement, Announcement::Transaction(transaction));
    }
}
