//! Reading the active chain's blocks one after the other, where they lie.

use cairn_protocol::codec::CodecError;
use cairn_protocol::{BlockRef, BlockView, Height};
use rusqlite::types::ValueRef;
use rusqlite::{Row, params};

use super::chains::read_active;
use super::{Tables, check_sum, limit, stored};
use crate::error::Fault;

impl Tables<'_> {
    /// Shows the active blocks above a height in ascending order, at most so many, without a copy of
    /// their bytes.
    ///
    /// Headers are only passed through on the way to the bodies: a body's checksum is of its block's
    /// hash too, and that hash stands in `active`.
    pub(crate) fn scan_active(
        self,
        above: Height,
        most: usize,
        show: &mut dyn FnMut(BlockRef, BlockView<'_>) -> Result<(), CodecError>,
    ) -> Result<(), Fault> {
        let sql = "SELECT a.height, a.hash, a.recipient, a.amount, a.sum, b.bytes, b.sum \
                   FROM active a \
                   LEFT JOIN headers h ON h.height = a.height AND h.hash = a.hash \
                   LEFT JOIN bodies b ON b.id = h.body \
                   WHERE a.height > ?1 ORDER BY a.height LIMIT ?2";
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(params![stored(above.get()), limit(most)])?;
        let mut heights = Vec::new();
        while let Some(row) = rows.next()? {
            let block = read_active(row)?.block_ref();
            show(block, read_body(row, block)?).map_err(|error| malformed(block, &error))?;
            heights.push(block.height);
        }
        self.check_unbroken(above, most, heights.into_iter())
    }
}

fn read_body<'a>(row: &'a Row<'_>, block: BlockRef) -> Result<BlockView<'a>, Fault> {
    let name = || format!("the body of block {block}");
    let ValueRef::Blob(bytes) = row.get_ref(5)? else {
        return Err(Fault::Damage(format!("{} is missing", name())));
    };
    check_sum(&[&block.hash.0, bytes], row.get(6)?, name)?;
    BlockView::new(bytes).map_err(|error| malformed(block, &error))
}

fn malformed(block: BlockRef, error: &CodecError) -> Fault {
    Fault::Damage(format!("the body of block {block} is {error}"))
}
