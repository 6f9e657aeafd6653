//! The tables of chain.db: [`Tables`] reads and writes their rows, one file for each table.
//!
//! | table | key | holds |
//! |---|---|---|
//! | `meta` | name | schema version, network id, rules, and the [`State`] |
//! | `headers` | height, hash | headers of every branch, their work, and what is known of them |
//! | `bodies` | running number | the encoded blocks, of every branch |
//! | `active` | height | the chain whose payments are in `accounts`, with its rewards |
//! | `best` | height | the chain of the best header, which `active` follows |
//! | `accounts` | public key | balance and sequence, where one of them is not zero |
//!
//! Only `accounts` has a random key; an index on hashes would make the load rate fall with size.
//! SQLite does not notice a bit that flips inside a row, so the rows that matter carry a
//! [`checksum`] of themselves.

mod accounts;
mod bodies;
mod chains;
mod file;
mod headers;
mod meta;
mod scan;

use cairn_protocol::hash::sha256;
use rusqlite::{Connection, OptionalExtension, Params, Row};

pub(crate) use bodies::{BodyId, body_sum};
pub(crate) use chains::ActiveBlock;
pub(crate) use headers::HeaderRow;
pub(crate) use meta::State;

use crate::error::Fault;

/// The tables of a database, inside whatever transaction its connection is in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tables<'c>(&'c Connection);

impl<'c> Tables<'c> {
    /// The tables of the database of this connection.
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self(connection)
    }

    /// The row that a statement finds, if any.
    fn row<T>(
        self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let mut statement = self.0.prepare_cached(sql)?;
        let found = statement.query_row(params, |row| Ok(read(row))).optional()?;
        found.transpose()
    }

    /// All rows that a statement finds, in its order.
    fn rows<T>(
        self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(read(row)?);
        }
        Ok(all)
    }

    /// Runs a statement that finds nothing.
    fn run(self, sql: &str, params: impl Params) -> Result<(), Fault> {
        self.0.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }
}

/// The first eight bytes of SHA-256 over a row's content.
fn checksum(content: &[&[u8]]) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = sha256(content);
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Checks a row against the checksum stored with it.
fn check_sum(content: &[&[u8]], stored: i64, what: impl FnOnce() -> String) -> Result<(), Fault> {
    if checksum(content) == stored {
        Ok(())
    } else {
        Err(Fault::Damage(format!("{} does not match its checksum", what())))
    }
}

/// A number as SQLite stores it. All that the ledger stores stay below 2^63.
fn stored(number: u64) -> i64 {
    number.cast_signed()
}

/// A stored number.
fn number(stored: i64) -> Result<u64, Fault> {
    u64::try_from(stored).map_err(|_| Fault::damage("a negative number is stored"))
}

/// A number of rows as SQLite takes it.
fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
