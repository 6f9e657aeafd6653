//! A hand-made peer: it speaks the protocol as the test tells it to.

use std::net::{SocketAddr, UdpSocket};

use cairn_protocol::messages::{
    Announcement, Datagram, Hello, InstanceId, Message, Status, frame, frame_length,
};
use cairn_protocol::{BlockHash, Height, Network, NetworkId, Work};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

pub(crate) fn status(instance: u8, blocks_port: u16) -> Status {
    Status {
        instance: InstanceId([instance; 16]),
        height: Height::GENESIS,
        tip: BlockHash::default(),
        work: Work::ZERO,
        blocks_port,
        clock: cairn_network::clock::now(),
    }
}

/// A status that claims more work than anybody has.
pub(crate) fn boast(instance: u8, blocks_port: u16) -> Status {
    let work = Work::from_be_bytes(&[1; 32]);
    let tip = BlockHash([instance; 32]);
    Status { work, tip, height: Height::from(1_000_000), ..status(instance, blocks_port) }
}

/// Broadcasts on this host.
pub(crate) fn broadcast(port: u16, network: NetworkId, announcement: Announcement) {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    socket.set_broadcast(true).expect("a socket");
    let datagram = Datagram::new(network, announcement).encode();
    socket.send_to(&datagram, ("127.255.255.255", port)).expect("sent");
}

/// One end of a link.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
}

impl Peer {
    /// Connects and says hello.
    pub(crate) async fn link(address: SocketAddr, network: &Network, status: Status) -> Self {
        let mut peer = Self::connect(address).await;
        peer.greet(network, status).await;
        peer
    }

    /// Connects and says nothing.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("accepted");
        stream.set_nodelay(true).expect("a socket");
        Self { stream }
    }

    pub(crate) async fn greet(&mut self, network: &Network, status: Status) -> Hello {
        let hello = Hello::new(network.rules().clone(), status);
        self.send(&Message::Hello(hello)).await;
        match self.receive().await {
            Some(Message::Hello(hello)) => hello,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn send(&mut self, message: &Message) {
        self.stream.write_all(&frame(message)).await.expect("sent");
    }

    /// The next message; `None` if the link is cut.
    pub(crate) async fn receive(&mut self) -> Option<Message> {
        let receiving = async {
            let mut prefix = [0; 4];
            self.stream.read_exact(&mut prefix).await.ok()?;
            let mut content = vec![0; frame_length(prefix).expect("a length")];
            self.stream.read_exact(&mut content).await.ok()?;
            Some(Message::decode(&content).expect("a message"))
        };
        timeout(PATIENCE, receiving).await.expect("in time")
    }

    /// The next message that `choose` names; others are passed over.
    pub(crate) async fn find<T>(&mut self, choose: impl Fn(Message) -> Option<T>) -> T {
        loop {
            let message = self.receive().await.expect("the link stands");
            if let Some(found) = choose(message) {
                return found;
            }
        }
    }

    /// Waits until the other side ends the connection; whether it had said nothing, not even hello.
    pub(crate) async fn is_turned_away(&mut self) -> bool {
        let mut said = Vec::new();
        let ended = timeout(PATIENCE, self.stream.read_to_end(&mut said)).await;
        ended.is_ok() && said.is_empty()
    }

    /// Waits until the other side ends the link.
    pub(crate) async fn is_cut_off(&mut self) -> bool {
        let mut rest = Vec::new();
        // Closed or reset, both will do.
        timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await.is_ok()
    }
}
