//! Every kind of datagram and every kind of frame.

use cairn_protocol::codec::encode;
use cairn_protocol::messages::{
    Announcement, Answer, Datagram, EncodedBlock, FRAME_PREFIX_BYTES, Hello, InstanceId, Message,
    Request, RequestId, Status, frame, frame_length,
};
use cairn_protocol::{
    BlockRef, Bounded, Timestamp, TransactionId, VerifiedBlock, VerifiedTransaction, Work,
};
use serde::Serialize;

use crate::chain::Chain;
use crate::chain_vectors::RulesVector;
use crate::encoding;

#[derive(Serialize)]
pub(crate) struct MessageVectors {
    datagrams: Vec<DatagramVector>,
    frames: Vec<FrameVector>,
}

impl MessageVectors {
    pub(crate) fn new(chain: &Chain) -> Self {
        let datagrams = announcements(chain).into_iter();
        Self {
            datagrams: datagrams.map(|said| datagram_vector(chain, said)).collect(),
            frames: messages(chain).iter().map(frame_vector).collect(),
        }
    }
}

/// The number that this node drew when it started.
const INSTANCE: InstanceId = InstanceId(*b"golden instance!");
const QUESTION: RequestId = RequestId(0x0102_0304);

fn status(chain: &Chain) -> Status {
    let tip = chain.blocks.last().expect("three blocks").block_ref();
    let works = chain.blocks.iter().map(|block| block.header().work());
    Status {
        instance: INSTANCE,
        height: tip.height,
        tip: tip.hash,
        work: works.sum::<Work>(),
        blocks_port: 2607,
        clock: Timestamp::from_millis(1_760_000_021_234).expect("small"),
    }
}

pub(crate) fn announcements(chain: &Chain) -> [Announcement; 3] {
    [
        Announcement::Status(status(chain)),
        Announcement::Transaction(chain.transactions()[1].clone()),
        Announcement::solicit(INSTANCE),
    ]
}

pub(crate) fn messages(chain: &Chain) -> Vec<Message> {
    let blocks = &chain.blocks;
    let refs: Vec<BlockRef> = blocks.iter().map(VerifiedBlock::block_ref).collect();
    let downwards = refs.iter().rev().copied();
    let transactions = || chain.transactions().into_iter().cloned();
    let mut ids: Vec<TransactionId> =
        blocks[1].payments().iter().map(VerifiedTransaction::id).collect();
    ids.sort_unstable();
    let headers = blocks.iter().map(|block| *block.header().sealed());
    let bodies = blocks[..2].iter().map(|block| encode(&block.to_block()));
    let bodies = bodies.map(|bytes| EncodedBlock::new(bytes).expect("small"));
    let ask = |request| Message::Request(QUESTION, request);
    let answer = |answer| Message::Answer(QUESTION, answer);
    vec![
        Message::Hello(Hello::new(chain.network.rules().clone(), status(chain))),
        Message::Status(status(chain)),
        Message::Transaction(chain.transactions()[1].clone()),
        ask(Request::Headers(Bounded::first(downwards))),
        ask(Request::Blocks(Bounded::first(refs[..2].iter().copied()))),
        ask(Request::MempoolIds(None)),
        ask(Request::MempoolIds(Some(ids[0]))),
        ask(Request::Transactions(Bounded::first(ids.clone()))),
        answer(Answer::Headers(Bounded::first(headers))),
        answer(Answer::Headers(Bounded::default())),
        answer(Answer::Blocks(Bounded::first(bodies))),
        answer(Answer::MempoolIds(Bounded::first(ids))),
        answer(Answer::Transactions(Bounded::first(transactions().take(2)))),
    ]
}

#[derive(Serialize)]
struct DatagramVector {
    network: String,
    content: Content,
    encoding: String,
}

