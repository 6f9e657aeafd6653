//! One end of a TCP link that the test speaks by hand: a peer that may lie, or say nothing.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use cairn_protocol::Network;
use cairn_protocol::messages::{
    Answer, FRAME_PREFIX_BYTES, Hello, Message, Request, RequestId, Status, frame, frame_length,
};

use crate::branch::Branch;
use crate::wait::{PATIENCE, wait_for};

/// Waits for a node to connect.
pub fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).expect("a socket");
    let (stream, _) = wait_for("a connection", || listener.accept().ok());
    stream.set_nonblocking(false).expect("a socket");
    stream
}

/// A link after both hellos.
pub struct Line(TcpStream);

impl Line {
    /// Connects to a node (`HOST:PORT`) and says hello.
    pub fn to(address: &str, network: &Network, status: Status) -> Self {
        Self::greet(TcpStream::connect(address).expect("accepted"), network, status)
    }

    /// Waits for a node to connect, and says hello.
    pub fn accept(listener: &TcpListener, network: &Network, status: Status) -> Self {
        Self::greet(accept(listener), network, status)
    }

    fn greet(stream: TcpStream, network: &Network, status: Status) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let mut line = Self(stream);
        line.say(&Message::Hello(Hello::new(network.rules().clone(), status)));
        let theirs = line.hear();
        assert!(matches!(theirs, Some(Message::Hello(_))), "{theirs:?}");
        line
    }

    /// Where this end is, as the other side's log names it.
    pub fn address(&self) -> String {
        self.0.local_addr().expect("connected").to_string()
    }

    /// Sends a message. A link that the other side has cut takes it in silence.
    pub fn say(&mut self, message: &Message) {
        self.say_bytes(&frame(message));
    }

    /// Sends any bytes.
    pub fn say_bytes(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// The next message; `None` once the other side has cut the link.
    ///
    /// # Panics
    /// If nothing comes for so long that the other side must be taken for stuck.
    pub fn hear(&mut self) -> Option<Message> {
        let mut prefix = [0; FRAME_PREFIX_BYTES];
        self.read(&mut prefix)?;
        let mut content = vec![0; frame_length(prefix).expect("a length")];
        self.read(&mut content)?;
        Some(Message::decode(&content).expect("a message"))
    }

    fn read(&mut self, bytes: &mut [u8]) -> Option<()> {
        use std::io::ErrorKind::{TimedOut, WouldBlock};
        match self.0.read_exact(bytes) {
            Ok(()) => Some(()),
            Err(error) if matches!(error.kind(), TimedOut | WouldBlock) => {
                panic!("the link neither speaks nor ends")
            }
            Err(_) => None,
        }
    }

    /// Asks, and returns the answer.
    pub fn ask(&mut self, request: Request) -> Answer {
        let id = RequestId(u32::MAX);
        self.say(&Message::Request(id, request));
        loop {
            match self.hear().expect("the link stands") {
                Message::Answer(number, answer) if number == id => return answer,
                _ => {}
            }
        }
    }

    /// Answers each question as `reply` says, until the other side ends the link. Questions for
    /// which it says nothing stay open.
    ///
    /// # Panics
    /// If the other side does not end it.
    pub fn serve(&mut self, mut reply: impl FnMut(&Request) -> Option<Answer>) {
        let deadline = Instant::now() + PATIENCE;
        while let Some(message) = self.hear() {
            assert!(Instant::now() < deadline, "the link is not cut off");
            if let Message::Request(id, request) = message
                && let Some(answer) = reply(&request)
            {
                self.say(&Message::Answer(id, answer));
            }
        }
    }

    /// Waits for a question for which `reply` has an answer, and gives it.
    pub fn answer_next(&mut self, reply: impl Fn(&Request) -> Option<Answer>) {
        loop {
            let message = self.hear().expect("the link stands");
            if let Message::Request(id, request) = message
                && let Some(answer) = reply(&request)
            {
                return self.say(&Message::Answer(id, answer));
            }
        }
    }

    /// Serves a branch as an honest node does, for as long as the link stands or a test may last.
    pub fn serve_honestly(mut self, branch: Branch) {
        thread::spawn(move || self.serve(|request| Some(branch.answer(request))));
    }

    /// Listens until the other side ends the link.
    ///
    /// # Panics
    /// If it does not.
    pub fn is_cut_off(&mut self) {
        self.serve(|_| None);
    }
}
