//! The sockets that a node listens on.

use std::net::{Ipv4Addr, TcpListener};

use cairn_node::Event;

use crate::error::NetworkError;
use crate::limits::SMALL_RECEIVE_BUFFER_BYTES;
use crate::settings::{BlocksPort, Ports, Settings};
use crate::udp::BroadcastSocket;

/// The sockets that a node listens on.
#[derive(Debug)]
pub(crate) struct Sockets {
    pub(crate) status: BroadcastSocket,
    pub(crate) transactions: BroadcastSocket,
    pub(crate) blocks: Option<TcpListener>,
    pub(crate) ports: Ports,
    /// What the user should know about them.
    pub(crate) warnings: Vec<Event>,
}

impl Sockets {
    /// Binds them all.
    ///
    /// # Errors
    /// [`NetworkError`] if a port is in use, or the system refuses.
    pub(crate) fn bind(settings: &Settings) -> Result<Self, NetworkError> {
        let lan = settings.lan;
        let status = BroadcastSocket::bind("status", settings.status_port, lan)?;
        let transactions = BroadcastSocket::bind("transactions", settings.transactions_port, lan)?;
        let (blocks, taken) = bind_blocks(settings)?;
        let ports = Ports {
            status: status.port(),
            blocks: blocks.as_ref().map_or(0, port_of),
            transactions: transactions.port(),
        };
        let small = [&status, &transactions].into_iter().filter_map(buffer_warning);
        let warnings = small.chain(taken).collect();
        Ok(Self { status, transactions, blocks, ports, warnings })
    }
}

/// The block server's socket, if there is to be one, and a warning if it is on another port than
/// wished.
fn bind_blocks(settings: &Settings) -> Result<(Option<TcpListener>, Option<Event>), NetworkError> {
    match settings.blocks_port {
        BlocksPort::None => Ok((None, None)),
        BlocksPort::Exactly(port) => Ok((Some(listen(port, settings.lan)?), None)),
        BlocksPort::Preferred(port) => match listen(port, settings.lan) {
            Err(NetworkError::PortInUse { .. }) => {
                let listener = listen(0, settings.lan)?;
                let free = port_of(&listener);
                let message = format!(
                    "port {port} (blocks) is in use, {free} is used instead; set ports.blocks to \
                     choose one"
                );
                Ok((Some(listener), Some(Event::Warning { code: "port_taken", message })))
            }
            bound => Ok((Some(bound?), None)),
        },
    }
}

fn listen(port: u16, lan: bool) -> Result<TcpListener, NetworkError> {
    let address = if lan { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
    let listener = TcpListener::bind((address, port));
    let listener = listener.and_then(|one| one.set_nonblocking(true).map(|()| one));
    listener.map_err(|source| NetworkError::binding("blocks", port, source))
}

fn port_of(listener: &TcpListener) -> u16 {
    listener.local_addr().map_or(0, |address| address.port())
}

fn buffer_warning(socket: &BroadcastSocket) -> Option<Event> {
    let bytes = socket.receive_buffer();
    (bytes < SMALL_RECEIVE_BUFFER_BYTES).then(|| Event::Warning {
        code: "receive_buffer",
        message: format!(
            "the system grants {bytes} bytes to receive on port {}; payments of a burst may be \
             lost until they are repeated (on Linux, raise net.core.rmem_max)",
            socket.port()
        ),
    })
}
