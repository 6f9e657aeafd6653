//! [`Filter`]: whether an account is one of a few, asked millions of times.

use std::collections::BTreeSet;

use cairn_protocol::AccountId;

/// A bit for each start of two bytes.
const WORDS: usize = (1 << 16) / 64;

/// Some accounts. Nearly all others are told from them by a look at one bit.
#[derive(Debug)]
pub(super) struct Filter {
    starts: Vec<u64>,
    accounts: BTreeSet<AccountId>,
}

impl Filter {
    pub(super) fn new(accounts: &[AccountId]) -> Self {
        let mut starts = vec![0; WORDS];
        for account in accounts {
            let (word, bit) = place(account);
            starts[word] |= bit;
        }
        Self { starts, accounts: accounts.iter().copied().collect() }
    }

    pub(super) fn contains(&self, account: &AccountId) -> bool {
        let (word, bit) = place(account);
        self.starts[word] & bit != 0 && self.accounts.contains(account)
    }
}

fn place(account: &AccountId) -> (usize, u64) {
    let start = usize::from(u16::from_le_bytes([account.0[0], account.0[1]]));
    (start / 64, 1 << (start % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_of_one_start_are_told_apart() {
        let with = |first, last| {
            let mut bytes = [7; 32];
            (bytes[0], bytes[1], bytes[31]) = (first, 200, last);
            AccountId(bytes)
        };
        let filter = Filter::new(&[with(1, 1), with(255, 9)]);
        let found = [with(1, 1), with(255, 9), with(1, 2), with(2, 1)];
        assert_eq!(found.map(|account| filter.contains(&account)), [true, true, false, false]);
        assert!(!Filter::new(&[]).contains(&with(1, 1)));
    }
}
