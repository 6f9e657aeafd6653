//! [`Store`]: a connection to a chain's database, and the transactions in which it is read and
//! written.

use std::path::Path;

use cairn_protocol::Network;
use rusqlite::{Connection, FileControl};

use crate::error::{Fault, LedgerError};
use crate::ledger::LOCK;
use crate::place::{FileId, Place};
use crate::swap;
use crate::tables::{State, Tables};
use crate::types::Journal;

/// A connection to a chain's database.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
    place: Place,
    /// A change has begun and not ended.
    is_changing: bool,
    /// Which file a reader has opened: `miner rebuild` may put another in its place.
    opened: Option<FileId>,
}

impl Store {
    fn new(connection: Connection, place: Place) -> Self {
        Self { connection, place, is_changing: false, opened: None }
    }

    /// Opens the chain of a network for writing, or creates it. The caller holds its lock.
    pub(crate) fn open_writer(
        place: Place,
        network: &Network,
    ) -> Result<(Self, Journal, State), LedgerError> {
        let open = || {
            if let Place::File(path) = &place {
                swap::recover(path)?;
            }
            place.connect_writer()
        };
        let (connection, journal) = open().map_err(|fault: Fault| fault.at(place.path()))?;
        let mut store = Self::new(connection, place);
        // Tables and genesis come in one transaction, so a kill leaves all of them or none.
        let state = store.write(|tables| {
            if tables.are_absent()? {
                return tables.create(network);
            }
            tables.check_owner(network)?;
            let state = tables.state()?;
            if !tables.is_active(state.tip.block)? {
                return Err(Fault::damage("its tip is not on its chain"));
            }
            Ok(state)
        })?;
        Ok((store, journal, state))
    }

    /// Opens the chain of a network for reading.
    pub(crate) fn open_reader(place: Place, network: &Network) -> Result<Self, LedgerError> {
        if let Place::File(path) = &place {
            swap::recover_to_read(path, &path.with_file_name(LOCK))?;
        }
        let opened = place.file_id();
        let connection = place.connect_reader().map_err(|fault| fault.at(place.path()))?;
        let store = Self { opened, ..Self::new(connection, place) };
        let found = store.read(|tables| {
            if tables.are_absent()? {
                return Ok(false);
            }
            tables.check_owner(network)?;
            Ok(true)
        })?;
        if found { Ok(store) } else { Err(LedgerError::NotFound(store.place.path().to_owned())) }
    }

    /// Opens a database to read what can be read of it. The caller holds its lock. The log that
    /// belongs to it stays as it is.
    pub(crate) fn open_damaged(path: &Path) -> Result<Self, LedgerError> {
        let place = Place::File(path.to_owned());
        let connection = place.connect_damaged().map_err(|fault| fault.at(path))?;
        Ok(Self::new(connection, place))
    }

    /// Writes the log into a database that nobody else has open. When it is closed, nothing of it is
    /// left but its file.
    pub(crate) fn leave_no_log(&self) -> Result<(), LedgerError> {
        let leave = || {
            let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
            let is_busy: bool = self.connection.query_row(sql, [], |row| row.get(0))?;
            if is_busy {
                return Err(Fault::damage("somebody else has it open"));
            }
            self.connection.file_control(None::<&str>, FileControl::PersistWal(&mut 0))?;
            Ok(())
        };
        leave().map_err(|fault: Fault| fault.at(self.place.path()))
    }

