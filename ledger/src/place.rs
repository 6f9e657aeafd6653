//! [`Place`]: where a chain's database is, and how SQLite is set to open it. Each setting has its
//! reason here, and nowhere else is one made.
//!
//! | setting | value | why |
//! |---|---|---|
//! | `journal_mode` | WAL | readers and the writer do not wait for each other; DELETE where the log's shared memory is unsafe |
//! | `synchronous` | NORMAL | a commit waits for no disk, a checkpoint does: a power cut may cost the last commits, a download of seconds, and never the order of writes; FULL without a log, where that is not so |
//! | `wal_autocheckpoint` | 1,000 pages, SQLite's own | a commit that finds so much in the log writes it into the database, after which the log starts over: it is about as large as the largest commit, 20 MiB in a first download, and read again in a tenth of a second after a kill |
//! | `journal_size_limit` | 64 MiB | what the log shrinks to if a long reader had kept it from starting over |
//! | log kept at the end | yes | a reader that may not write to the folder has nothing to create |
//! | `cache_size` | 64 MiB, the writer's | accounts lie in random pages, and those of a commit are to be written once |
//! | `cell_size_check` | on | a damaged page is noticed where it is read |
//! | prepared statements | 64 | more than there are, so that each is compiled once |
//! | busy timeout | 10 s | for the moments in which even readers of a log wait: opening, closing |

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, FileControl, OpenFlags};

use crate::error::Fault;
use crate::mounts::is_on_network;
use crate::types::Journal;

const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const WRITER_CACHE_KIB: i64 = 64 << 10;
const CHECKPOINT_PAGES: i64 = 1_000;
const MOST_LOG_BYTES: i64 = 64 << 20;
const STATEMENTS: usize = 64;

/// Where a chain is kept.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In this file.
    File(PathBuf),
    /// In memory, under this name, which starts with a slash so that connections share it.
    Memory(PathBuf),
}

/// Tells a file from another that has its name later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl Place {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Memory(path) => path,
        }
    }

    /// Which file is there, where the system can tell.
    pub(crate) fn file_id(&self) -> Option<FileId> {
        match self {
            #[cfg(unix)]
            Self::File(path) => {
                use std::os::unix::fs::MetadataExt;
                let file = fs::metadata(path).ok()?;
                Some(FileId { device: file.dev(), inode: file.ino() })
            }
            _ => None,
        }
    }

    /// A connection that writes, and creates the file where it is missing.
    pub(crate) fn connect_writer(&self) -> Result<(Connection, Journal), Fault> {
        if let Self::File(path) = self {
            remove_stale_logs(path)?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection = self.connect(flags)?;
        let journal = match self {
            Self::File(path) => set_journal(&connection, !is_on_network(folder_of(path)))?,
            Self::Memory(_) => Journal::Memory,
        };
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        Ok((connection, journal))
    }

    /// A connection that reads.
    pub(crate) fn connect_reader(&self) -> Result<Connection, Fault> {
        self.check_exists()?;
        self.connect(OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    /// A connection that reads what can be read of a damaged file, and leaves its log as it is.
    pub(crate) fn connect_damaged(&self) -> Result<Connection, Fault> {
        self.check_exists()?;
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        // Each row is checked by itself; what SQLite would refuse to look at may hold some.
        connection.pragma_update(None, "cell_size_check", false)?;
        connection.pragma_update(None, "writable_schema", true)?;
        Ok(connection)
    }

    fn connect(&self, flags: OpenFlags) -> Result<Connection, Fault> {
        // No URIs: a folder may be called "file:x".
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match self {
            Self::File(path) => Connection::open_with_flags(path, flags)?,
            Self::Memory(name) => Connection::open_with_flags_and_vfs(name, flags, c"memdb")?,
        };
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.pragma_update(None, "cell_size_check", true)?;
        Ok(connection)
    }

    /// SQLite does not say whether a file is missing or may not be read. The file is not opened to
    /// find out: closing it again would release the locks that SQLite holds on it for the other
    /// connections of this process.
    fn check_exists(&self) -> Result<(), Fault> {
        if let Self::File(path) = self {
            fs::metadata(path)?;
        }
        Ok(())
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// A new database must not meet the log of an old one that was moved away. An empty file is new:
/// a log comes only after its first page.
fn remove_stale_logs(database: &Path) -> Result<(), Fault> {
    if fs::metadata(database).is_ok_and(|file| file.len() > 0) {
        return Ok(());
    }
    for suffix in ["-wal", "-shm", "-journal"] {
        let mut log = database.as_os_str().to_owned();
        log.push(suffix);
        match fs::remove_file(&log) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Sets how the file is kept whole. Where a write-ahead log is not safe, or where SQLite refuses
/// it because memory cannot be shared, a rollback journal does.
pub(crate) fn set_journal(connection: &Connection, log_is_safe: bool) -> Result<Journal, Fault> {
    if log_is_safe && journal_mode(connection, "WAL")? == "wal" {
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        connection.pragma_update(None, "journal_size_limit", MOST_LOG_BYTES)?;
        connection.file_control(None::<&str>, FileControl::PersistWal(&mut 1))?;
        return Ok(Journal::WriteAhead);
    }
    journal_mode(connection, "DELETE")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(Journal::Rollback)
}

/// Asks for a journal mode; SQLite answers which it is.
pub(crate) fn journal_mode(connection: &Connection, mode: &str) -> Result<String, Fault> {
    Ok(connection.pragma_update_and_check(None, "journal_mode", mode, |row| row.get(0))?)
}
