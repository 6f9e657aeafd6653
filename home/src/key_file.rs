//! What a key file holds: the key as PEM, and after it a line with the public key.
//!
//! PKCS#8 has no checksum: nearly half of the bits of such a file turn it into that of another key
//! when they flip, which has no coins. The line tells. OpenSSL and others do not read on after the
//! end of the PEM. A file without the line, as they write it, is as good as it can be.

use cairn_protocol::{AccountId, SecretKey};

/// Where the PEM ends.
const END: &str = "-----END PRIVATE KEY-----";

/// Why a file whose PEM holds a key is not to be relied on.
const CHANGED: &str = "some of its bytes have changed: key and public key do not belong together";

/// The file of a key.
pub(crate) fn write(key: &SecretKey) -> String {
    [key.to_pem().as_ref(), &line(key.account())].concat()
}

/// The key of a file.
///
/// # Errors
/// Why there is none.
pub(crate) fn read(text: &str) -> Result<SecretKey, String> {
    let end = text.find(END).map_or(text.len(), |at| at + END.len());
    let (pem, after) = text.split_at(end);
    let key = SecretKey::from_pem(pem).map_err(|error| error.to_string())?;
    // A line that was cut off says what is left of it.
    let belongs = line(key.account()).trim().starts_with(after.trim());
    if belongs { Ok(key) } else { Err(CHANGED.to_owned()) }
}

fn line(account: AccountId) -> String {
    format!("public key {}\n", const_hex::encode(account.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behaviour_53_no_flipped_bit_makes_another_key() {
        let key = SecretKey::from_seed([7; 32]);
        let text = write(&key);
        let (mut found, mut others) = (0, 0);
        for bit in 0..8 * text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let flipped = String::from_utf8_lossy(&bytes);
            match read(&flipped) {
                Ok(read) => assert_eq!(read.account(), key.account(), "bit {bit}"),
                Err(reason) if reason == CHANGED => others += 1,
                Err(_) => found += 1,
            }
        }
        assert!(found > 0 && others > 0, "{found} in the PEM, {others} by the line");
    }

    #[test]
    fn a_file_cut_off_holds_the_key_or_none() {
        let key = SecretKey::from_seed([7; 32]);
        let text = write(&key);
        let whole = key.to_pem().as_ref().trim_end().len();
        for end in 0..text.len() {
            let account = read(&text[..end]).ok().map(|key| key.account());
            assert_eq!(account, (end >= whole).then_some(key.account()), "{end} bytes");
        }
    }

    #[test]
    fn a_file_of_others_needs_no_public_key() {
        let key = SecretKey::from_seed([7; 32]);
        for text in [key.to_pem().as_ref(), key.to_pem().as_ref().trim()] {
            assert_eq!(read(text).expect("a key").account(), key.account());
        }
    }
}
