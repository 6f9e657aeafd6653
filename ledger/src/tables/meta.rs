//! The table `meta`: whose chain this is, and where it stands.

use cairn_protocol::codec::{CodecError, decode, encode};
use cairn_protocol::{BlockRef, Network, Rules, Timestamp, Work};
use rusqlite::params;

use super::{HeaderRow, Tables, check_sum, checksum};
use crate::Tip;
use crate::error::Fault;

/// Counts the changes of the tables.
const SCHEMA_VERSION: u32 = 1;

pub(super) const SCHEMA: &str = "
    CREATE TABLE meta (
        name TEXT PRIMARY KEY, value BLOB NOT NULL, sum INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE headers (
        height INTEGER NOT NULL, hash BLOB NOT NULL, sealed BLOB NOT NULL, work BLOB NOT NULL,
        seen INTEGER NOT NULL, body INTEGER, complete INTEGER, invalid INTEGER NOT NULL,
        sum INTEGER NOT NULL, PRIMARY KEY (height, hash)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX headers_by_work ON headers (work DESC, seen) WHERE invalid = 0;
    CREATE TABLE bodies (
        id INTEGER PRIMARY KEY, bytes BLOB NOT NULL, sum INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE active (
        height INTEGER PRIMARY KEY, hash BLOB NOT NULL, recipient BLOB NOT NULL,
        amount INTEGER NOT NULL, sum INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE best (
        height INTEGER PRIMARY KEY, hash BLOB NOT NULL, sum INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE accounts (
        key BLOB PRIMARY KEY, balance INTEGER NOT NULL, sequence INTEGER NOT NULL,
        sum INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;";

/// Where the chain stands. Written in the same transaction as whatever it follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// The end of the active chain.
    pub(crate) tip: Tip,
    /// The header with the most work that is not known to be invalid; the first seen on a tie.
    pub(crate) best: Tip,
    /// The number of the next thing that is put in order: headers as they are seen, blocks as
    /// their branch becomes complete.
    pub(crate) next_order: u64,
}

impl State {
    /// Takes the next number.
    pub(crate) fn take_order(&mut self) -> u64 {
        let order = self.next_order;
        self.next_order += 1;
        order
    }
}

impl Tables<'_> {
    /// Whether nothing at all is stored: a file that was never written, or whose creation was
    /// interrupted.
    pub(crate) fn are_absent(self) -> Result<bool, Fault> {
        let objects: i64 =
            self.0.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok(objects == 0)
    }

    /// A number that changes when another connection commits. To be asked in a transaction.
    pub(crate) fn commits_of_others(self) -> Result<i64, Fault> {
        let mut statement = self.0.prepare_cached("PRAGMA data_version")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// Creates the tables with nothing but genesis in them.
    pub(crate) fn create(self, network: &Network) -> Result<State, Fault> {
        self.0.execute_batch(SCHEMA)?;
        self.put_meta("schema", &encode(&SCHEMA_VERSION))?;
        self.put_meta("network", network.id().as_bytes())?;
        self.put_meta("rules", &encode(network.rules()))?;
        let genesis = HeaderRow::genesis(network);
        self.put_header(&genesis)?;
        self.put_active_genesis(genesis.block_ref())?;
        self.put_best(genesis.block_ref())?;
        let state = State { tip: genesis.tip(), best: genesis.tip(), next_order: 1 };
        self.put_state(&state)?;
        Ok(state)
    }

    /// Checks that these are the tables of this network, in the form that this program writes.
    pub(crate) fn check_owner(self, network: &Network) -> Result<(), Fault> {
        let version: u32 = decode(&self.meta("schema")?).map_err(|error| malformed(&error))?;
        if version != SCHEMA_VERSION {
            let text = format!("its schema has version {version}, not {SCHEMA_VERSION}");
            return Err(Fault::Damage(text));
        }
        let rules: Rules = decode(&self.meta("rules")?).map_err(|error| malformed(&error))?;
        if let Some(difference) = network.rules().difference(&rules) {
            return Err(Fault::Damage(format!("it has other rules: {difference}")));
        }
        if self.meta("network")? != network.id().as_bytes() {
            return Err(Fault::damage("it belongs to another network"));
        }
        Ok(())
    }

    /// Where the chain stands.
    pub(crate) fn state(self) -> Result<State, Fault> {
        type Ends = (BlockRef, Work, Timestamp);
        let (tip, best, next_order): (Ends, Ends, u64) =
            decode(&self.meta("state")?).map_err(|error| malformed(&error))?;
        let tip_of = |(block, work, time): Ends| Tip { block, work, time };
        Ok(State { tip: tip_of(tip), best: tip_of(best), next_order })
    }

    /// Replaces where the chain stands.
    pub(crate) fn put_state(self, state: &State) -> Result<(), Fault> {
        let ends = |tip: &Tip| (tip.block, tip.work, tip.time);
        self.put_meta("state", &encode(&(ends(&state.tip), ends(&state.best), state.next_order)))
    }

    fn meta(self, name: &str) -> Result<Vec<u8>, Fault> {
        let found = self.row("SELECT value, sum FROM meta WHERE name = ?1", [name], |row| {
            let value: Vec<u8> = row.get(0)?;
            check_sum(&[name.as_bytes(), &value], row.get(1)?, || format!("its {name}"))?;
            Ok(value)
        })?;
        found.ok_or_else(|| Fault::Damage(format!("its {name} is missing")))
    }

    fn put_meta(self, name: &str, value: &[u8]) -> Result<(), Fault> {
        let sql = "INSERT OR REPLACE INTO meta (name, value, sum) VALUES (?1, ?2, ?3)";
        self.run(sql, params![name, value, checksum(&[name.as_bytes(), value])])
    }
}

fn malformed(error: &CodecError) -> Fault {
    Fault::Damage(format!("a value of its table meta is {error}"))
}
