//! The table `bodies`: encoded blocks of every branch, in the order in which they came.

use std::ops::ControlFlow;

use cairn_protocol::codec::decode;
use cairn_protocol::{Block, BlockHash};
use rusqlite::params;

use super::{HeaderRow, Tables, check_sum, checksum, limit, number, stored};
use crate::error::Fault;

/// Which row of `bodies`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BodyId(pub(super) u64);

impl BodyId {
    /// The number of the next row.
    pub(crate) fn next(self) -> u64 {
        self.0.saturating_add(1)
    }
}

/// The checksum of the block with this hash and encoding.
pub(crate) fn body_sum(hash: &BlockHash, bytes: &[u8]) -> i64 {
    checksum(&[&hash.0, bytes])
}

impl Tables<'_> {
    /// Stores the encoding of the block with this hash.
    pub(crate) fn add_body(self, hash: &BlockHash, bytes: &[u8]) -> Result<BodyId, Fault> {
        let sql = "INSERT INTO bodies (bytes, sum) VALUES (?1, ?2)";
        let id = self.0.prepare_cached(sql)?.insert(params![bytes, body_sum(hash, bytes)])?;
        Ok(BodyId(number(id)?))
    }

    /// Deletes a body, whose space is then used for others.
    pub(crate) fn delete_body(self, id: BodyId) -> Result<(), Fault> {
        self.run("DELETE FROM bodies WHERE id = ?1", [stored(id.0)])
    }

    /// The encoding of a header's block, if it is here.
    pub(crate) fn body(self, header: &HeaderRow) -> Result<Option<Vec<u8>>, Fault> {
        let Some(BodyId(id)) = header.body else {
            return Ok(None);
        };
        let name = || format!("the body of block {}", header.block_ref());
        let sql = "SELECT bytes, sum FROM bodies WHERE id = ?1";
        let found = self.row(sql, [stored(id)], |row| {
            let bytes: Vec<u8> = row.get(0)?;
            check_sum(&[&header.block_ref().hash.0, &bytes], row.get(1)?, name)?;
            Ok(bytes)
        })?;
        found.map(Some).ok_or_else(|| Fault::Damage(format!("{} is missing", name())))
    }

    /// Checks that there is such a table at all.
    pub(crate) fn check_has_bodies(self) -> Result<(), Fault> {
        self.0.prepare_cached("SELECT id, bytes, sum FROM bodies")?;
        Ok(())
    }

    /// Shows the rows from a number on, in the order of their numbers, each with the first bytes of
    /// its block, if those can be read.
    pub(crate) fn each_body(
        self,
        from: u64,
        first_bytes: usize,
        mut show: impl FnMut(BodyId, Option<Vec<u8>>) -> ControlFlow<()>,
    ) -> Result<(), Fault> {
        let sql = "SELECT id, substr(bytes, 1, ?2) FROM bodies WHERE id >= ?1 ORDER BY id";
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query([stored(from), limit(first_bytes)])?;
        while let Some(row) = rows.next()? {
            if show(BodyId(number(row.get(0)?)?), row.get(1).ok()).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// A row: an encoded block and the checksum, which is that of [`body_sum`].
    pub(crate) fn body_row(self, BodyId(id): BodyId) -> Result<Option<(Vec<u8>, i64)>, Fault> {
        let sql = "SELECT bytes, sum FROM bodies WHERE id = ?1";
        self.row(sql, [stored(id)], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The greatest number of a row, as the table tells it.
    pub(crate) fn last_body(self) -> Result<u64, Fault> {
        let last = self.row("SELECT max(id) FROM bodies", [], |row| Ok(row.get(0)?))?;
        last.flatten().map_or(Ok(0), number)
    }

    /// The greatest number of a row, as the table `headers` tells it.
    pub(crate) fn last_body_of_headers(self) -> Result<u64, Fault> {
        let last = self.row("SELECT max(body) FROM headers", [], |row| Ok(row.get(0)?))?;
        last.flatten().map_or(Ok(0), number)
    }

    /// A header's block, if it is here.
    pub(crate) fn block(self, header: &HeaderRow) -> Result<Option<Block>, Fault> {
        let Some(bytes) = self.body(header)? else {
            return Ok(None);
        };
        let block = decode(&bytes).map_err(|error| {
            Fault::Damage(format!("the body of block {} is {error}", header.block_ref()))
        })?;
        Ok(Some(block))
    }
}
