//! Random damage of `wallet.db`, before whoever pays and whoever repeats payments.
//!
//! | command | places of each kind of damage |
//! |---|---|
//! | `cargo test -p cairn-home damage` | 200 |
//! | `CAIRN_FLIPS=1000 cargo test --release -p cairn-home damage` | so many |
//! | `CAIRN_SEED=7 ...` | others: those of seed 7 instead of 1 |

use std::fs;
use std::path::Path;

use cairn_ledger::{Ledger, LedgerReader};
use cairn_protocol::hash::sha256;
use tempfile::TempDir;

use super::database::FILE;
use super::tests::{key, mine, network, record, sequences, sign};
use super::{Outbox, OutboxError};

/// Where a database says which versions may write it.
const WRITE_VERSION: usize = 18;
const PLACES: u32 = 200;
const SEED: u32 = 1;

/// A chain whose account has paid three times, and an outbox with those and five payments that
/// wait.
struct Payer {
    folder: TempDir,
    reader: LedgerReader,
    whole: Vec<u8>,
}

impl Payer {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let mut ledger = Ledger::open(folder.path(), &network()).expect("new");
        mine(&mut ledger, &[]);
        let reader = ledger.reader().expect("readable");
        let mut outbox = Outbox::open(folder.path()).expect("opens");
        let payments: Vec<_> = (0..8).map(|_| record(&mut outbox, &reader)).collect();
        mine(&mut ledger, &payments[..3]);
        drop(outbox);
        let whole = fs::read(folder.path().join(FILE)).expect("readable");
        Self { folder, reader, whole }
    }

    /// What waits, and then the sequence of the next payment, from an outbox of these bytes.
    fn pay(&self, bytes: &[u8]) -> Result<(Vec<u64>, u64), OutboxError> {
        let folder: &Path = self.folder.path();
        fs::write(folder.join(FILE), bytes).expect("written");
        let mut outbox = Outbox::open(folder)?;
        let waiting = sequences(&outbox.unconfirmed(&self.reader)?);
        let signed = |account, waiting: &[_]| Ok::<_, OutboxError>(sign(account, waiting));
        let payment = outbox.record(&self.reader, key().account(), signed)?;
        Ok((waiting, payment.payment.sequence.get()))
    }

    /// Whether such an outbox is said to be damaged.
    ///
    /// # Panics
    /// If a payment is forgotten in silence, or a sequence is given out that is not the next.
    fn notices(&self, bytes: &[u8], what: &str) -> bool {
        match self.pay(bytes) {
            Ok(paid) => assert_eq!(paid, (vec![3, 4, 5, 6, 7], 8), "{what}"),
            Err(OutboxError::Damaged(..)) => return true,
            // SQLite may only read what a later version wrote, by what stands there.
            Err(OutboxError::NoPermission(_)) if bytes.get(WRITE_VERSION) > Some(&2) => {
                return true;
            }
            Err(error) => panic!("{what}: {error:?}"),
        }
        false
    }
}

/// A number from the environment.
fn setting(name: &str) -> Option<u32> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}

/// Random places in so many, by the name of what happens there.
fn places(name: &str, among: usize) -> impl Iterator<Item = usize> {
    let seed = setting("CAIRN_SEED").unwrap_or(SEED);
    (0..setting("CAIRN_FLIPS").unwrap_or(PLACES)).map(move |number| {
        let hash = sha256(&[name.as_bytes(), &seed.to_le_bytes(), &number.to_le_bytes()]);
        let [a, b, c, d, ..] = hash;
        usize::try_from(u32::from_be_bytes([a, b, c, d])).expect("32 bits") % among
    })
}

#[test]
fn behaviour_53_after_a_flipped_bit_no_payment_is_forgotten_and_no_sequence_given_out_twice() {
    let payer = Payer::new();
    assert!(!payer.notices(&payer.whole, "no damage"));
    let flip = |bit: usize| {
        let mut flipped = payer.whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        payer.notices(&flipped, &format!("bit {bit}"))
    };
    let noticed = places("flip", 8 * payer.whole.len()).filter(|bit| flip(*bit)).count();
    assert!(noticed > 0);
}

/// The database then takes a payment for malformed.
#[test]
fn behaviour_53_a_flipped_bit_in_the_tables_definition_is_damage() {
    let payer = Payer::new();
    let mut flipped = payer.whole.clone();
    let words = b"fate INTEGER NOT NULL DEFAULT 0";
    let at = flipped.windows(words.len()).position(|window| window == words).expect("defined");
    flipped[at + words.len() - 1] ^= 0x40;
    assert!(payer.notices(&flipped, "DEFAULT p"));
}

#[test]
fn behaviour_53_an_outbox_cut_off_anywhere_but_at_its_start_is_damaged() {
    let payer = Payer::new();
    let among = payer.whole.len() - 1;
    for end in places("cut", among).map(|place| place + 1) {
        assert!(payer.notices(&payer.whole[..end], &format!("{end} bytes")), "{end} bytes");
    }
}
