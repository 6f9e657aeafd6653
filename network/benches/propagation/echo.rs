//! The baseline: a datagram to another thread and back.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// As long as a status.
const BYTES: usize = 160;

/// A socket whose datagrams come back, as long as the process lives.
pub(crate) struct Echo {
    socket: UdpSocket,
    other: SocketAddr,
}

impl Echo {
    pub(crate) fn start() -> Self {
        let [socket, mirror] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("a port"));
        let other = mirror.local_addr().expect("bound");
        std::thread::spawn(move || {
            let mut buffer = [0; BYTES];
            while let Ok((length, from)) = mirror.recv_from(&mut buffer) {
                mirror.send_to(&buffer[..length], from).expect("sent");
            }
        });
        Self { socket, other }
    }

    pub(crate) fn round_trip(&mut self) -> Duration {
        let mut buffer = [0; BYTES];
        let begin = Instant::now();
        self.socket.send_to(&buffer, self.other).expect("sent");
        self.socket.recv_from(&mut buffer).expect("received");
        begin.elapsed()
    }
}
