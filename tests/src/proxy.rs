//! A TCP cable between two nodes that can be cut and mended.
//!
//! Its ends stand on loopback addresses on which no node listens. A node that learns of another
//! through the cable thus finds nobody there but by the cable itself, as between two hosts.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use socket2::{Domain, Socket, Type};

/// Where the cable's near end listens.
const NEAR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
/// Where its connections to the far end come from.
const FAR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);

/// Passes connections on to a target until it is dropped.
pub struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    cut: bool,
    /// Both ends of each connection.
    streams: Vec<TcpStream>,
}

impl Proxy {
    /// A cable to this `HOST:PORT`.
    pub fn to(target: &str) -> Self {
        let target = target.parse().expect("an address");
        let listener = TcpListener::bind((NEAR, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::downgrade(&state);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Some(state) = shared.upgrade() else { return };
                let mut state = state.lock().expect("no panic under the lock");
                if !state.cut {
                    // A connection that fails here ends as one through a cut cable does.
                    let _ = connect(&near, target, &mut state.streams);
                }
            }
        });
        Self { port, state }
    }

    /// Its near end, as `--peer` takes it.
    pub fn address(&self) -> String {
        format!("{NEAR}:{}", self.port)
    }

    /// Cuts all connections; new ones end at once.
    pub fn cut(&self) {
        let mut state = self.state.lock().expect("no panic under the lock");
        state.cut = true;
        for stream in state.streams.drain(..) {
            // The other side may have closed it before.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Lets new connections through.
    pub fn mend(&self) {
        self.state.lock().expect("no panic under the lock").cut = false;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
        // Wakes the accepting thread, which then finds that nobody needs it.
        let _ = TcpStream::connect((NEAR, self.port));
    }
}

fn connect(near: &TcpStream, target: SocketAddr, streams: &mut Vec<TcpStream>) -> io::Result<()> {
    let far = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    far.bind(&SocketAddr::from((FAR, 0)).into())?;
    far.connect(&target.into())?;
    let far = TcpStream::from(far);
    for (from, to) in [(near, &far), (&far, near)] {
        let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
        thread::spawn(move || {
            // Either way the connection is over.
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
    streams.extend([near.try_clone()?, far]);
    Ok(())
}
