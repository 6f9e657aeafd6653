//! Arbitrary values of every type that is encoded, whether or not they make sense together.

use cairn_protocol::messages::{
    Announcement, Answer, Datagram, EncodedBlock, Hello, InstanceId, Message, Request, RequestId,
    Status,
};
use cairn_protocol::{
    AccountId, Amount, Block, BlockHash, BlockRef, Bounded, ContentRoot, Header, Height, Memo,
    NetworkId, Payment, Proof, Reward, Rules, SealedHeader, Sequence, Signature, Target, Timestamp,
    Transaction, TransactionId, Work,
};
use proptest::array::{uniform16, uniform32};
use proptest::collection::vec;
use proptest::prelude::*;

/// Below 2^63, its ends more often than chance would have it.
fn number() -> impl Strategy<Value = u64> {
    const MAX: u64 = i64::MAX as u64;
    prop_oneof![Just(0), Just(MAX), 0..=MAX]
}

fn amount() -> impl Strategy<Value = Amount> {
    number().prop_map(|micros| Amount::from_micros(micros).expect("in range"))
}

fn height() -> impl Strategy<Value = Height> {
    number().prop_map(|height| Height::new(height).expect("in range"))
}

fn time() -> impl Strategy<Value = Timestamp> {
    number().prop_map(|millis| Timestamp::from_millis(millis).expect("in range"))
}

fn bytes() -> impl Strategy<Value = [u8; 32]> {
    uniform32(any::<u8>())
}

fn list<T: std::fmt::Debug, const MAX: usize>(
    item: impl Strategy<Value = T>,
    most: usize,
) -> impl Strategy<Value = Bounded<T, MAX>> {
    vec(item, 0..=most).prop_map(Bounded::first)
}

pub(crate) fn rules() -> impl Strategy<Value = Rules> {
    let numbers = proptest::array::uniform6(any::<u32>());
    ("[a-z0-9]{1,20}", any::<u8>(), amount(), numbers).prop_map(
        |(name, difficulty, block_reward, numbers)| Rules {
            name: name.parse().expect("a name"),
            difficulty,
            block_interval_seconds: numbers[0],
            half_life_seconds: numbers[1],
            min_block_transactions: numbers[2],
            min_block_wait_seconds: numbers[3],
            block_reward,
            reward_maturity: numbers[4],
            max_block_bytes: numbers[5],
        },
    )
}

fn payment() -> impl Strategy<Value = Payment> {
    let accounts = [bytes(), bytes()];
    (accounts, [amount(), amount()], number(), vec(any::<u8>(), 0..=512)).prop_map(
        |([sender, recipient], [amount, fee], sequence, memo)| Payment {
            sender: AccountId(sender),
            recipient: AccountId(recipient),
            amount,
            fee,
            sequence: Sequence::new(sequence).expect("in range"),
            memo: Memo::new(memo).expect("at most 512"),
        },
    )
}

pub(crate) fn transaction() -> impl Strategy<Value = Transaction> {
    (payment(), bytes(), bytes()).prop_map(|(payment, r, s)| {
        let signature = [r, s].concat().try_into().expect("64 bytes");
        Transaction { payment, signature: Signature(signature) }
    })
}

fn header() -> impl Strategy<Value = Header> {
    let target = bytes().prop_filter_map("a target is not zero", |b| Target::from_be_bytes(&b));
    (any::<u32>(), height(), bytes(), bytes(), time(), target).prop_map(
        |(version, height, parent, content, time, target)| Header {
            version,
            height,
            parent: BlockHash(parent),
            content: ContentRoot(content),
            time,
            target,
        },
    )
}

pub(crate) fn sealed() -> impl Strategy<Value = SealedHeader> {
    (header(), uniform16(any::<u8>()), any::<u32>())
        .prop_map(|(header, salt, nonce)| SealedHeader { header, proof: Proof { salt, nonce } })
}

pub(crate) fn block() -> impl Strategy<Value = Block> {
    let reward = (height(), bytes(), amount()).prop_map(|(height, recipient, amount)| Reward {
        height,
        recipient: AccountId(recipient),
        amount,
    });
    (sealed(), reward, list(transaction(), 5)).prop_map(|(sealed, reward, payments)| Block {
        sealed,
        reward,
        payments,
    })
}

fn status() -> impl Strategy<Value = Status> {
    (uniform16(any::<u8>()), height(), bytes(), bytes(), any::<u16>(), time()).prop_map(
        |(instance, height, tip, work, blocks_port, clock)| Status {
            instance: InstanceId(instance),
            height,
            tip: BlockHash(tip),
            work: Work::from_be_bytes(&work),
            blocks_port,
            clock,
        },
    )
}

pub(crate) fn datagram() -> impl Strategy<Value = Datagram> {
    let announcement = prop_oneof![
        status().prop_map(Announcement::Status),
        transaction().prop_map(Announcement::Transaction),
        uniform16(any::<u8>()).prop_map(|id| Announcement::solicit(InstanceId(id))),
    ];
    (bytes(), announcement).prop_map(|(id, said)| Datagram::new(NetworkId(id), said))
}

pub(crate) fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        (rules(), status()).prop_map(|(rules, status)| Message::Hello(Hello::new(rules, status))),
        status().prop_map(Message::Status),
        transaction().prop_map(Message::Transaction),
        (any::<u32>(), request())
            .prop_map(|(id, request)| Message::Request(RequestId(id), request)),
        (any::<u32>(), answer()).prop_map(|(id, answer)| Message::Answer(RequestId(id), answer)),
    ]
}

fn reference() -> impl Strategy<Value = BlockRef> {
    (height(), bytes()).prop_map(|(height, hash)| BlockRef { height, hash: BlockHash(hash) })
}

fn id() -> impl Strategy<Value = TransactionId> {
    bytes().prop_map(TransactionId)
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        list(reference(), 80).prop_map(Request::Headers),
        list(reference(), 128).prop_map(Request::Blocks),
        prop::option::of(id()).prop_map(Request::MempoolIds),
        list(id(), 100).prop_map(Request::Transactions),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let encoded = vec(any::<u8>(), 0..600);
    let encoded = encoded.prop_map(|bytes| EncodedBlock::new(bytes).expect("small"));
    prop_oneof![
        list(sealed(), 20).prop_map(Answer::Headers),
        list(encoded, 4).prop_map(Answer::Blocks),
        list(id(), 100).prop_map(Answer::MempoolIds),
        list(transaction(), 5).prop_map(Answer::Transactions),
    ]
}
