//! The table `headers`: every branch, keyed by height and hash.

use cairn_protocol::codec::{decode, encode};
use cairn_protocol::{
    BlockHash, BlockRef, Header, Height, Network, ProvenHeader, SealedHeader, Work,
};
use rusqlite::{Row, params};

use super::{BodyId, Tables, check_sum, checksum, limit, number, stored};
use crate::Tip;
use crate::error::Fault;

/// A header and what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeaderRow {
    sealed: SealedHeader,
    hash: BlockHash,
    /// All work up to it.
    pub(crate) work: Work,
    /// When it was first seen, as a running number.
    pub(crate) seen: u64,
    /// Its block's body, if that is here.
    pub(crate) body: Option<BodyId>,
    /// When the bodies of all blocks up to it were here, as a running number, if they are.
    pub(crate) complete: Option<u64>,
    /// Whether its block, or one before it, was found to be invalid.
    pub(crate) invalid: bool,
}

impl HeaderRow {
    /// The row of genesis.
    pub(crate) fn genesis(network: &Network) -> Self {
        Self {
            sealed: *network.genesis(),
            hash: network.genesis_ref().hash,
            work: Work::ZERO,
            seen: 0,
            body: None,
            complete: Some(0),
            invalid: false,
        }
    }

    /// The row of a header that was never seen.
    pub(crate) fn new(header: &ProvenHeader, parent: &Self, seen: u64) -> Self {
        Self {
            sealed: *header.sealed(),
            hash: header.hash(),
            work: parent.work.plus(header.work()),
            seen,
            body: None,
            complete: None,
            invalid: false,
        }
    }

    /// The header.
    pub(crate) fn header(&self) -> &Header {
        &self.sealed.header
    }

    /// The header with its proof.
    pub(crate) fn sealed(&self) -> &SealedHeader {
        &self.sealed
    }

    /// Where the block stands.
    pub(crate) fn block_ref(&self) -> BlockRef {
        BlockRef { height: self.sealed.header.height, hash: self.hash }
    }

    /// The branch that ends here.
    pub(crate) fn tip(&self) -> Tip {
        Tip { block: self.block_ref(), work: self.work, time: self.sealed.header.time }
    }

    fn checked_content(&self) -> Vec<u8> {
        let body = self.body.map(|id| id.0);
        encode(&(self.sealed, self.hash, self.work, self.seen, body, self.complete, self.invalid))
    }
}

/// SELECT of all that [`read_header`] needs, then the rest of the statement.
macro_rules! select_headers {
    ($rest:literal) => {
        concat!(
            "SELECT h.sealed, h.hash, h.work, h.seen, h.body, h.complete, h.invalid, h.sum, \
             h.height FROM ",
            $rest
        )
    };
}

