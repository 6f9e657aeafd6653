//! The table `bodies`: encoded blocks of every branch, in the order in which they came.

use cairn_protocol::codec::decode;
use cairn_protocol::{Block, BlockHash};
use rusqlite::params;

use super::{HeaderRow, Tables, check_sum, checksum, stored};
use crate::error::Fault;

/// Which row of `bodies`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BodyId(pub(super) u64);

impl Tables<'_> {
    /// Stores the encoding of the block with this hash.
    pub(crate) fn add_body(self, hash: &BlockHash, bytes: &[u8]) -> Result<BodyId, Fault> {
        let sql = "INSERT INTO bodies (bytes, sum) VALUES (?1, ?2)";
        let id = self.0.prepare_cached(sql)?.insert(params![bytes, checksum(&[&hash.0, bytes])])?;
        Ok(BodyId(super::number(id)?))
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
