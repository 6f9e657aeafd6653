//! [`AccountId`]: the public key that owns an account.

use std::fmt;

use bincode::{Decode, Encode};
use ed25519_dalek::VerifyingKey;

/// The 32 bytes of an ed25519 public key. Any 32 bytes can be paid; only a key that decodes can
/// ever pay.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct AccountId(pub [u8; 32]);

impl AccountId {
    /// Whether somebody can hold a secret key for it: the bytes are a point of the curve, and not
    /// one of small order, for which anybody could sign. A wallet refuses to pay any other.
    pub fn is_spendable(&self) -> bool {
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| !key.is_weak())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({})", const_hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_order_and_undecodable_keys_are_not_spendable() {
        let mut identity = [0; 32];
        identity[0] = 1;
        // y = 2 is not on the curve.
        let mut off_curve = [0; 32];
        off_curve[0] = 2;
        for bytes in [[0; 32], identity, off_curve] {
            assert!(!AccountId(bytes).is_spendable(), "{bytes:?}");
        }
        assert!(crate::SecretKey::from_seed([7; 32]).account().is_spendable());
    }
}
