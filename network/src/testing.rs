//! What the tests of this crate share.

use std::sync::Arc;
use std::time::Duration;

use cairn_ledger::LedgerError;
use cairn_node::MempoolLimits;
use cairn_protocol::messages::{InstanceId, Status};
use cairn_protocol::{
    AccountId, Amount, Block, BlockHash, BlockRef, Header, Height, Memo, Network, Payment, Proof,
    Reward, Rules, SealedHeader, SecretKey, Sequence, Timestamp, Transaction, VerifiedBlock, Work,
    block,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::inbox::Incoming;
use crate::intake::Intake;
use crate::link_tasks::LinkTasks;
use crate::server::{Archive, Server};
use crate::settings::{BlocksPort, Settings};
use crate::surroundings::Surroundings;

pub(crate) fn network() -> Network {
    let rules = Rules { difficulty: 1, block_interval_seconds: 0, ..Rules::default() };
    Network::new(rules).expect("possible")
}

pub(crate) fn status(instance: u8, blocks_port: u16) -> Status {
    Status {
        instance: InstanceId([instance; 16]),
        height: Height::GENESIS,
        tip: BlockHash(network().id().0),
        work: Work::ZERO,
        blocks_port,
        clock: Timestamp::ZERO,
    }
}

/// Settings of a node that hears nobody.
pub(crate) fn settings(transactions_port: u16) -> Settings {
    Settings {
        status_port: 0,
        blocks_port: BlocksPort::None,
        transactions_port,
        lan: false,
        peers: Vec::new(),
        status_interval: Duration::from_secs(5),
        mempool: MempoolLimits::default(),
        reward_to: None,
    }
}

/// Two ends of one connection.
pub(crate) async fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (one, two) = tokio::join!(TcpStream::connect(address), listener.accept());
    (one.expect("connected"), two.expect("accepted").0)
}

pub(crate) fn payment(network: &Network, seed: u8, memo: u8) -> Transaction {
    let key = SecretKey::from_seed([seed; 32]);
    let payment = Payment {
        sender: key.account(),
        recipient: AccountId([9; 32]),
        amount: Amount::from_micros(1).expect("small"),
        fee: Amount::ZERO,
        sequence: Sequence::FIRST,
        memo: Memo::new(vec![memo; 8]).expect("short"),
    };
    key.sign(payment, network.id())
}

/// A valid block without payments.
pub(crate) fn child(network: &Network, parent: BlockRef) -> VerifiedBlock {
    let amount = network.subsidy(parent.height.next());
    sealed(network, parent, amount).verify(network).expect("valid")
}

/// A first block with a correct proof that pays its miner too much.
pub(crate) fn greedy(network: &Network) -> Block {
    sealed(network, network.genesis_ref(), Amount::MAX)
}

fn sealed(network: &Network, parent: BlockRef, amount: Amount) -> Block {
    let height = parent.height.next();
    let reward = Reward { height, recipient: AccountId([7; 32]), amount };
    let header = Header {
        version: 1,
        height,
        parent: parent.hash,
        content: block::content_root_of(&reward, &[]),
        time: Timestamp::from_millis(height.get()).expect("small"),
        target: network.rules().floor(),
    };
    let mut sealed = SealedHeader { header, proof: Proof::default() };
    while !header.target.is_met_by(&sealed.hash()) {
        sealed.proof.nonce += 1;
    }
    Block { sealed, reward, payments: cairn_protocol::Bounded::default() }
}

/// What a task needs, and what comes out of it.
pub(crate) fn surroundings()
-> (Surroundings, mpsc::Receiver<Incoming>, mpsc::Receiver<crate::intake::Candidate>) {
    let (inbox, incoming) = mpsc::channel(crate::limits::MAX_WAITING_MESSAGES);
    let (intake, candidates) = Intake::new();
    let (_, status) = watch::channel(status(1, 0));
    let around = Surroundings {
        known: Arc::default(),
        network: network(),
        status,
        tasks: LinkTasks::default(),
        silence: Duration::from_secs(30),
        inbox,
        intake,
        server: Arc::new(Server::new(vec![Box::new(Empty)])),
        lookups: Arc::new(Semaphore::new(crate::limits::MAX_LOOKUPS)),
    };
    (around, incoming, candidates)
}

/// An archive without a block.
struct Empty;

impl Archive for Empty {
    fn headers_after(&self, _: &[BlockRef], _: usize) -> Result<Vec<SealedHeader>, LedgerError> {
        Ok(Vec::new())
    }

    fn block_bytes(&self, _: BlockRef) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(None)
    }
}
