//! A small network, its payments, and what a rule's refusal looks like.

use cairn_protocol::{
    AccountId, Amount, Memo, Network, NetworkId, Payment, Rules, SecretKey, Sequence, Signature,
    Transaction, TransactionError, VerifiedTransaction,
};

/// A proof takes some 16 hashes, and a block has 2,000 bytes at most.
pub(crate) fn network() -> Network {
    network_with(|_| {})
}

pub(crate) fn network_with(change: impl FnOnce(&mut Rules)) -> Network {
    let mut rules = Rules { difficulty: 4, max_block_bytes: 2_000, ..Rules::default() };
    change(&mut rules);
    Network::new(rules).expect("possible rules")
}

pub(crate) fn coins(text: &str) -> Amount {
    text.parse().expect("an amount")
}

pub(crate) fn micros(micros: u64) -> Amount {
    Amount::from_micros(micros).expect("an amount")
}

pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

/// Key 5 pays one coin with a fee of a quarter.
pub(crate) fn payment(sequence: u32, memo: usize) -> Payment {
    Payment {
        sender: key(5).account(),
        recipient: AccountId([9; 32]),
        amount: coins("1"),
        fee: coins("0.25"),
        sequence: Sequence::from(sequence),
        memo: Memo::new(vec![b'x'; memo]).expect("short"),
    }
}

/// [`payment`] without a memo, changed and then signed by key 5.
pub(crate) fn signed(network: &Network, change: impl FnOnce(&mut Payment)) -> Transaction {
    let mut payment = payment(0, 0);
    change(&mut payment);
    key(5).sign(payment, network.id())
}

/// 32 bytes that are no point of the curve: there is no x for y = 2.
pub(crate) fn off_curve() -> AccountId {
    let mut bytes = [0; 32];
    bytes[0] = 2;
    AccountId(bytes)
}

/// A transaction with these halves of a signature.
pub(crate) fn with_signature(payment: Payment, r: [u8; 32], s: [u8; 32]) -> Transaction {
    let signature = [r, s].concat().try_into().expect("64 bytes");
    Transaction { payment, signature: Signature(signature) }
}

/// The verdict on a transaction, which is the same alone, in a batch of its own, and among valid
/// ones.
pub(crate) fn verdict(
    transaction: &Transaction,
    network: NetworkId,
) -> Result<VerifiedTransaction, TransactionError> {
    let alone = transaction.clone().verify(network);
    let good = key(2).sign(Payment { sender: key(2).account(), ..payment(0, 0) }, network);
    for index in 0..3 {
        let mut batch = vec![good.clone(); index];
        batch.push(transaction.clone());
        batch.extend(vec![good.clone(); (2 - index) * 2]);
        let batch = Transaction::verify_all(batch, network);
        let batch = batch.map(|verified| verified[index].clone());
        assert_eq!(batch, alone.clone().map_err(|error| (index, error)), "at {index}");
    }
    alone
}
