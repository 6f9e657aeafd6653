//! [`Pending`]: what was changed since the last commit, and when that is enough.

use cairn_protocol::VerifiedBlock;

use crate::types::TipChange;

/// A commit is due after so many payments: each touched account is written once for all of them.
const PAYMENTS: usize = 100_000;
/// And after so many accounts that wait to be written, about 100 bytes each in memory.
const ACCOUNTS: usize = 100_000;
/// And after so many bytes of blocks, which wait in the page cache: 100,000 payments without memos, or
/// 20,000 blocks without payments.
const BYTES: usize = 20 << 20;
/// What the rows of a header take, and those of a block beside its body and header.
const HEADER_ROWS_BYTES: usize = 500;
const BLOCK_ROWS_BYTES: usize = 300;

/// What was changed since the last commit.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// How the tip moved; until somebody asks, also that of earlier commits.
    change: Option<TipChange>,
    payments: usize,
    bytes: usize,
}

impl Pending {
    /// Counts headers.
    pub(crate) fn add_headers(&mut self, number: usize) {
        self.bytes += HEADER_ROWS_BYTES * number;
    }

    /// Counts blocks, by which the tip moved so.
    pub(crate) fn add_blocks(&mut self, blocks: &[VerifiedBlock], change: Option<TipChange>) {
        self.payments += blocks.iter().map(|block| block.payments().len()).sum::<usize>();
        self.bytes +=
            blocks.iter().map(|block| block.encoded_len() + BLOCK_ROWS_BYTES).sum::<usize>();
        self.change = match (self.change.take(), change) {
            (Some(first), Some(then)) => Some(first.followed_by(then)),
            (first, then) => first.or(then),
        };
    }

    /// Whether no more should wait, if so many accounts wait to be written.
    pub(crate) fn is_enough(&self, accounts: usize) -> bool {
        self.payments >= PAYMENTS || self.bytes >= BYTES || accounts >= ACCOUNTS
    }

    /// Notes a commit.
    pub(crate) fn committed(&mut self) {
        (self.payments, self.bytes) = (0, 0);
    }

    /// How the tip has moved since this was last asked.
    pub(crate) fn take_change(&mut self) -> Option<TipChange> {
        self.change.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_payments_accounts_or_bytes_are_enough() {
        let enough = |payments, bytes, accounts| {
            Pending { change: None, payments, bytes }.is_enough(accounts)
        };
        assert!(!enough(PAYMENTS - 1, BYTES - 1, ACCOUNTS - 1));
        assert!(enough(PAYMENTS, 0, 0));
        assert!(enough(0, BYTES, 0));
        assert!(enough(0, 0, ACCOUNTS));
    }

    #[test]
    fn headers_count_by_their_rows() {
        let mut pending = Pending::default();
        pending.add_headers(BYTES / HEADER_ROWS_BYTES);
        assert!(!pending.is_enough(0));
        pending.add_headers(1);
        assert!(pending.is_enough(0));
        pending.committed();
        assert!(!pending.is_enough(0));
    }
}
