//! UDP: announcement and discovery, each message in one datagram.

use bincode::{Decode, Encode};

use super::{InstanceId, MAGIC, Status, VERSION};
use crate::codec::{self, CodecError};
use crate::hash::NetworkId;
use crate::limits::MAX_DATAGRAM_BYTES;
use crate::transaction::Transaction;

/// Zero bytes after a solicitation's sender, which make it as long as the status it asks for: a
/// forged one gains its sender no amplification.
const SOLICIT_PADDING: usize = 82;

/// One datagram.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Datagram {
    magic: [u8; 4],
    version: u16,
    /// The network that it is about. A datagram of another network is not an error: it tells that
    /// there is one.
    pub network: NetworkId,
    /// What is said.
    pub announcement: Announcement,
}

/// What a datagram says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Announcement {
    /// The sender's state, on the status port.
    Status(Status),
    /// A transaction, on the transaction port.
    Transaction(Transaction),
    /// The sender has just joined and asks all to broadcast their status, on the status port.
    Solicit {
        /// Who asks.
        instance: InstanceId,
        /// Zeros.
        padding: [u8; SOLICIT_PADDING],
    },
}

impl Announcement {
    /// A solicitation by this node.
    pub fn solicit(instance: InstanceId) -> Self {
        Self::Solicit { instance, padding: [0; SOLICIT_PADDING] }
    }
}

impl Datagram {
    /// A datagram of this network.
    pub fn new(network: NetworkId, announcement: Announcement) -> Self {
        Self { magic: MAGIC, version: VERSION, network, announcement }
    }

    /// Its bytes, at most [`MAX_DATAGRAM_BYTES`].
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// The datagram of these bytes.
    ///
    /// # Errors
    /// [`DatagramError`]: it is too long, not ours, of another version, or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DatagramError> {
        if bytes.len() > MAX_DATAGRAM_BYTES {
            return Err(DatagramError::TooLong(bytes.len()));
        }
        let rest = bytes.strip_prefix(&MAGIC).ok_or(DatagramError::Magic)?;
        let version = rest.first_chunk().map(|bytes| u16::from_le_bytes(*bytes));
        match version {
            Some(VERSION) => Ok(codec::decode(bytes)?),
            Some(other) => Err(DatagramError::Version(other)),
            None => Err(DatagramError::Magic),
        }
    }
}

/// Why bytes are not a datagram.
#[derive(Debug, thiserror::Error)]
pub enum DatagramError {
    /// Longer than any of ours.
    #[error("{0} bytes, where a datagram has at most {MAX_DATAGRAM_BYTES}")]
    TooLong(usize),
    /// Some other program's.
    #[error("not a Cairn datagram")]
    Magic,
    /// A newer or older program's.
    #[error("message version {0}, and this program speaks {VERSION}")]
    Version(u16),
    /// Ours, but not well-formed.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::{Memo, Payment};
    use crate::{AccountId, Amount, BlockHash, Height, SecretKey, Sequence, Timestamp, Work};

    const NETWORK: NetworkId = NetworkId([1; 32]);

    fn status() -> Announcement {
        Announcement::Status(Status {
            instance: InstanceId([1; 16]),
            height: Height::from(7),
            tip: BlockHash([2; 32]),
            work: Work::ZERO,
            blocks_port: 2607,
            clock: Timestamp::ZERO,
        })
    }

    fn largest_transaction() -> Announcement {
        let key = SecretKey::from_seed([1; 32]);
        let payment = Payment {
            sender: key.account(),
            recipient: AccountId([2; 32]),
            amount: Amount::MAX,
            fee: Amount::ZERO,
            sequence: Sequence::MAX,
            memo: Memo::new(vec![0xff; 512]).expect("fits"),
        };
        Announcement::Transaction(key.sign(payment, NETWORK))
    }

    #[test]
    fn all_announcements_round_trip_in_one_datagram() {
        for announcement in
            [status(), largest_transaction(), Announcement::solicit(InstanceId([3; 16]))]
        {
            let datagram = Datagram::new(NETWORK, announcement);
            assert!(datagram.encode().len() <= MAX_DATAGRAM_BYTES);
            assert_eq!(Datagram::decode(&datagram.encode()).expect("decodes"), datagram);
        }
    }

    #[test]
    fn rule_d4_a_solicitation_is_as_long_as_the_status_it_asks_for() {
        let length = |announcement| Datagram::new(NETWORK, announcement).encode().len();
        assert_eq!(length(Announcement::solicit(InstanceId([3; 16]))), length(status()));
    }

    #[test]
    fn rule_d1_what_is_not_ours_is_told_apart() {
        let good = Datagram::new(NETWORK, status()).encode();
        let changed = |index: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[index] = value;
            Datagram::decode(&bytes)
        };
        assert!(matches!(Datagram::decode(&[0; 1_201]), Err(DatagramError::TooLong(1_201))));
        assert!(matches!(Datagram::decode(&[0; 1_200]), Err(DatagramError::Magic)), "long enough");
        assert!(matches!(changed(0, b'X'), Err(DatagramError::Magic)));
        assert!(matches!(Datagram::decode(b"CRN"), Err(DatagramError::Magic)));
        assert!(matches!(changed(4, 9), Err(DatagramError::Version(9))));
        assert!(matches!(changed(38, 9), Err(DatagramError::Codec(_))));
        let longer = [good.as_slice(), &[0]].concat();
        assert!(matches!(
            Datagram::decode(&longer),
            Err(DatagramError::Codec(CodecError::Trailing(1)))
        ));
        for end in 6..good.len() {
            assert!(matches!(Datagram::decode(&good[..end]), Err(DatagramError::Codec(_))));
        }
    }

    /// So a newer program may lay out the rest as it likes.
    #[test]
    fn rule_d1_another_version_is_told_apart_whatever_follows() {
        for rest in [&b""[..], b"something else", &[0xff; 1_100]] {
            let bytes = [&MAGIC[..], &2_u16.to_le_bytes(), rest].concat();
            assert!(matches!(Datagram::decode(&bytes), Err(DatagramError::Version(2))));
        }
    }

    #[test]
    fn rule_d4_the_padding_is_written_as_zeros_and_not_looked_at() {
        let instance = InstanceId([3; 16]);
        let mut bytes = Datagram::new(NETWORK, Announcement::solicit(instance)).encode();
        let padding = bytes.len() - SOLICIT_PADDING..;
        assert_eq!(bytes[padding.clone()], [0; SOLICIT_PADDING]);
        bytes[padding].fill(0xee);
        let Announcement::Solicit { instance: heard, .. } =
            Datagram::decode(&bytes).expect("decodes").announcement
        else {
            panic!("no solicitation")
        };
        assert_eq!(heard, instance);
    }
}
