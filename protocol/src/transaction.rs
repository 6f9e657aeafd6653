//! Payments: what a sender signs, the signed form, and the verified form.

use std::fmt;

use bincode::{Decode, Encode};
use ed25519_zebra::{VerificationKey, VerificationKeyBytes, batch};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::account::AccountId;
use crate::amount::Amount;
use crate::bounded::BoundedBytes;
use crate::codec::{encode, encoded_len};
use crate::counters::Sequence;
use crate::hash::{NetworkId, Tag, TransactionId, sha256};
use crate::limits::MAX_MEMO_BYTES;

/// A note that travels with a payment: at most 512 bytes of any content.
pub type Memo = BoundedBytes<MAX_MEMO_BYTES>;

/// Coins from one account to another.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Payment {
    /// Who pays and signs.
    pub sender: AccountId,
    /// Who is paid; may be the sender, which then only loses the fee.
    pub recipient: AccountId,
    /// What the recipient gets.
    pub amount: Amount,
    /// What the miner of the block gets.
    pub fee: Amount,
    /// How many payments the sender made before this one.
    pub sequence: Sequence,
    /// A note.
    pub memo: Memo,
}

impl Payment {
    /// What the sender signs: a tag, the network and the payment, so that a signature is good for
    /// nothing else and on no other network.
    pub fn signed_message(&self, network: NetworkId) -> Vec<u8> {
        [Tag::Payment.bytes(), network.as_bytes(), &encode(self)].concat()
    }

    /// The id: SHA-256 of [`Self::signed_message`].
    pub fn id(&self, network: NetworkId) -> TransactionId {
        TransactionId(sha256(&[&self.signed_message(network)]))
    }

    /// What the payment takes from its sender: amount and fee. `None` if that is no [`Amount`].
    pub fn cost(&self) -> Option<Amount> {
        self.amount.checked_add(self.fee)
    }
}

/// The 64 bytes of an ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", const_hex::encode(self.0))
    }
}

/// A signed payment, unverified: [`Transaction::verify`] makes it a [`VerifiedTransaction`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Transaction {
    /// What was signed.
    pub payment: Payment,
    /// The sender's signature.
    pub signature: Signature,
}

impl Transaction {
    /// Checks all that can be checked without a chain.
    ///
    /// # Errors
    /// [`TransactionError`], by the first rule it breaks.
    pub fn verify(self, network: NetworkId) -> Result<VerifiedTransaction, TransactionError> {
        let cost = self.check_amounts()?;
        let message = self.payment.signed_message(network);
        let key = VerificationKey::try_from(self.payment.sender.0)
            .map_err(|_| TransactionError::SenderKey)?;
        key.verify(&self.signature.into(), &message).map_err(|_| TransactionError::Signature)?;
        let id = TransactionId(sha256(&[&message]));
        Ok(VerifiedTransaction { transaction: self, id, cost })
    }

    /// Verifies many at once, about three times as fast as one by one, with the same verdict on
    /// each (ZIP 215 defines batch and single verification alike).
    ///
    /// # Errors
    /// The index of a transaction that is not valid, and the rule it breaks. All amounts (T1, T2)
    /// are checked before any signature (T3, T4); of each kind it is the first.
    pub fn verify_all(
        transactions: Vec<Self>,
        network: NetworkId,
    ) -> Result<Vec<VerifiedTransaction>, (usize, TransactionError)> {
        // Most blocks of a quiet network: the batch equation of nothing takes as long as a signature.
        if transactions.is_empty() {
            return Ok(Vec::new());
        }
        let mut verifier = batch::Verifier::new();
        let mut transcript = Vec::with_capacity(transactions.len() * 3);
        let mut verified = Vec::with_capacity(transactions.len());
        for (index, transaction) in transactions.into_iter().enumerate() {
            let cost = transaction.check_amounts().map_err(|error| (index, error))?;
            let message = transaction.payment.signed_message(network);
            let id = TransactionId(sha256(&[&message]));
            let key = VerificationKeyBytes::from(transaction.payment.sender.0);
            verifier.queue((key, transaction.signature.into(), &message));
            transcript.extend([id.0.as_slice(), &transaction.signature.0].concat());
            verified.push(VerifiedTransaction { transaction, id, cost });
        }
        // The random factors of the batch equation come from a hash of all that is verified:
        // nobody can choose signatures to fit them, and this crate needs no source of randomness.
        let factors = StdRng::from_seed(sha256(&[&transcript]));
        match verifier.verify(factors) {
            Ok(()) => Ok(verified),
            Err(_) => Err(Self::first_invalid(verified, network)),
        }
    }

