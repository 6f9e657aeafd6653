//! [`survey`]: which rows of a damaged database may hold a block, and of which height.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use super::RebuildError;
use crate::store::Store;
use crate::stored::{Progress, SEALED_HEADER_BYTES, Stage, StoredBlock};
use crate::tables::{BodyId, Tables};

/// A row takes more bytes than these. So its number is below the bytes of the file by them, unless
/// it is damaged.
const LEAST_ROW_BYTES: u64 = 64;
/// How many rows are gone through without telling.
const STEP: u64 = 1_000;

/// What may be read of the table `bodies`.
pub(super) struct Survey {
    /// The rows, by the height that stands in their blocks, and then in the order in which they
    /// came.
    pub(super) rows: Vec<(u64, BodyId)>,
    /// How many there are, at least, that cannot be read.
    pub(super) left_out: u64,
}

/// Goes through all rows, and past those that cannot be read.
pub(super) fn survey(
    old: &Store,
    path: &Path,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Survey, RebuildError> {
    let tables = old.tables();
    match tables.check_has_bodies() {
        Err(fault) if fault.is_of_a_part() => return Err(RebuildError::Nothing(path.to_owned())),
        other => other.map_err(|fault| fault.at(path))?,
    }
    let told = last_row(tables);
    let most = bytes_of(path) / LEAST_ROW_BYTES;
    let last = told.unwrap_or(most).min(most);
    let mut found = Survey { rows: Vec::new(), left_out: 0 };
    let mut next = 1;
    loop {
        let mut tell = |next: u64| match next % STEP {
            0 => show(progress, Stage::Bodies, next, last.max(next)),
            _ => Ok(()),
        };
        let mut stopped = tell(next);
        let walked = tables.each_body(next, SEALED_HEADER_BYTES, |id, first_bytes| {
            match first_bytes.and_then(StoredBlock::of) {
                Some(stored) => found.rows.push((stored.block.height.get(), id)),
                None => found.left_out += 1,
            }
            next = next.max(id.next());
            stopped = tell(next);
            if stopped.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        stopped?;
        match walked {
            Err(fault) if fault.is_of_a_part() && next <= last => {
                // Where nobody knows how many rows there are, their number is not made up.
                found.left_out += u64::from(told.is_some() || found.left_out == 0);
                next += 1;
            }
            Err(fault) if fault.is_of_a_part() => break,
            done => break done.map_err(|fault| fault.at(path))?,
        }
    }
    found.rows.sort_unstable();
    Ok(found)
}

/// Tells how far it is.
pub(super) fn show(
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    stage: Stage,
    done: u64,
    total: u64,
) -> Result<(), RebuildError> {
    match progress(Progress { stage, done, total }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(RebuildError::Interrupted),
    }
}

/// The number of the last row, if that can be found out.
fn last_row(tables: Tables<'_>) -> Option<u64> {
    [tables.last_body(), tables.last_body_of_headers()].into_iter().flatten().max()
}

/// The bytes of a database and its log.
fn bytes_of(path: &Path) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let bytes = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    bytes(path) + bytes(Path::new(&log))
}
