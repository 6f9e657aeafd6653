//! A hand-made peer that is reached by a link only and asks for nothing: what it has of a payment,
//! it was sent.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use cairn_protocol::messages::{
    FRAME_PREFIX_BYTES, Hello, InstanceId, Message, Status, frame, frame_length,
};
use cairn_protocol::{BlockHash, Height, Transaction, Work};

use crate::chain;

pub(crate) struct Stranger {
    listener: TcpListener,
    instance: u8,
}

/// A connection to a wallet.
pub(crate) struct Line(TcpStream);

impl Stranger {
    pub(crate) fn new(instance: u8) -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").expect("a free port"), instance }
    }

    /// What `--peer` takes.
    pub(crate) fn address(&self) -> String {
        self.listener.local_addr().expect("bound").to_string()
    }

    /// The next connection, on which nothing was said yet.
    pub(crate) fn accept(&self) -> Line {
        let (stream, _) = self.listener.accept().expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
        Line(stream)
    }

    /// Says hello, as a node without a block.
    pub(crate) fn greet(&self, line: &mut Line) {
        let status = Status {
            instance: InstanceId([self.instance; 16]),
            height: Height::GENESIS,
            tip: BlockHash(chain::network().id().0),
            work: Work::ZERO,
            blocks_port: 0,
            clock: cairn_network::clock::now(),
        };
        let hello = Hello::new(chain::network().rules().clone(), status);
        line.0.write_all(&frame(&Message::Hello(hello))).expect("sent");
        assert!(matches!(line.receive(), Some(Message::Hello(_))));
    }
}

impl Line {
    /// The next payment; `None` if the wallet ends before.
    pub(crate) fn payment(&mut self) -> Option<Transaction> {
        loop {
            if let Message::Transaction(transaction) = self.receive()? {
                return Some(transaction);
            }
        }
    }

    fn receive(&mut self) -> Option<Message> {
        let mut prefix = [0; FRAME_PREFIX_BYTES];
        self.0.read_exact(&mut prefix).ok()?;
        let mut content = vec![0; frame_length(prefix).expect("a length")];
        self.0.read_exact(&mut content).ok()?;
        Some(Message::decode(&content).expect("a message"))
    }
}
