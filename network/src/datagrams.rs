//! Hearing broadcasts: decode, leave out our own, and pass on without waiting. Nothing is verified
//! here and nothing is answered: a datagram's source can be forged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cairn_node::Origin;
use cairn_protocol::limits::MAX_DATAGRAM_BYTES;
use cairn_protocol::messages::{Announcement, Datagram, InstanceId, Status};
use tokio::net::UdpSocket;
use tokio::time::sleep;

use crate::inbox::Incoming;
use crate::limits::MIN_PEER_PORT;
use crate::surroundings::Surroundings;

/// What a port is for. A message on the other port is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Status,
    Transactions,
}

/// How long to wait after the system failed to receive, so that a lasting failure costs nothing.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// One ear of a node.
pub(crate) struct Listener {
    pub(crate) channel: Channel,
    /// Whether to hear others than this host's processes.
    pub(crate) lan: bool,
    pub(crate) instance: InstanceId,
    pub(crate) around: Arc<Surroundings>,
}

impl Listener {
    /// Hears what comes, for ever.
    pub(crate) async fn listen(self, socket: UdpSocket) {
        // One byte more than any datagram of ours, to tell those that are longer.
        let mut buffer = [0; MAX_DATAGRAM_BYTES + 1];
        loop {
            match socket.recv_from(&mut buffer).await {
                Ok((length, source)) => self.hear(&buffer[..length], source),
                Err(error) => {
                    tracing::debug!("nothing received: {error}");
                    sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    fn hear(&self, bytes: &[u8], source: SocketAddr) {
        // A multicast socket hears the local network even if nobody asked for it.
        if !self.lan && !source.ip().is_loopback() {
            return;
        }
        let Datagram { network, announcement, .. } = match Datagram::decode(bytes) {
            Ok(datagram) => datagram,
            Err(error) => {
                tracing::debug!("from {source}: {error}");
                return;
            }
        };
        let ours = network == self.around.network.id();
        let incoming = match (self.channel, announcement) {
            (Channel::Status, Announcement::Status(status)) if status.instance != self.instance => {
                let Some(address) = server_address(source, &status) else { return };
                if ours {
                    Incoming::Heard { address, status }
                } else {
                    Incoming::Foreign { address, network }
                }
            }
            (Channel::Status, Announcement::Solicit { instance, .. })
                if ours && instance != self.instance =>
            {
                Incoming::Solicited
            }
            (Channel::Transactions, Announcement::Transaction(transaction)) if ours => {
                self.around.intake.offer(Origin::Broadcast, transaction);
                return;
            }
            _ => return,
        };
        // Lossy by contract: what the driver has no room for will be said again.
        let _ = self.around.inbox.try_send(incoming);
    }
}

/// Where the sender of a status can be asked: at the source of its datagram, and nowhere else.
fn server_address(source: SocketAddr, status: &Status) -> Option<SocketAddr> {
    let port = status.blocks_port;
    (port >= MIN_PEER_PORT).then(|| SocketAddr::new(source.ip(), port))
}

#[cfg(test)]
mod tests {
    use cairn_protocol::{NetworkId, Transaction};
    use tokio::sync::mpsc;

    use super::*;
    use crate::intake::Candidate;
    use crate::testing::{network, payment, status, surroundings};

    struct Ears {
        listener: Listener,
        incoming: mpsc::Receiver<Incoming>,
        candidates: mpsc::Receiver<Candidate>,
    }

    fn ears(channel: Channel, lan: bool) -> Ears {
        let (around, incoming, candidates) = surroundings();
        let instance = status(1, 0).instance;
        let listener = Listener { channel, lan, instance, around: Arc::new(around) };
        Ears { listener, incoming, candidates }
    }

    impl Ears {
        fn hear(&mut self, source: &str, announcement: Announcement) -> Option<Incoming> {
            self.hear_of(network().id(), source, announcement)
        }

        fn hear_of(
            &mut self,
            network: NetworkId,
            source: &str,
            announcement: Announcement,
        ) -> Option<Incoming> {
            let bytes = Datagram::new(network, announcement).encode();
            self.listener.hear(&bytes, source.parse().expect("an address"));
            self.incoming.try_recv().ok()
        }
    }

    fn a_status(instance: u8, port: u16) -> Announcement {
        Announcement::Status(status(instance, port))
    }

    const HERE: &str = "127.0.0.1:5000";

    #[test]
    fn rule_d5_a_status_leads_to_the_datagrams_source_and_to_no_low_port() {
        let mut ears = ears(Channel::Status, true);
        let heard = ears.hear("192.0.2.9:5000", a_status(2, 2_607));
        let Some(Incoming::Heard { address, .. }) = heard else { panic!("{heard:?}") };
        assert_eq!(address, "192.0.2.9:2607".parse().expect("an address"));
        for port in [0, 22, 80, 1_023] {
            assert!(ears.hear(HERE, a_status(2, port)).is_none(), "{port}");
        }
        assert!(ears.hear(HERE, a_status(2, 1_024)).is_some());
    }

    /// A forger writes any source, but what a status names cannot be elsewhere.
    #[test]
    fn attack_09_no_status_leads_to_a_third_party_or_to_another_service() {
        let mut ears = ears(Channel::Status, true);
        for port in (0..=u16::MAX).step_by(31).chain(1_020..1_030) {
            let led_to = match ears.hear("192.0.2.9:53", a_status(2, port)) {
                Some(Incoming::Heard { address, .. }) => Some(address),
                other => other.map(|told| panic!("{told:?}")),
            };
            let source = "192.0.2.9".parse().expect("an address");
            let expected = (port >= 1_024).then_some(SocketAddr::new(source, port));
            assert_eq!(led_to, expected);
        }
    }

    #[test]
    fn rule_d2_our_own_voice_is_not_heard() {
        let mut ears = ears(Channel::Status, false);
        let [own, other] = [1, 2].map(|instance| status(instance, 0).instance);
        assert!(ears.hear(HERE, a_status(1, 2_607)).is_none());
        assert!(ears.hear(HERE, a_status(2, 2_607)).is_some());
        assert!(ears.hear(HERE, Announcement::solicit(own)).is_none());
        let solicited = ears.hear(HERE, Announcement::solicit(other));
        assert!(matches!(solicited, Some(Incoming::Solicited)));
    }

    #[test]
    fn what_belongs_on_the_other_port_is_not_heard() {
        let transaction: Transaction = payment(&network(), 1, 0);
        let mut status_ears = ears(Channel::Status, false);
        status_ears.hear(HERE, Announcement::Transaction(transaction.clone()));
        assert!(status_ears.candidates.try_recv().is_err());
        let mut payment_ears = ears(Channel::Transactions, false);
        assert!(payment_ears.hear(HERE, a_status(2, 2_607)).is_none());
        assert!(payment_ears.hear(HERE, Announcement::Transaction(transaction)).is_none());
        assert!(payment_ears.candidates.try_recv().is_ok());
    }

    #[test]
    fn rule_d3_other_networks_are_told_apart() {
        let mut status_ears = ears(Channel::Status, false);
        let foreign = NetworkId([9; 32]);
        let heard = status_ears.hear_of(foreign, HERE, a_status(2, 2_607));
        assert!(matches!(heard, Some(Incoming::Foreign { network, .. }) if network == foreign));
        let solicit = Announcement::solicit(status(2, 0).instance);
        assert!(status_ears.hear_of(foreign, HERE, solicit).is_none());
        let mut payment_ears = ears(Channel::Transactions, false);
        let transaction = Announcement::Transaction(payment(&network(), 1, 0));
        payment_ears.hear_of(foreign, HERE, transaction);
        assert!(payment_ears.candidates.try_recv().is_err());
    }

    #[test]
    fn without_lan_only_this_host_is_heard() {
        let far = "192.0.2.9:5000";
        assert!(ears(Channel::Status, false).hear(far, a_status(2, 2_607)).is_none());
        assert!(ears(Channel::Status, true).hear(far, a_status(2, 2_607)).is_some());
    }

    #[test]
    fn a_flood_overflows_a_bounded_queue() {
        let ears = ears(Channel::Status, false);
        let bytes = Datagram::new(network().id(), a_status(2, 2_607)).encode();
        for _ in 0..2 * crate::limits::MAX_WAITING_MESSAGES {
            ears.listener.hear(&bytes, HERE.parse().expect("an address"));
        }
        assert_eq!(ears.incoming.len(), crate::limits::MAX_WAITING_MESSAGES);
    }

    #[test]
    fn rule_d1_junk_is_nothing() {
        let mut ears = ears(Channel::Status, false);
        for junk in [&b""[..], b"CRN", &[0; MAX_DATAGRAM_BYTES + 1], b"CRN\x01\x01\x00junk"] {
            ears.listener.hear(junk, HERE.parse().expect("an address"));
        }
        assert!(ears.incoming.try_recv().is_err());
    }
}
