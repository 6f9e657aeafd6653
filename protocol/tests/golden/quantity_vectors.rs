//! Amounts, keys and addresses.

use cairn_protocol::{Address, Amount, NetworkName, SecretKey};
use serde::Serialize;

use crate::chain::{alice, bob, carol, coins};
use crate::micros;

#[derive(Serialize)]
pub(crate) struct QuantityVectors {
    amounts: Amounts,
    keys: Vec<Key>,
    refused_addresses: Vec<RefusedAddress>,
}

impl QuantityVectors {
    pub(crate) fn new() -> Self {
        Self { amounts: amounts(), keys: keys(), refused_addresses: refused_addresses() }
    }
}

#[derive(Serialize)]
struct Amounts {
    valid: Vec<ValidAmount>,
    refused: Vec<&'static str>,
}

#[derive(Serialize)]
struct ValidAmount {
    text: &'static str,
    micros: String,
    printed: String,
}

fn amounts() -> Amounts {
    let valid = ["0", "0.0", "10", "2.5", "0.000001", "9223372036854.775807"].map(|text| {
        let amount = coins(text);
        ValidAmount { text, micros: micros(amount), printed: amount.to_string() }
    });
    let refused = [
        "",
        ".",
        ".5",
        "1.",
        "01",
        "-1",
        "+1",
        "1e3",
        "1_000",
        "1,5",
        " 1",
        "1.2.3",
        "NaN",
        "0.0000001",
        "9223372036854.775808",
    ];
    assert!(refused.iter().all(|text| text.parse::<Amount>().is_err()));
    Amounts { valid: valid.into(), refused: refused.into() }
}

#[derive(Serialize)]
struct Key {
    name: &'static str,
    seed: String,
    account: String,
    address: String,
    address_on_other: String,
    pem: String,
}

fn keys() -> Vec<Key> {
    let named = [("alice", 1, alice()), ("bob", 2, bob()), ("carol", 3, carol())];
    named.map(|(name, seed, key)| key_vector(name, seed, &key)).into()
}

fn key_vector(name: &'static str, seed: u8, key: &SecretKey) -> Key {
    let account = key.account();
    let address = |network: &str| {
        let network: NetworkName = network.parse().expect("a name");
        let address = Address::new(network.clone(), account);
        assert_eq!(Address::parse(&address.to_string(), &network), Ok(address.clone()));
        address.to_string()
    };
    let pem = key.to_pem().as_ref().to_owned();
    assert_eq!(SecretKey::from_pem(&pem).expect("a key").account(), account);
    Key {
        name,
        seed: const_hex::encode([seed; 32]),
        account: const_hex::encode(account.0),
        address: address("cairn"),
        address_on_other: address("other"),
        pem,
    }
}

#[derive(Serialize)]
struct RefusedAddress {
    text: String,
    why: &'static str,
}

fn refused_addresses() -> Vec<RefusedAddress> {
    let cairn: NetworkName = "cairn".parse().expect("a name");
    let good = Address::new(cairn.clone(), alice().account()).to_string();
    let other = Address::new("other".parse().expect("a name"), alice().account()).to_string();
    let hrp = bech32::Hrp::parse("cairn").expect("a prefix");
    let bech32 = |bytes: &[u8]| bech32::encode::<bech32::Bech32>(hrp, bytes).expect("encodes");
    let bech32m = |bytes: &[u8]| bech32::encode::<bech32::Bech32m>(hrp, bytes).expect("encodes");
    let mut typing_error = good.clone();
    typing_error.replace_range(20..21, if &good[20..21] == "q" { "p" } else { "q" });
    let mixed_case = good.replacen("cairn1", "Cairn1", 1);
    let cases = [
        (typing_error, "one character is another"),
        (mixed_case, "lower and upper case are mixed"),
        (other, "the prefix is another network's name"),
        (bech32(&alice().account().0), "the checksum is bech32's, not bech32m's"),
        (bech32m(&[1; 31]), "31 bytes"),
        (bech32m(&[1; 33]), "33 bytes"),
    ];
    assert!(cases.iter().all(|(text, _)| Address::parse(text, &cairn).is_err()));
    cases.map(|(text, why)| RefusedAddress { text, why }).into()
}
