//! The same bytes by another library: types of wincode that mirror ours. bincode is finished and
//! no longer maintained; this shows that it can be replaced without changing a byte.

use std::fmt::Debug;

use cairn_protocol::codec::encode;
use cairn_protocol::messages::{Announcement, Datagram, FRAME_PREFIX_BYTES, Status, frame};
use wincode::config::DefaultConfig;
use wincode::{SchemaRead, SchemaReadOwned, SchemaWrite};

use crate::chain::Chain;
use crate::message_vectors;

#[derive(SchemaRead, SchemaWrite, Debug, PartialEq)]
struct Payment {
    sender: [u8; 32],
    recipient: [u8; 32],
    amount: u64,
    fee: u64,
    sequence: u64,
    memo: Vec<u8>,
}

#[derive(SchemaRead, SchemaWrite, Debug, PartialEq)]
struct Transaction {
    payment: Payment,
    signature: [u8; 64],
}

#[derive(SchemaRead, SchemaWrite, Debug, PartialEq)]
struct Header {
    version: u32,
    height: u64,
    parent: [u8; 32],
    content: [u8; 32],
    time: u64,
    target: [u8; 32],
}

#[derive(SchemaRead, SchemaWrite, Debug, PartialEq)]
struct SealedHeader {
    header: Header,
    salt: [u8; 16],
    nonce: u32,
}

#[derive(SchemaRead, SchemaWrite, Debug, PartialEq)]
struct Block {
    sealed: SealedHeader,
    height: u64,
    recipient: [u8; 32],
    amount: u64,
    payments: Vec<Transaction>,
}

#[derive(SchemaRead, SchemaWrite, Debug, PartialEq)]
struct StatusMirror {
    instance: [u8; 16],
    height: u64,
    tip: [u8; 32],
    work: [u8; 32],
    blocks_port: u16,
    clock: u64,
}

#[derive(SchemaRead, SchemaWrite, Debug, PartialEq)]
struct DatagramMirror {
    magic: [u8; 4],
    version: u16,
    network: [u8; 32],
    announcement: AnnouncementMirror,
}

#[derive(SchemaRead, SchemaWrite, Debug, PartialEq)]
enum AnnouncementMirror {
    Status(StatusMirror),
    Transaction(Transaction),
    Solicit([u8; 16], [u8; 82]),
}

#[derive(SchemaRead, SchemaWrite, Debug, PartialEq)]
struct Rules {
    name: String,
    difficulty: u8,
    block_interval_seconds: u32,
    half_life_seconds: u32,
    min_block_transactions: u32,
    min_block_wait_seconds: u32,
    block_reward: u64,
    reward_maturity: u32,
    max_block_bytes: u32,
}

#[derive(SchemaRead, SchemaWrite, Debug, PartialEq)]
enum Message {
    Hello([u8; 4], u16, Rules, StatusMirror),
    Status(StatusMirror),
    Transaction(Transaction),
    Request(u32, Request),
    Answer(u32, Answer),
}

#[derive(SchemaRead, SchemaWrite, Debug, PartialEq)]
enum Request {
    Headers(Vec<(u64, [u8; 32])>),
    Blocks(Vec<(u64, [u8; 32])>),
    MempoolIds(Option<[u8; 32]>),
    Transactions(Vec<[u8; 32]>),
}

#[derive(SchemaRead, SchemaWrite, Debug, PartialEq)]
enum Answer {
    Headers(Vec<SealedHeader>),
    Blocks(Vec<Vec<u8>>),
    MempoolIds(Vec<[u8; 32]>),
    Transactions(Vec<Transaction>),
}

impl From<&cairn_protocol::Transaction> for Transaction {
    fn from(transaction: &cairn_protocol::Transaction) -> Self {
        let payment = &transaction.payment;
        let payment = Payment {
            sender: payment.sender.0,
            recipient: payment.recipient.0,
            amount: payment.amount.micros(),
            fee: payment.fee.micros(),
            sequence: payment.sequence.get(),
            memo: payment.memo.to_vec(),
        };
        Self { payment, signature: transaction.signature.0 }
    }
}

impl From<&cairn_protocol::SealedHeader> for SealedHeader {
    fn from(sealed: &cairn_protocol::SealedHeader) -> Self {
        let header = Header {
            version: sealed.header.version,
            height: sealed.header.height.get(),
            parent: sealed.header.parent.0,
            content: sealed.header.content.0,
            time: sealed.header.time.millis(),
            target: sealed.header.target.to_be_bytes(),
        };
        Self { header, salt: sealed.proof.salt, nonce: sealed.proof.nonce }
    }
}

impl From<&cairn_protocol::Block> for Block {
    fn from(block: &cairn_protocol::Block) -> Self {
        Self {
            sealed: (&block.sealed).into(),
            height: block.reward.height.get(),
            recipient: block.reward.recipient.0,
            amount: block.reward.amount.micros(),
            payments: block.payments.iter().map(Transaction::from).collect(),
        }
    }
}

impl From<&Status> for StatusMirror {
    fn from(status: &Status) -> Self {
        Self {
            instance: status.instance.0,
            height: status.height.get(),
            tip: status.tip.0,
            work: status.work.to_be_bytes(),
            blocks_port: status.blocks_port,
            clock: status.clock.millis(),
        }
    }
}

impl From<&Announcement> for AnnouncementMirror {
    fn from(announcement: &Announcement) -> Self {
        match announcement {
            Announcement::Status(status) => Self::Status(status.into()),
            Announcement::Transaction(transaction) => Self::Transaction(transaction.into()),
            Announcement::Solicit { instance, padding } => Self::Solicit(instance.0, *padding),
        }
    }
}

/// Both libraries write the value with the same bytes, and wincode reads it from them.
fn assert_same<T>(mirror: &T, bytes: &[u8])
where
    T: SchemaWrite<DefaultConfig, Src = T> + SchemaReadOwned<DefaultConfig, Dst = T>,
    T: Debug + PartialEq,
{
    assert_eq!(wincode::serialize(mirror).expect("writes"), bytes);
    assert_eq!(&wincode::deserialize_exact::<T>(bytes).expect("reads"), mirror);
}

#[test]
fn wincode_writes_the_same_ledger() {
    let chain = Chain::new();
    for transaction in chain.transactions() {
        assert_same(&Transaction::from(transaction), &encode(transaction));
    }
    for block in &chain.blocks {
        assert_same(&SealedHeader::from(block.header().sealed()), &encode(block.header().sealed()));
        assert_same(&Block::from(&block.to_block()), &encode(&block.to_block()));
    }
}

#[test]
fn wincode_writes_the_same_datagrams() {
    let chain = Chain::new();
    for announcement in message_vectors::announcements(&chain) {
        let mirror = DatagramMirror {
            magic: *b"CRN\x01",
            version: 1,
            network: chain.network.id().0,
            announcement: (&announcement).into(),
        };
        assert_same(&mirror, &Datagram::new(chain.network.id(), announcement).encode());
    }
}

#[test]
fn wincode_reads_and_writes_the_same_frames() {
    for message in message_vectors::messages(&Chain::new()) {
        let frame = frame(&message);
        let content = &frame[FRAME_PREFIX_BYTES..];
        let mirror: Message = wincode::deserialize_exact(content).expect("reads");
        assert_eq!(wincode::serialize(&mirror).expect("writes"), content);
    }
}