    /// A batch only says that something in it is invalid; this finds what.
    fn first_invalid(
        transactions: Vec<VerifiedTransaction>,
        network: NetworkId,
    ) -> (usize, TransactionError) {
        let checks = transactions.into_iter().map(|one| one.transaction.verify(network));
        let first = checks.enumerate().find_map(|(index, check)| Some((index, check.err()?)));
        first.expect("a batch fails only if one of its signatures does")
    }

    fn check_amounts(&self) -> Result<Amount, TransactionError> {
        if self.payment.amount.is_zero() {
            return Err(TransactionError::NothingPaid);
        }
        self.payment.cost().ok_or(TransactionError::CostTooLarge)
    }
}

impl From<Signature> for ed25519_zebra::Signature {
    fn from(signature: Signature) -> Self {
        Self::from_bytes(&signature.0)
    }
}

/// A transaction that is valid without context. Only [`Transaction::verify`] and
/// [`Transaction::verify_all`] make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedTransaction {
    transaction: Transaction,
    id: TransactionId,
    cost: Amount,
}

impl VerifiedTransaction {
    /// The hash of what was signed.
    pub fn id(&self) -> TransactionId {
        self.id
    }

    /// What was signed.
    pub fn payment(&self) -> &Payment {
        &self.transaction.payment
    }

    /// The signature.
    pub fn signature(&self) -> &Signature {
        &self.transaction.signature
    }

    /// Amount and fee together: what the sender loses.
    pub fn cost(&self) -> Amount {
        self.cost
    }

    /// The signed payment, as it is sent on.
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// The bytes of its encoding.
    pub fn encoded_len(&self) -> usize {
        encoded_len(&self.transaction)
    }
}

/// Why a transaction is not valid on any chain of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Rule T1: a payment pays at least one micro-coin.
    #[error("it pays nothing; the smallest amount is 0.000001")]
    NothingPaid,
    /// Rule T2: amount and fee together are an amount.
    #[error("amount and fee together are more than can exist")]
    CostTooLarge,
    /// Rule T3: the sender's key decodes (ZIP 215).
    #[error("the sender is not a public key")]
    SenderKey,
    /// Rule T4: the sender signed it, for this network (ZIP 215).
    #[error("the signature is not the sender's for this payment on this network")]
    Signature,
}

impl TransactionError {
    /// The number of the broken rule in docs/PROTOCOL.md.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::NothingPaid => "T1",
            Self::CostTooLarge => "T2",
            Self::SenderKey => "T3",
            Self::Signature => "T4",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretKey;
    use crate::limits::{MAX_TRANSACTION_BYTES, MIN_TRANSACTION_BYTES};

    const NETWORK: NetworkId = NetworkId([1; 32]);

    fn payment(key: &SecretKey) -> Payment {
        Payment {
            sender: key.account(),
            recipient: AccountId([9; 32]),
            amount: "2.5".parse().expect("an amount"),
            fee: "0.1".parse().expect("an amount"),
            sequence: Sequence::from(3),
            memo: Memo::new(b"thanks".to_vec()).expect("short"),
        }
    }

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed([seed; 32])
    }

    #[test]
    fn signatures_are_shown_as_hexadecimal() {
        let text = format!("{:?}", Signature([0xab; 64]));
        assert_eq!(text, format!("Signature({})", "ab".repeat(64)));
    }

    #[test]
    fn a_signed_payment_is_valid_and_knows_its_id_and_cost() {
        let transaction = key(1).sign(payment(&key(1)), NETWORK);
        let verified = transaction.clone().verify(NETWORK).expect("valid");
        assert_eq!(verified.id(), transaction.payment.id(NETWORK));
        assert_eq!(verified.cost().to_string(), "2.600000");
        assert_ne!(verified.id(), transaction.payment.id(NetworkId([2; 32])));
    }

    #[test]
    fn a_batch_is_verified_in_order() {
        let keys: Vec<_> = (1..=20).map(key).collect();
        let transactions: Vec<_> = keys.iter().map(|key| key.sign(payment(key), NETWORK)).collect();
        let verified = Transaction::verify_all(transactions.clone(), NETWORK).expect("all valid");
        let back: Vec<_> = verified.iter().map(|one| one.transaction().clone()).collect();
        assert_eq!(back, transactions);
        assert_eq!(Transaction::verify_all(Vec::new(), NETWORK), Ok(Vec::new()));
    }

    #[test]
    fn sizes_are_what_the_limits_say() {
        let mut payment = payment(&key(1));
        for (memo, bytes) in [(0, MIN_TRANSACTION_BYTES), (512, MAX_TRANSACTION_BYTES)] {
            payment.memo = Memo::new(vec![0; memo]).expect("fits");
            assert_eq!(encode(&key(1).sign(payment.clone(), NETWORK)).len(), bytes);
        }
        assert_eq!(Memo::new(vec![0; 513]), None);
    }
}
