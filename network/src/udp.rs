//! The broadcast sockets.
//!
//! On one host, every process binds 127.255.255.255 with address and port reuse, and sends to it:
//! so several share a port and each hears all. A socket bound to 127.0.0.1 would hear no broadcast,
//! and a unicast would reach one process only. Where loopback has no broadcast, a multicast group
//! on the loopback interface takes its place.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use crate::error::NetworkError;
use crate::limits::RECEIVE_BUFFER_BYTES;

/// Whether the loopback interface carries broadcasts. To our knowledge macOS and Windows do not.
const LOOPBACK_HAS_BROADCAST: bool = cfg!(not(any(target_os = "macos", windows)));

/// How all processes of a host are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loopback {
    Broadcast,
    Multicast,
}

impl Loopback {
    const HERE: Self = if LOOPBACK_HAS_BROADCAST { Self::Broadcast } else { Self::Multicast };

    /// Where to send. The group is from the block for private use (RFC 2365).
    const fn target(self) -> Ipv4Addr {
        match self {
            Self::Broadcast => Ipv4Addr::new(127, 255, 255, 255),
            Self::Multicast => Ipv4Addr::new(239, 255, 67, 82),
        }
    }

    /// What to bind. A wildcard hears the local network too.
    const fn bind_address(self, lan: bool) -> Ipv4Addr {
        match (self, lan) {
            (Self::Broadcast, false) => self.target(),
            _ => Ipv4Addr::UNSPECIFIED,
        }
    }
}

/// A socket that sends to, and hears, one broadcast port.
#[derive(Debug)]
pub(crate) struct BroadcastSocket {
    socket: UdpSocket,
    port: u16,
    receive_buffer: usize,
}

impl BroadcastSocket {
    /// Binds `port`, named `what` in `[ports]` of config.toml.
    ///
    /// # Errors
    /// [`NetworkError`] if another program has the port to itself, or the system refuses.
    pub(crate) fn bind(what: &'static str, port: u16, lan: bool) -> Result<Self, NetworkError> {
        let bound = Self::open(Loopback::HERE, port, lan)
            .map_err(|source| NetworkError::binding(what, port, source))?;
        let (port, bytes) = (bound.port, bound.receive_buffer);
        tracing::info!("port {port} ({what}): the receive buffer holds {bytes} bytes");
        Ok(bound)
    }

    fn open(loopback: Loopback, port: u16, lan: bool) -> io::Result<Self> {
        let socket = sending_socket(loopback)?;
        // A port of our own choice is nobody else's: without reuse, none that is taken is chosen.
        if port != 0 {
            socket.set_reuse_address(true)?;
            #[cfg(unix)]
            socket.set_reuse_port(true)?;
        }
        // What the system does not grant is no error: it is logged.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
        let receive_buffer = socket.recv_buffer_size()?;
        socket.bind(&SocketAddrV4::new(loopback.bind_address(lan), port).into())?;
        if loopback == Loopback::Multicast {
            socket.join_multicast_v4(&loopback.target(), &Ipv4Addr::LOCALHOST)?;
        }
        let socket = UdpSocket::from(socket);
        let port = socket.local_addr()?.port();
        Ok(Self { socket, port, receive_buffer })
    }

    /// The port that was bound.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The bytes that the system granted for what was received and not yet read.
    pub(crate) fn receive_buffer(&self) -> usize {
        self.receive_buffer
    }

    /// The half that sends, and the half that receives (which needs a tokio runtime).
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn split(self) -> io::Result<(Sender, tokio::net::UdpSocket)> {
        let sender = Sender { socket: self.socket.try_clone()?, port: self.port };
        Ok((sender, tokio::net::UdpSocket::from_std(self.socket)?))
    }
}

/// Sends to one broadcast port, and never waits: what the system has no room for is lost, as any
/// datagram may be.
#[derive(Debug)]
pub(crate) struct Sender {
    socket: UdpSocket,
    port: u16,
}

impl Sender {
    /// A sender to a port that this process does not listen on.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn to_port(port: u16) -> io::Result<Self> {
        let socket = sending_socket(Loopback::HERE)?;
        Ok(Self { socket: socket.into(), port })
    }

    /// Sends to every process of this host and to these broadcast addresses. Returns whether the
    /// system took it for one of them at least.
    pub(crate) fn send(&self, datagram: &[u8], lan: &[Ipv4Addr]) -> bool {
        let mut is_taken = false;
        for address in [Loopback::HERE.target()].iter().chain(lan) {
            match self.socket.send_to(datagram, (*address, self.port)) {
                Ok(_) => is_taken = true,
                Err(error) => tracing::debug!("not sent to {address}:{}: {error}", self.port),
            }
        }
        is_taken
    }
}

fn sending_socket(loopback: Loopback) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_broadcast(true)?;
    socket.set_nonblocking(true)?;
    if loopback == Loopback::Multicast {
        socket.set_multicast_if_v4(&Ipv4Addr::LOCALHOST)?;
        socket.set_multicast_loop_v4(true)?;
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn free_port() -> u16 {
        BroadcastSocket::open(Loopback::HERE, 0, false).expect("a free port").port()
    }

    fn receive(socket: &BroadcastSocket) -> Option<Vec<u8>> {
        socket.socket.set_nonblocking(false).expect("a socket");
        socket.socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket");
        let mut buffer = [0; 64];
        let (length, source) = socket.socket.recv_from(&mut buffer).ok()?;
        assert!(source.ip().is_loopback());
        Some(buffer[..length].to_vec())
    }

    #[test]
    fn all_processes_of_a_host_hear_each_other() {
        for loopback in [Loopback::Broadcast, Loopback::Multicast] {
            let port = free_port();
            let [one, two, wide] = [false, false, true]
                .map(|lan| BroadcastSocket::open(loopback, port, lan).expect("shared"));
            one.socket.send_to(b"hear me", (loopback.target(), port)).expect("sent");
            for socket in [&one, &two, &wide] {
                assert_eq!(receive(socket).as_deref(), Some(b"hear me".as_slice()), "{loopback:?}");
            }
        }
    }

    #[test]
    fn a_port_that_cannot_be_shared_is_named_with_the_remedy() {
        let holder = UdpSocket::bind((Loopback::HERE.target(), 0)).expect("a free port");
        let port = holder.local_addr().expect("bound").port();
        let error = BroadcastSocket::bind("status", port, false).expect_err("taken");
        assert!(matches!(error, NetworkError::PortInUse { what: "status", port: p } if p == port));
        assert!(error.to_string().contains("set ports.status to another"), "{error}");
    }

    #[test]
    fn a_free_port_is_not_shared() {
        let alone = BroadcastSocket::open(Loopback::HERE, 0, false).expect("a free port");
        assert_ne!(alone.port(), 0);
        assert!(BroadcastSocket::open(Loopback::HERE, alone.port(), false).is_err());
    }

    #[test]
    fn who_only_sends_is_heard() {
        let port = free_port();
        let listener = BroadcastSocket::open(Loopback::HERE, port, false).expect("shared");
        Sender::to_port(port).expect("a socket").send(b"payment", &[]);
        assert_eq!(receive(&listener).as_deref(), Some(b"payment".as_slice()));
    }
}