impl Tables<'_> {
    /// The row of a header of any branch.
    pub(crate) fn header(self, block: BlockRef) -> Result<Option<HeaderRow>, Fault> {
        let sql = select_headers!("headers h WHERE height = ?1 AND hash = ?2");
        self.row(sql, params![stored(block.height.get()), block.hash.0], read_header)
    }

    /// The row of a header that must be there.
    pub(crate) fn expect_header(self, block: BlockRef) -> Result<HeaderRow, Fault> {
        let missing = || Fault::Damage(format!("the header of block {block} is missing"));
        self.header(block)?.ok_or_else(missing)
    }

    /// Whether the header is there.
    pub(crate) fn has_header(self, block: BlockRef) -> Result<bool, Fault> {
        let sql = "SELECT 1 FROM headers WHERE height = ?1 AND hash = ?2";
        let params = params![stored(block.height.get()), block.hash.0];
        Ok(self.row(sql, params, |_| Ok(()))?.is_some())
    }

    /// The headers whose parent this block is. Looks at all headers of the next height, which are
    /// as many as there are branches.
    pub(crate) fn children(self, block: BlockRef) -> Result<Vec<HeaderRow>, Fault> {
        let sql = select_headers!("headers h WHERE height = ?1");
        let mut next = self.rows(sql, [stored(block.height.next().get())], read_header)?;
        next.retain(|header| header.header().parent == block.hash);
        Ok(next)
    }

    /// The header with the most work that is not known to be invalid; the first seen on a tie.
    pub(crate) fn most_work(self) -> Result<HeaderRow, Fault> {
        let sql = select_headers!("headers h WHERE invalid = 0 ORDER BY work DESC, seen LIMIT 1");
        self.row(sql, [], read_header)?.ok_or_else(|| Fault::damage("it has no headers"))
    }

    /// The complete branches with at least so much work, the most first; the first complete on a
    /// tie.
    pub(crate) fn complete_from(self, work: Work) -> Result<Vec<HeaderRow>, Fault> {
        let sql = select_headers!(
            "headers h WHERE invalid = 0 AND work >= ?1 AND complete IS NOT NULL \
             ORDER BY work DESC, complete"
        );
        self.rows(sql, [work.to_be_bytes()], read_header)
    }

    /// Shows every header, in the order of heights and hashes, which must be that of their rows.
    pub(crate) fn each_header(
        self,
        mut show: impl FnMut(HeaderRow) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let sql = select_headers!("headers h ORDER BY height, hash");
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let header = read_header(row)?;
            let height: i64 = row.get(8)?;
            if height != stored(header.header().height.get()) {
                let block = header.block_ref();
                return Err(Fault::Damage(format!(
                    "the header of block {block} stands at height {height}"
                )));
            }
            show(header)?;
        }
        Ok(())
    }

    /// Adds or replaces a header.
    pub(crate) fn put_header(self, row: &HeaderRow) -> Result<(), Fault> {
        let sql = "INSERT OR REPLACE INTO headers \
                   (height, hash, sealed, work, seen, body, complete, invalid, sum) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let params = params![
            stored(row.header().height.get()),
            row.hash.0,
            encode(&row.sealed),
            row.work.to_be_bytes(),
            stored(row.seen),
            row.body.map(|id| stored(id.0)),
            row.complete.map(stored),
            row.invalid,
            checksum(&[&row.checked_content()]),
        ];
        self.run(sql, params)
    }

    /// The headers of the active chain above a height, in ascending order, at most so many.
    ///
    /// LEFT JOIN, here and below: a block without its header is damage, and not left out.
    pub(crate) fn active_headers(
        self,
        above: Height,
        most: usize,
    ) -> Result<Vec<HeaderRow>, Fault> {
        let sql = select_headers!(
            "active a LEFT JOIN headers h ON h.height = a.height AND h.hash = a.hash \
             WHERE a.height > ?1 ORDER BY a.height LIMIT ?2"
        );
        let headers = self.rows(sql, params![stored(above.get()), limit(most)], read_header)?;
        self.check_unbroken(above, most, headers.iter().map(|row| row.header().height))?;
        Ok(headers)
    }

    /// The first blocks of the best header's chain from a height on whose bodies are not here.
    pub(crate) fn best_without_body(
        self,
        from: Height,
        most: usize,
    ) -> Result<Vec<HeaderRow>, Fault> {
        let sql = select_headers!(
            "best b LEFT JOIN headers h ON h.height = b.height AND h.hash = b.hash \
             WHERE b.height >= ?1 AND h.body IS NULL ORDER BY b.height LIMIT ?2"
        );
        self.rows(sql, params![stored(from.get()), limit(most)], read_header)
    }
}

fn read_header(row: &Row<'_>) -> Result<HeaderRow, Fault> {
    let sealed: Vec<u8> = row.get(0)?;
    let malformed = |error| Fault::Damage(format!("a header is {error}"));
    let body: Option<i64> = row.get(4)?;
    let complete: Option<i64> = row.get(5)?;
    let header = HeaderRow {
        sealed: decode(&sealed).map_err(malformed)?,
        hash: BlockHash(row.get(1)?),
        work: Work::from_be_bytes(&row.get(2)?),
        seen: number(row.get(3)?)?,
        body: body.map(number).transpose()?.map(BodyId),
        complete: complete.map(number).transpose()?,
        invalid: row.get(6)?,
    };
    let name = || format!("the header of block {}", header.block_ref());
    check_sum(&[&header.checked_content()], row.get(7)?, name)?;
    Ok(header)
}
