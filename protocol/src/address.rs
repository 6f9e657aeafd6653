//! [`Address`]: an account as people write it, in bech32m (BIP 350) under the network's name.

use std::fmt;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32m, Hrp};

use crate::account::AccountId;
use crate::rules::NetworkName;

/// An account on a network, such as
/// `cairn1…`, 64 characters for the network `cairn`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    network: NetworkName,
    account: AccountId,
}

impl Address {
    /// The address of this account on this network.
    pub fn new(network: NetworkName, account: AccountId) -> Self {
        Self { network, account }
    }

    /// The account.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The address of `network` that `text` writes, in lower or upper case.
    ///
    /// # Errors
    /// [`AddressError`]: it is not an address, has a typing error, or is another network's.
    pub fn parse(text: &str, network: &NetworkName) -> Result<Self, AddressError> {
        let checked = CheckedHrpstring::new::<Bech32m>(text).map_err(|error| {
            AddressError::NotAnAddress { text: text.to_owned(), reason: error.to_string() }
        })?;
        let prefix = checked.hrp().to_lowercase();
        if prefix != network.as_str() {
            return Err(AddressError::OtherNetwork { theirs: prefix, ours: network.clone() });
        }
        checked.validate_segwit_padding().map_err(|error| AddressError::NotAnAddress {
            text: text.to_owned(),
            reason: error.to_string(),
        })?;
        let bytes: Vec<u8> = checked.byte_iter().collect();
        let bytes: [u8; 32] =
            bytes.as_slice().try_into().map_err(|_| AddressError::Length(bytes.len()))?;
        Ok(Self::new(network.clone(), AccountId(bytes)))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = Hrp::parse(self.network.as_str()).expect("a network name is a valid prefix");
        let text = bech32::encode_lower::<Bech32m>(prefix, &self.account.0)
            .expect("32 bytes under at most 20 characters are below bech32m's 1,023");
        f.pad(&text)
    }
}

/// Why a text is not an address of our network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No bech32m text, or one with a typing error.
    #[error("{text:?} is not an address ({reason}); copy it again, it may have a typing error")]
    NotAnAddress {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An address, but of a network with another name.
    #[error("this address belongs to the network {theirs:?}, and this network is {ours:?}")]
    OtherNetwork {
        /// The address's prefix.
        theirs: String,
        /// Our network's name.
        ours: NetworkName,
    },
    /// A correct bech32m text that does not hold a key.
    #[error("this address holds {0} bytes; a Cairn address holds 32")]
    Length(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> NetworkName {
        text.parse().expect("a name")
    }

    #[test]
    fn addresses_of_the_default_network_have_64_characters() {
        let address = Address::new(name("cairn"), AccountId([0xab; 32]));
        assert_eq!(address.to_string().len(), 64);
        assert_eq!(Address::parse(&address.to_string(), &name("cairn")), Ok(address.clone()));
        let upper = address.to_string().to_uppercase();
        assert_eq!(Address::parse(&upper, &name("cairn")), Ok(address));
    }

    #[test]
    fn every_single_typing_error_is_caught() {
        let text = Address::new(name("cairn"), AccountId([0x5a; 32])).to_string();
        for position in 0..text.len() {
            for typed in "qpzry9x8gf2tvdw0s3jn54khce6mua7lb1io".chars() {
                let mut wrong: Vec<char> = text.chars().collect();
                if wrong[position] == typed {
                    continue;
                }
                wrong[position] = typed;
                let wrong: String = wrong.into_iter().collect();
                assert!(Address::parse(&wrong, &name("cairn")).is_err(), "{wrong}");
            }
        }
    }

    #[test]
    fn what_is_no_address_of_this_network_is_refused_with_its_reason() {
        let foreign = Address::new(name("other"), AccountId([1; 32])).to_string();
        assert!(matches!(
            Address::parse(&foreign, &name("cairn")),
            Err(AddressError::OtherNetwork { theirs, .. }) if theirs == "other"
        ));
        let hrp = Hrp::parse("cairn").expect("a prefix");
        let short = bech32::encode::<Bech32m>(hrp, &[1; 31]).expect("encodes");
        assert_eq!(Address::parse(&short, &name("cairn")), Err(AddressError::Length(31)));
        let old = bech32::encode::<bech32::Bech32>(hrp, &[1; 32]).expect("encodes");
        for text in ["", "alice", "cairn1", &old, "https://example.org"] {
            let refused = Address::parse(text, &name("cairn"));
            assert!(matches!(refused, Err(AddressError::NotAnAddress { .. })), "{text}");
        }
    }

    /// BIP 350's vectors (tests/vectors/SOURCE.md), through the same decoder.
    #[test]
    fn bip_350() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../tests/vectors/bech32m/bip350.json"))
                .expect("JSON");
        let list = |key: &str| vectors[key].as_array().expect("a list").clone();
        for valid in list("valid_bech32m") {
            let text = valid.as_str().expect("text");
            assert!(CheckedHrpstring::new::<Bech32m>(text).is_ok(), "{text}");
        }
        for invalid in list("invalid_bech32m") {
            let text = invalid["s"].as_str().expect("text");
            assert!(CheckedHrpstring::new::<Bech32m>(text).is_err(), "{text}");
        }
        assert_eq!(list("valid_bech32m").len() + list("invalid_bech32m").len(), 21);
    }
}
