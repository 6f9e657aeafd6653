//! Starting a node: sockets, then the node, then the tasks and the thread that run it.

use std::sync::Arc;
use std::thread;

use cairn_ledger::{Ledger, LedgerError};
use cairn_node::Node;
use cairn_protocol::Transaction;
use cairn_protocol::messages::InstanceId;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::broadcast::Broadcast;
use crate::clock;
use crate::connect::accept_links;
use crate::datagrams::{Channel, Listener};
use crate::driver::{Contacts, Driver, snapshot};
use crate::error::NetworkError;
use crate::inbox::Incoming;
use crate::intake::{Candidate, Intake, verify_incoming};
use crate::known::KnownPayments;
use crate::limits::{MAX_LOOKUPS, MAX_WAITING_EVENTS, MAX_WAITING_MESSAGES, READERS, SILENCE};
use crate::link_tasks::LinkTasks;
use crate::publisher::Publisher;
use crate::resume::resume;
use crate::running::{Handle, Running};
use crate::server::{Archive, Server};
use crate::settings::Settings;
use crate::sockets::Sockets;
use crate::surroundings::Surroundings;
use crate::switchboard::Switchboard;
use crate::work::work;

/// The threads that read, write and accept. They never wait for anything else.
const IO_THREADS: usize = 2;
/// The threads that verify and read the chain, at most.
const BLOCKING_THREADS: usize = 8;

/// Starts a node with the payments that wait for it. It may block: on the disk, on the system, and
/// while it verifies.
///
/// # Errors
/// [`NetworkError`], by the first thing that the system or the ledger refuses.
pub(crate) fn launch(
    ledger: Ledger,
    settings: &Settings,
    waiting: Vec<Transaction>,
) -> Result<Running, NetworkError> {
    let mut sockets = Sockets::bind(settings)?;
    let (network, ports) = (ledger.network().clone(), sockets.ports);
    let server = Arc::new(Server::new(readers(&ledger)?));
    let instance = InstanceId(rand::random());
    let mut node = node(ledger, settings, instance, ports.blocks);
    let known = Arc::<KnownPayments>::default();
    resume(&mut node, waiting, &known)?;

    let contacts = Contacts { connecting: settings.peers.len(), ..Contacts::default() };
    let (status_in, status) = watch::channel(node.status(clock::now()));
    let (snapshot_in, snapshot) = watch::channel(snapshot(&node, contacts));
    let (work_in, work) = work();
    let (told_in, told) = mpsc::channel(MAX_WAITING_EVENTS);
    let publisher =
        Publisher { snapshot: snapshot_in, status: status_in, work: work_in, told: told_in };
    for warning in sockets.warnings.drain(..) {
        publisher.tell(warning, None);
    }

    let (inbox_in, inbox) = mpsc::channel(MAX_WAITING_MESSAGES);
    let (intake, candidates) = Intake::new();
    let id = network.id();
    let lookups = Arc::new(Semaphore::new(MAX_LOOKUPS));
    let tasks = LinkTasks::default();
    let around = Surroundings {
        network,
        status,
        tasks: tasks.clone(),
        silence: SILENCE,
        inbox: inbox_in,
        intake,
        known: Arc::clone(&known),
        server,
        lookups,
    };
    let around = Arc::new(around);

    let runtime = runtime()?;
    let broadcast = spawn_tasks(&runtime, sockets, candidates, &around, instance, settings.lan)?;
    let board = Switchboard::new(instance, settings, around, broadcast, runtime.handle().clone());
    let (own_in, own) = mpsc::unbounded_channel();
    let (stop_in, stop) = watch::channel(());
    let driver = Driver { node, board, publisher, own, inbox, stop, known, delivered: None };
    let driver = thread::Builder::new()
        .name("cairn-node".to_owned())
        .spawn(move || driver.run())
        .map_err(NetworkError::Threads)?;
    let handle = Handle::new(id, own_in, snapshot);
    let (stop, driver, runtime) = (Some(stop_in), Some(driver), Some(runtime));
    Ok(Running { ports, handle, work, told, stop, driver, tasks, runtime })
}

fn readers(ledger: &Ledger) -> Result<Vec<Box<dyn Archive>>, LedgerError> {
    (0..READERS).map(|_| Ok(Box::new(ledger.reader()?) as Box<dyn Archive>)).collect()
}

fn node(ledger: Ledger, settings: &Settings, instance: InstanceId, blocks_port: u16) -> Node {
    let settings = cairn_node::Settings {
        instance,
        reward_to: settings.reward_to,
        blocks_port,
        status_interval: settings.status_interval,
        mempool: settings.mempool.clone(),
    };
    Node::new(ledger, settings, clock::now())
}

fn runtime() -> Result<Runtime, NetworkError> {
    Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("cairn-network")
        .enable_all()
        .build()
        .map_err(NetworkError::Threads)
}

/// Starts what listens and what verifies; returns what speaks.
fn spawn_tasks(
    runtime: &Runtime,
    sockets: Sockets,
    candidates: mpsc::Receiver<Candidate>,
    around: &Arc<Surroundings>,
    instance: InstanceId,
    lan: bool,
) -> Result<Broadcast, NetworkError> {
    // Sockets register with the runtime that is entered.
    let _entered = runtime.enter();
    let ports = sockets.ports;
    let refused = |what, port| move |source| NetworkError::Socket { what, port, source };
    let listener = |channel| Listener { channel, lan, instance, around: Arc::clone(around) };

    let split = sockets.status.split();
    let (status, socket) = split.map_err(refused("status", ports.status))?;
    runtime.spawn(listener(Channel::Status).listen(socket));
    let split = sockets.transactions.split();
    let (transactions, socket) = split.map_err(refused("transactions", ports.transactions))?;
    runtime.spawn(listener(Channel::Transactions).listen(socket));
    let inbox: mpsc::Sender<Incoming> = around.inbox.clone();
    runtime.spawn(verify_incoming(candidates, around.network.id(), inbox));
    if let Some(server) = sockets.blocks {
        let server = TcpListener::from_std(server).map_err(refused("blocks", ports.blocks))?;
        runtime.spawn(accept_links(server, Arc::clone(around)));
    }
    Ok(Broadcast { network: around.network.id(), status, transactions, lan })
}
