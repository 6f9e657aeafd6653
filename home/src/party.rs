//! [`Party`]: who pays or is paid, as a command line names it.

use cairn_protocol::address::AddressError;
use cairn_protocol::{AccountId, Address, NetworkName};

use crate::failure::{Exit, Failure};
use crate::keys::{KeyName, KeyStore};

/// From how many characters on a word with a `1` in it is taken for an address rather than for a
/// name: an address has at least 60.
const ADDRESS_CHARS: usize = 40;

/// An account, and its local name if it was named by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The name of the local key, if that was given.
    pub name: Option<KeyName>,
    /// The address.
    pub address: Address,
}

impl Party {
    /// The party that `text` names: the local key of that name, else that address.
    ///
    /// # Errors
    /// [`Exit::BadInput`] if it is neither, with the known names or what is wrong with the
    /// address; [`Exit::KeyFile`] if the key file of that name cannot be used.
    pub fn resolve(text: &str, keys: &KeyStore, network: &NetworkName) -> Result<Self, Failure> {
        let name = text.parse::<KeyName>();
        if let Ok(name) = &name
            && keys.contains(name)
        {
            let account = keys.load(name)?.account();
            let address = Address::new(network.clone(), account);
            return Ok(Self { name: Some(name.clone()), address });
        }
        match Address::parse(text, network) {
            Ok(address) => Ok(Self { name: None, address }),
            Err(error) if is_meant_as_address(text, network, &error) => Err(bad_address(&error)),
            Err(_) => Err(name.map_or_else(Failure::from, |name| keys.not_found(&name).into())),
        }
    }

    /// The account.
    pub fn account(&self) -> AccountId {
        self.address.account()
    }

    /// The name, or else the address.
    pub fn label(&self) -> String {
        self.name.as_ref().map_or_else(|| self.address.to_string(), KeyName::to_string)
    }
}

/// Whether somebody who typed this wanted to give an address.
fn is_meant_as_address(text: &str, network: &NetworkName, error: &AddressError) -> bool {
    let prefix = format!("{network}1");
    let starts = text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(&prefix));
    let long = text.len() >= ADDRESS_CHARS && text.contains('1');
    starts || long || !matches!(error, AddressError::NotAnAddress { .. })
}

fn bad_address(error: &AddressError) -> Failure {
    Failure::new(Exit::BadInput, "bad_address", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> (tempfile::TempDir, KeyStore) {
        let parent = tempfile::tempdir().expect("a folder");
        let keys = KeyStore::new(parent.path().to_owned());
        (parent, keys)
    }

    fn cairn() -> NetworkName {
        "cairn".parse().expect("a name")
    }

    #[test]
    fn names_and_addresses_are_told_apart() {
        let (_folder, keys) = keys();
        let alice = "alice".parse().expect("a name");
        let account = keys.create(&alice).expect("new").account();
        let by_name = Party::resolve("alice", &keys, &cairn()).expect("known");
        assert_eq!((by_name.account(), by_name.label()), (account, "alice".to_owned()));
        let address = by_name.address.to_string();
        let by_address = Party::resolve(&address, &keys, &cairn()).expect("valid");
        assert_eq!((by_address.account(), by_address.name), (account, None));
    }

    #[test]
    fn behaviour_60_what_is_neither_is_refused_for_what_it_was_meant_to_be() {
        let (_folder, keys) = keys();
        let good = Address::new(cairn(), AccountId([7; 32])).to_string();
        let foreign = Address::new("other".parse().expect("a name"), AccountId([7; 32]));
        let cases = [
            ("alice", "unknown_name"),
            ("../evil", "bad_name"),
            ("", "bad_name"),
            (&good[..63], "bad_address"),
            (&good.replace('1', "1q"), "bad_address"),
            ("CAIRN1abc", "bad_address"),
            (&foreign.to_string(), "bad_address"),
        ];
        for (text, code) in cases {
            let failure = Party::resolve(text, &keys, &cairn()).expect_err(text);
            assert_eq!((failure.exit(), failure.code()), (Exit::BadInput, code), "{text}");
        }
    }

    #[test]
    fn a_broken_key_file_is_not_an_unknown_name() {
        let (folder, keys) = keys();
        std::fs::write(folder.path().join("alice.pem"), "").expect("written");
        let failure = Party::resolve("alice", &keys, &cairn()).expect_err("broken");
        assert_eq!(failure.exit(), Exit::KeyFile);
    }
}