fn datagram_vector(chain: &Chain, said: Announcement) -> DatagramVector {
    let content = match &said {
        Announcement::Status(status) => Content::Status { status: status.into() },
        Announcement::Transaction(one) => Content::Transaction { transaction: encoding(one) },
        Announcement::Solicit { instance, .. } => {
            Content::Solicit { instance: const_hex::encode(instance.0) }
        }
    };
    let datagram = Datagram::new(chain.network.id(), said);
    assert_eq!(Datagram::decode(&datagram.encode()).expect("decodes"), datagram);
    let network = chain.network.id().to_string();
    DatagramVector { network, content, encoding: encoding(&datagram) }
}

#[derive(Serialize)]
struct FrameVector {
    content: Content,
    frame: String,
}

fn frame_vector(message: &Message) -> FrameVector {
    let bytes = frame(message);
    let (prefix, rest) = bytes.split_first_chunk::<FRAME_PREFIX_BYTES>().expect("a prefix");
    assert_eq!(frame_length(*prefix).expect("a length"), rest.len());
    assert_eq!(&Message::decode(rest).expect("decodes"), message);
    FrameVector { content: message.into(), frame: const_hex::encode(bytes) }
}

/// A message as the file writes it.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Content {
    Status { status: StatusVector },
    Transaction { transaction: String },
    Solicit { instance: String },
    Hello { rules: RulesVector, status: StatusVector },
    AskHeaders { request: u32, locator: Vec<RefVector> },
    AskBlocks { request: u32, blocks: Vec<RefVector> },
    AskMempoolIds { request: u32, after: Option<String> },
    AskTransactions { request: u32, ids: Vec<String> },
    Headers { request: u32, headers: Vec<String> },
    Blocks { request: u32, blocks: Vec<String> },
    MempoolIds { request: u32, ids: Vec<String> },
    Transactions { request: u32, transactions: Vec<String> },
}

#[derive(Serialize)]
struct StatusVector {
    instance: String,
    height: u64,
    tip: String,
    work: String,
    blocks_port: u16,
    clock: u64,
}

#[derive(Serialize)]
struct RefVector {
    height: u64,
    hash: String,
}

impl From<&Status> for StatusVector {
    fn from(status: &Status) -> Self {
        Self {
            instance: const_hex::encode(status.instance.0),
            height: status.height.get(),
            tip: status.tip.to_string(),
            work: status.work.to_string(),
            blocks_port: status.blocks_port,
            clock: status.clock.millis(),
        }
    }
}

impl From<&Message> for Content {
    fn from(message: &Message) -> Self {
        match message {
            Message::Hello(hello) => {
                Self::Hello { rules: (&hello.rules).into(), status: (&hello.status).into() }
            }
            Message::Status(status) => Self::Status { status: status.into() },
            Message::Transaction(one) => Self::Transaction { transaction: encoding(one) },
            Message::Request(id, request) => Self::asked(id.0, request),
            Message::Answer(id, answer) => Self::answered(id.0, answer),
        }
    }
}

impl Content {
    fn asked(request: u32, question: &Request) -> Self {
        match question {
            Request::Headers(locator) => Self::AskHeaders { request, locator: refs(locator) },
            Request::Blocks(blocks) => Self::AskBlocks { request, blocks: refs(blocks) },
            Request::MempoolIds(after) => {
                Self::AskMempoolIds { request, after: after.map(|id| id.to_string()) }
            }
            Request::Transactions(ids) => Self::AskTransactions { request, ids: texts(ids) },
        }
    }

    fn answered(request: u32, answer: &Answer) -> Self {
        match answer {
            Answer::Headers(headers) => {
                Self::Headers { request, headers: headers.iter().map(encoding).collect() }
            }
            Answer::Blocks(blocks) => {
                let blocks = blocks.iter().map(|block| const_hex::encode(&**block)).collect();
                Self::Blocks { request, blocks }
            }
            Answer::MempoolIds(ids) => Self::MempoolIds { request, ids: texts(ids) },
            Answer::Transactions(all) => {
                Self::Transactions { request, transactions: all.iter().map(encoding).collect() }
            }
        }
    }
}

fn refs(blocks: &[BlockRef]) -> Vec<RefVector> {
    let vector =
        |block: &BlockRef| RefVector { height: block.height.get(), hash: block.hash.to_string() };
    blocks.iter().map(vector).collect()
}

fn texts(ids: &[TransactionId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
