//! [`SecretKey`]: what signs an account's payments, and its PKCS#8 text form.

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{Signer, SigningKey};
use rand::CryptoRng;

use crate::account::AccountId;
use crate::hash::NetworkId;
use crate::transaction::{Payment, Signature, Transaction};

/// An ed25519 secret key. Its bytes are wiped from memory when it is dropped, and `Debug` leaves
/// them out.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// A new key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        Self::from_seed(seed)
    }

    /// The key of this 32-byte seed (RFC 8032 calls it the private key).
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// The account that this key owns.
    pub fn account(&self) -> AccountId {
        AccountId(self.0.verifying_key().to_bytes())
    }

    /// The payment with this key's signature. It is valid if its sender is [`Self::account`].
    pub fn sign(&self, payment: Payment, network: NetworkId) -> Transaction {
        let signature = Signature(self.0.sign(&payment.signed_message(network)).to_bytes());
        Transaction { payment, signature }
    }

    /// PKCS#8 version 1 in PEM (RFC 8410), as OpenSSL writes it.
    pub fn to_pem(&self) -> impl AsRef<str> + use<> {
        let bytes = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        bytes.to_pkcs8_pem(LineEnding::LF).expect("a key always has a PEM form")
    }

    /// The key of a PKCS#8 PEM text, version 1 or 2.
    ///
    /// # Errors
    /// [`ParseKeyError`] if it is none, is encrypted, or if its public half is not of its secret.
    pub fn from_pem(text: &str) -> Result<Self, ParseKeyError> {
        SigningKey::from_pkcs8_pem(text).map(Self).map_err(|error| ParseKeyError(error.to_string()))
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKey of {:?}", self.account())
    }
}

/// A text is not an ed25519 secret key in PKCS#8 PEM.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an ed25519 secret key in PKCS#8 PEM: {0}")]
pub struct ParseKeyError(String);

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032 section 7.1 (tests/vectors/SOURCE.md).
    #[test]
    fn rfc_8032() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../tests/vectors/ed25519/rfc8032_7.1.json"))
                .expect("JSON");
        let vectors = vectors.as_array().expect("a list");
        for vector in vectors {
            let bytes =
                |key: &str| const_hex::decode(vector[key].as_str().expect("text")).expect("hex");
            let seed = bytes("sk").try_into().expect("32 bytes");
            let key = SecretKey::from_seed(seed);
            assert_eq!(key.account().0.as_slice(), bytes("pk"));
            assert_eq!(key.0.sign(&bytes("msg")).to_bytes().as_slice(), bytes("sig"));
            let verifier =
                ed25519_zebra::VerificationKey::try_from(key.account().0).expect("a key");
            let signature = ed25519_zebra::Signature::from_slice(&bytes("sig")).expect("64 bytes");
            verifier.verify(&signature, &bytes("msg")).expect("valid");
        }
        assert_eq!(vectors.len(), 5);
    }

    /// The key of RFC 8410 section 10.3, from ed25519-zebra (tests/vectors/SOURCE.md).
    #[test]
    fn rfc_8410() {
        let v1 = include_str!("../tests/vectors/pkcs8/zebra_pkcs8-v1.pem");
        let key = SecretKey::from_pem(v1).expect("version 1");
        let public = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
        assert_eq!(const_hex::encode(key.account().0), public);
        assert_eq!(key.to_pem().as_ref(), v1);
        let v2 = SecretKey::from_pem(include_str!("../tests/vectors/pkcs8/zebra_pkcs8-v2.pem"));
        assert_eq!(v2.expect("version 2").account(), key.account());
    }

    #[test]
    fn damaged_encrypted_and_foreign_keys_are_refused() {
        for text in [
            "",
            include_str!("../tests/vectors/pkcs8/zebra_pkcs8-v2-bad-ver-key.pem"),
            include_str!("../tests/vectors/pkcs8/pyca_ed25519-pkcs8-enc.pem"),
            include_str!("../tests/vectors/pkcs8/pyca_ed25519-pub.pem"),
            &include_str!("../tests/vectors/pkcs8/zebra_pkcs8-v1.pem")[..90],
        ] {
            assert!(SecretKey::from_pem(text).is_err(), "{text}");
        }
    }

    #[test]
    fn debug_keeps_the_secret() {
        let key = SecretKey::from_seed([0x42; 32]);
        assert!(!format!("{key:?}").contains("4242"));
    }
}