    /// The tables, outside of any transaction.
    pub(crate) fn tables(&self) -> Tables<'_> {
        Tables::new(&self.connection)
    }

    /// Where it is.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether a reader makes writers wait: there is no write-ahead log.
    pub(crate) fn makes_writers_wait(&self) -> Result<bool, LedgerError> {
        let mode = self.connection.pragma_query_value(None, "journal_mode", |row| row.get(0));
        let mode: String = mode.map_err(|error| Fault::from(error).at(self.place.path()))?;
        Ok(mode != "wal")
    }

    /// Reads with a single statement, which needs no transaction of its own.
    pub(crate) fn look<T>(
        &self,
        work: impl FnOnce(Tables<'_>) -> Result<T, Fault>,
    ) -> Result<T, LedgerError> {
        let done = work(self.tables()).map_err(|fault| fault.at(self.place.path()))?;
        self.check_not_replaced().map(|()| done)
    }

    /// Reads in one transaction: everything is seen as of one moment. Inside an open transaction of
    /// the writer, that is what it has changed so far.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(Tables<'_>) -> Result<T, Fault>,
    ) -> Result<T, LedgerError> {
        let read = || {
            if self.has_changes() {
                return work(Tables::new(&self.connection));
            }
            let transaction = self.connection.unchecked_transaction()?;
            work(Tables::new(&transaction))
        };
        let done = read().map_err(|fault| fault.at(self.place.path()))?;
        self.check_not_replaced().map(|()| done)
    }

    /// What a reader has just read must be of the file that has the name. One that was opened before
    /// the exchange stands still, and may have met the log of the other.
    fn check_not_replaced(&self) -> Result<(), LedgerError> {
        if self.opened.is_some() && self.opened != self.place.file_id() {
            return Err(LedgerError::Replaced(self.place.path().to_owned()));
        }
        Ok(())
    }

    /// Changes the tables in one transaction: all of it or, on an error, nothing.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(Tables<'_>) -> Result<T, Fault>,
    ) -> Result<T, LedgerError> {
        let done = self.change(work)?;
        self.commit()?;
        Ok(done)
    }

    /// Changes the tables, together with what was changed since the last [`Self::commit`]. An error
    /// undoes all of that.
    ///
    /// The transaction is begun as a writing one, so that nothing it reads can change before it
    /// writes.
    pub(crate) fn change<T>(
        &mut self,
        work: impl FnOnce(Tables<'_>) -> Result<T, Fault>,
    ) -> Result<T, LedgerError> {
        self.is_changing = true;
        let changed = self.begin().and_then(|()| work(Tables::new(&self.connection)));
        self.is_changing = false;
        changed.map_err(|fault| self.give_up(fault))
    }

    /// Makes what was changed last, for all to see.
    pub(crate) fn commit(&mut self) -> Result<(), LedgerError> {
        if !self.has_changes() {
            return Ok(());
        }
        let committed = self.run("COMMIT");
        committed.map_err(|error| self.give_up(error.into()))
    }

    /// Whether there is a change that is not committed.
    pub(crate) fn has_changes(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// Whether a change has begun and never ended, because of a panic: what it did must not be
    /// committed.
    pub(crate) fn is_halfway(&self) -> bool {
        self.is_changing
    }

    fn begin(&self) -> Result<(), Fault> {
        if !self.has_changes() {
            self.run("BEGIN IMMEDIATE")?;
        }
        Ok(())
    }

    /// Undoes what is not committed, because of this.
    fn give_up(&self, fault: Fault) -> LedgerError {
        // SQLite itself has undone it after some errors, and does so when the file is closed.
        if self.has_changes() {
            let _ = self.run("ROLLBACK");
        }
        fault.at(self.place.path())
    }

    fn run(&self, statement: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statement)?.execute([]).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::{journal_mode, set_journal};
    use cairn_protocol::{AccountId, Amount, BlockHash, Rules, Sequence};
    use tempfile::TempDir;

    use crate::types::Account;

    fn network() -> Network {
        Network::new(Rules::default()).expect("the defaults are valid")
    }

    fn file_in(folder: &TempDir) -> Place {
        Place::File(folder.path().join("chain.db"))
    }

    #[test]
    fn a_full_disk_is_named_and_loses_nothing() {
        let folder = TempDir::new().expect("a folder");
        let (mut store, ..) = Store::open_writer(file_in(&folder), &network()).expect("created");
        let held = Account { balance: Amount::MAX, sequence: Sequence::FIRST };
        let id = AccountId([1; 32]);
        store.write(|tables| tables.put_account(&id, &held)).expect("space");
        store.connection.pragma_update(None, "max_page_count", 20).expect("SQL");
        let error = store.write(|tables| {
            tables.put_account(&id, &Account::default())?;
            tables.add_body(&BlockHash::default(), &vec![0; 100_000])
        });
        assert!(matches!(error, Err(LedgerError::DiskFull(_))), "{error:?}");
        assert_eq!(store.read(|tables| tables.account(&id)).expect("a disk"), held);
    }

    #[test]
    fn where_a_log_is_unsafe_a_rollback_journal_takes_its_place() {
        let folder = TempDir::new().expect("a folder");
        let place = file_in(&folder);
        let (store, journal, _) = Store::open_writer(place.clone(), &network()).expect("created");
        assert_eq!(journal, Journal::WriteAhead);
        drop(store);
        assert!(folder.path().join("chain.db-wal").exists());

        let (connection, _) = place.connect_writer().expect("a file");
        assert_eq!(set_journal(&connection, false).expect("SQL"), Journal::Rollback);
        assert_eq!(journal_mode(&connection, "DELETE").expect("SQL"), "delete");
        let mut writer = Store::new(connection, place.clone());
        let reader = Store::open_reader(place, &network()).expect("a chain");
        let (id, held) =
            (AccountId([1; 32]), Account { balance: Amount::MAX, ..Account::default() });
        writer.write(|tables| tables.put_account(&id, &held)).expect("a disk");
        assert_eq!(reader.read(|tables| tables.account(&id)).expect("a disk"), held);
    }

    #[test]
    fn an_error_inside_a_transaction_writes_nothing() {
        let place = Place::Memory("/cairn-test-of-errors".into());
        let (mut store, ..) = Store::open_writer(place, &network()).expect("memory");
        let held = Account { balance: Amount::MAX, sequence: Sequence::FIRST };
        let id = AccountId([1; 32]);
        let done: Result<(), _> = store.write(|tables| {
            tables.put_account(&id, &held)?;
            Err(Fault::damage("as an example"))
        });
        assert!(matches!(done, Err(LedgerError::Damaged(..))));
        assert_eq!(store.read(|tables| tables.account(&id)).expect("memory"), Account::default());
    }
}
