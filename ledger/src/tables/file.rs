//! The file as a whole: what only a full check asks of it.

use rusqlite::Connection;

use super::Tables;
use super::meta::SCHEMA;
use crate::error::Fault;

/// A table or index, and the statement that made it.
type Definition = (String, Option<String>);

impl Tables<'_> {
    /// Checks that the tables are defined as this program defines them. A damaged definition would
    /// have SQLite read the same bytes as something else.
    pub(crate) fn check_schema(self) -> Result<(), Fault> {
        let reference = Connection::open_in_memory()?;
        reference.execute_batch(SCHEMA)?;
        for ours in definitions(&reference)? {
            if !definitions(self.0)?.contains(&ours) {
                return Err(Fault::Damage(format!("its table or index {} is not ours", ours.0)));
            }
        }
        Ok(())
    }

    /// Checks how many rows a table has.
    pub(crate) fn check_rows(self, table: &str, expected: u64) -> Result<(), Fault> {
        let sql = format!("SELECT count(*) FROM {table}");
        let found: i64 = self.0.query_row(&sql, [], |row| row.get(0))?;
        if found == super::stored(expected) {
            return Ok(());
        }
        let text = format!("its table {table} has {found} rows, of which {expected} are in use");
        Err(Fault::Damage(text))
    }

    /// SQLite's own check: the pages of the file, and each index beside its table.
    pub(crate) fn check_pages(self) -> Result<(), Fault> {
        let sql = "PRAGMA integrity_check(1)";
        let found: String = self.0.query_row(sql, [], |row| row.get(0))?;
        if found == "ok" { Ok(()) } else { Err(Fault::Damage(found.replace('\n', " "))) }
    }
}

fn definitions(connection: &Connection) -> Result<Vec<Definition>, Fault> {
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema")?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}
