//! Writes the active chain to a file.

use std::io::Write;
use std::ops::ControlFlow;

use cairn_protocol::{BlockRef, Network};

use super::format::Writer;
use super::{ExportError, Exported};
use crate::error::Fault;
use crate::stored::{Progress, Stage, StoredBlocks};
use crate::tables::{HeaderRow, Tables};

/// How many headers are read at once.
const HEADERS: usize = 512;

/// Why writing ends early: because of the chain, or for another reason.
enum Stop {
    Fault(Fault),
    Other(ExportError),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Writes the active chain, whose rows are compared with their checksums.
pub(crate) fn export(
    tables: Tables<'_>,
    network: &Network,
    output: &mut dyn Write,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Result<Exported, ExportError>, Fault> {
    match write(tables, network, output, progress) {
        Ok(exported) => Ok(Ok(exported)),
        Err(Stop::Other(error)) => Ok(Err(error)),
        Err(Stop::Fault(fault)) => Err(fault),
    }
}

fn write(
    tables: Tables<'_>,
    network: &Network,
    output: &mut dyn Write,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Exported, Stop> {
    let cannot_write = |error| Stop::Other(ExportError::Write(error));
    let tip = tables.state()?.tip;
    let mut writer = Writer::begin(output, network, tip.block).map_err(cannot_write)?;
    let mut last = network.genesis_ref();
    loop {
        let headers = tables.active_headers(last.height, HEADERS)?;
        let mut rest = &headers[..];
        while !rest.is_empty() {
            let batch = StoredBlocks::read(tables, rest)?;
            check_descent(&rest[..batch.len()], &mut last)?;
            writer.chunk(&batch).map_err(cannot_write)?;
            rest = &rest[batch.len()..];
            let (done, total) = (last.height.get(), tip.block.height.get());
            if progress(Progress { stage: Stage::Blocks, done, total }).is_break() {
                return Err(Stop::Other(ExportError::Interrupted));
            }
        }
        if headers.is_empty() {
            break;
        }
    }
    check_end(last, tip.block)?;
    let bytes = writer.finish(tip.block).map_err(cannot_write)?;
    Ok(Exported { tip, bytes })
}

/// Each row is whole; this checks that they are one chain.
fn check_descent(rows: &[HeaderRow], last: &mut BlockRef) -> Result<(), Fault> {
    for row in rows {
        let block = row.block_ref();
        if *last != row.header().parent_ref() {
            return Err(Fault::Damage(format!("the active block {block} is not on its parent")));
        }
        *last = block;
    }
    Ok(())
}

fn check_end(last: BlockRef, tip: BlockRef) -> Result<(), Fault> {
    if last == tip { Ok(()) } else { Err(Fault::damage("its tip is not on its chain")) }
}
