//! How connections become links: those that others open, those that we open, and questions to
//! foreign networks.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use cairn_protocol::NetworkId;
use cairn_protocol::messages::HelloError;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::handshake::{Greeted, HandshakeError, greet};
use crate::inbox::{DialFailure, Goal, Incoming, NewLink, Opened};
use crate::limits::{CONNECT_TIMEOUT, HANDSHAKE_TIMEOUT, MAX_LINK_COMMANDS};
use crate::link::Link;
use crate::slots::Slots;
use crate::surroundings::Surroundings;

/// How long to wait after the system failed to accept (no file handle free, say).
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Where a connection that we open goes to.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Address(SocketAddr),
    /// HOST:PORT, looked up each time: a name may move.
    Name(String),
}

/// Accepts links, for ever, as long as there are slots for them.
pub(crate) async fn accept_links(listener: TcpListener, around: Arc<Surroundings>) {
    let slots = Slots::default();
    loop {
        let (stream, remote) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!("no link accepted: {error}");
                sleep(AFTER_FAILURE).await;
                continue;
            }
        };
        let Some(slot) = slots.take(remote.ip().to_canonical()) else {
            tracing::debug!("no slot for {remote}");
            continue;
        };
        let around = Arc::clone(&around);
        tokio::spawn(async move {
            if let Err(error) = run_link(stream, remote, Opened::ByThem, &around).await {
                tracing::debug!("no link from {remote}: {error}");
            }
            drop(slot);
        });
    }
}

/// Opens a link, runs it to its end, and says so if it does not come about.
pub(crate) async fn dial(place: Place, goal: Goal, around: Arc<Surroundings>) {
    let failure = match connect(&place, &around).await {
        Ok((stream, remote)) => match run_link(stream, remote, Opened::ByUs(goal), &around).await {
            Ok(()) => return,
            Err(HandshakeError::Refused { error, .. }) => DialFailure::Refused(error),
            Err(error) => DialFailure::Unreachable(error.to_string()),
        },
        Err(error) => DialFailure::Unreachable(error.to_string()),
    };
    let _ = around.inbox.send(Incoming::NotReached { goal, failure }).await;
}

/// Asks a node of another network for its rules; what it says arrives as [`Incoming::Refused`].
pub(crate) async fn probe(address: SocketAddr, around: Arc<Surroundings>) {
    let Ok((stream, remote)) = connect(&Place::Address(address), &around).await else { return };
    if let Err(HandshakeError::Refused { error, network }) = greet(stream, around.hello()).await {
        tell_refused(remote.ip(), network, error, &around).await;
    }
}

async fn connect(place: &Place, around: &Surroundings) -> io::Result<(TcpStream, SocketAddr)> {
    let addresses: Vec<SocketAddr> = match place {
        Place::Address(address) => vec![*address],
        Place::Name(name) => within(HANDSHAKE_TIMEOUT, look_up(name, around)).await?,
    };
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match within(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(stream) => return Ok((stream, address)),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// The addresses of HOST:PORT. The permit stays with the thread that looks, which may be held up for
/// longer than anybody waits for it.
async fn look_up(name: &str, around: &Surroundings) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = name.parse() {
        return Ok(vec![address]);
    }
    let permit = Arc::clone(&around.lookups).acquire_owned().await.map_err(io::Error::other)?;
    let name = name.to_owned();
    let looking = spawn_blocking(move || {
        let _held = permit;
        Ok(name.to_socket_addrs()?.collect())
    });
    looking.await.map_err(io::Error::other)?
}

async fn within<T>(most: Duration, wait: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(most, wait).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Greets the other side and, if the driver wants the link, runs it to its end.
async fn run_link(
    stream: TcpStream,
    remote: SocketAddr,
    opened: Opened,
    around: &Arc<Surroundings>,
) -> Result<(), HandshakeError> {
    let greeted = match greet(stream, around.hello()).await {
        Ok(greeted) => greeted,
        Err(HandshakeError::Refused { error, network }) => {
            tell_refused(remote.ip(), network, error.clone(), around).await;
            return Err(HandshakeError::Refused { error, network });
        }
        Err(error) => return Err(error),
    };
    // From before the driver knows of the link: what it hands over must be waited for.
    let _counted = around.tasks.enter();
    if let Some(link) = introduce(greeted, remote, opened, around).await {
        let id = link.id();
        let end = link.run().await;
        let _ = around.inbox.send(Incoming::LinkDown { link: id, end }).await;
    }
    Ok(())
}

/// Presents a link to the driver; `None` if it has no use for it.
async fn introduce(
    greeted: Greeted,
    remote: SocketAddr,
    opened: Opened,
    around: &Arc<Surroundings>,
) -> Option<Link> {
    let (commands, orders) = mpsc::channel(MAX_LINK_COMMANDS);
    let (welcome, welcomed) = oneshot::channel();
    let status = greeted.hello.status;
    let link = NewLink { opened, remote, status, commands, welcome };
    around.inbox.send(Incoming::LinkUp(link)).await.ok()?;
    let names = welcomed.await.ok()?;
    Some(Link::new(names, greeted, orders, Arc::clone(around)))
}

async fn tell_refused(
    address: IpAddr,
    network: NetworkId,
    error: HelloError,
    around: &Surroundings,
) {
    let _ = around.inbox.send(Incoming::Refused { address, network, error }).await;
}

#[cfg(test)]
mod tests {
    use cairn_protocol::Rules;
    use cairn_protocol::messages::Hello;

    use super::*;
    use crate::testing::{network, status, surroundings};

    #[tokio::test]
    async fn a_dial_to_nobody_or_to_other_rules_says_why() {
        let (around, mut incoming, _) = surroundings();
        let around = Arc::new(around);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let goal = Goal::Static(3);
        let (theirs, ()) = tokio::join!(
            async {
                let (stream, _) = listener.accept().await.expect("a connection");
                let rules = Rules { difficulty: 2, ..network().rules().clone() };
                let hello = Hello::new(rules, status(2, 0));
                greet(stream, hello).await.map(|greeted| greeted.hello)
            },
            dial(Place::Address(address), goal, Arc::clone(&around)),
        );
        assert!(theirs.is_err());
        let told = incoming.recv().await.expect("told");
        let Incoming::Refused { error, .. } = told else { panic!("{told:?}") };
        assert!(error.to_string().ends_with("rules.difficulty is 1 here and 2 there"));
        let told = incoming.recv().await.expect("told");
        assert!(matches!(
            told,
            Incoming::NotReached { goal: Goal::Static(3), failure: DialFailure::Refused(_) }
        ));

        drop(listener);
        dial(Place::Name(address.to_string()), goal, around).await;
        let told = incoming.recv().await.expect("told");
        assert!(matches!(told, Incoming::NotReached { failure: DialFailure::Unreachable(_), .. }));
    }

    #[tokio::test]
    async fn lookups_that_hang_hold_up_no_peer_that_is_named_by_its_address() {
        let (around, _incoming, _) = surroundings();
        let hanging = around.lookups.acquire_many(2).await.expect("open");
        let mut waiting = std::pin::pin!(look_up("localhost:2607", &around));
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("no more than two at a time"),
            () = std::future::ready(()) => {}
        }
        let address = "127.0.0.1:2607".parse().expect("an address");
        assert_eq!(look_up("127.0.0.1:2607", &around).await.expect("no lookup"), [address]);
        drop(hanging);
        assert!(waiting.await.expect("localhost is known").contains(&address));
        assert_eq!(around.lookups.available_permits(), 2, "each thread gives its permit back");
    }
}
