//! SQLite through rusqlite.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql, ffi};

use super::Engine;
use crate::{Row, Statement, StoreError, Value};

/// Whether a connection may write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Write,
    Read,
}

/// One SQLite connection and the spellings of the statements it has seen.
pub(crate) struct Sqlite {
    connection: Connection,
    access: Access,
    spelled: HashMap<&'static str, String>,
}

/// File systems that lock or sync differently across machines; SQLite's WAL must not live there (QS-2).
const NETWORK_FILE_SYSTEMS: [(u64, &str); 6] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xfe53_4d42, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0x0102_1997, "9P"),
    (0x00c3_6400, "Ceph"),
];

impl Sqlite {
    pub(crate) fn open(path: &Path, access: Access) -> Result<Self, StoreError> {
        let refuse =
            |reason: String| StoreError::Unreachable { database: path.display().to_string(), reason };
        refuse_network_file_system(path).map_err(refuse)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let flags = if access == Access::Write { flags | OpenFlags::SQLITE_OPEN_CREATE } else { flags };
        let connection = Connection::open_with_flags(path, flags).map_err(|err| refuse(err.to_string()))?;
        let engine = Self { connection, access, spelled: HashMap::new() };
        engine.set_up().map_err(|err| refuse(err.to_string()))?;
        engine.verify().map_err(refuse)?;
        Ok(engine)
    }

    /// QS-1, QS-2: each commit is synced, and freed pages are wiped so that erased bodies are gone from the file.
    fn set_up(&self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(Duration::from_secs(10))?;
        self.connection.set_prepared_statement_cache_capacity(256);
        // Else SQLite plans a prepared statement anew each time a value is bound that may matter to the plan, such as a
        // LIMIT: that was a fifth of all the writer did while letters were claimed.
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        self.connection.pragma_update(None, "journal_mode", "wal")?;
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        self.connection.pragma_update(None, "foreign_keys", true)?;
        self.connection.pragma_update(None, "trusted_schema", false)?;
        self.connection.pragma_update(None, "mmap_size", 0)?;
        self.connection.pragma_update(None, "secure_delete", true)?;
        self.connection.pragma_update(None, "cache_size", -16_000)?;
        self.connection.pragma_update(None, "temp_store", "MEMORY")?;
        // 16 MiB of log before it is copied back: pages that change with every letter are then copied once.
        self.connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
        self.connection.pragma_update(None, "query_only", self.access == Access::Read)
    }

    /// Reads back what was asked for: a setting that did not take must stop the program, not lose a letter.
    fn verify(&self) -> Result<(), String> {
        if !is_sound(rusqlite::version_number()) {
            return Err(format!("SQLite {} must not be used", rusqlite::version()));
        }
        let text = |name: &str| -> Result<String, String> {
            self.connection
                .pragma_query_value(None, name, |row| {
                    row.get_ref(0).map(|it| match it {
                        ValueRef::Integer(n) => n.to_string(),
                        ValueRef::Text(t) => String::from_utf8_lossy(t).into_owned(),
                        _ => String::new(),
                    })
                })
                .map_err(|err| err.to_string())
        };
        for (name, wanted) in
            [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1"), ("trusted_schema", "0")]
        {
            let found = text(name)?;
            if found != wanted {
                return Err(format!("{name} is {found} and must be {wanted}"));
            }
        }
        Ok(())
    }

    /// Copies the log into the file and empties it, so that erased content is gone from both.
    pub(crate) fn empty_log(&self) -> Result<(), StoreError> {
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(|err| explain("wal_checkpoint", &err))
    }

    fn spell(spelled: &mut HashMap<&'static str, String>, statement: &Statement) -> String {
        spelled.entry(statement.text).or_insert_with(|| statement.for_sqlite()).clone()
    }
}

/// QS-3: earlier libraries can corrupt a WAL database when a reset meets a reader; 3.52.0 was withdrawn.
const fn is_sound(version: i32) -> bool {
    version >= 3_051_003 && version != 3_052_000
}

fn refuse_network_file_system(path: &Path) -> Result<(), String> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(found) = rustix::fs::statfs(folder) else { return Ok(()) };
    let magic = found.f_type as u64 & 0xffff_ffff;
    match NETWORK_FILE_SYSTEMS.iter().find(|(number, _)| *number == magic) {
        Some((_, name)) => Err(format!("{name} cannot keep it safe: choose a data_dir on a local disk")),
        None => Ok(()),
    }
}

impl Engine for Sqlite {
    fn begin(&mut self) -> Result<(), StoreError> {
        let text = if self.access == Access::Write { "BEGIN IMMEDIATE" } else { "BEGIN" };
        self.connection
            .prepare_cached(text)
            .and_then(|mut it| it.execute([]))
            .map_err(|err| explain("BEGIN", &err))?;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("COMMIT")
            .and_then(|mut it| it.execute([]))
            .map_err(|err| explain("COMMIT", &err))?;
        Ok(())
    }

    fn rollback(&mut self) {
        // A failure that ended the transaction by itself (a full disk) leaves nothing to roll back.
        if !self.connection.is_autocommit()
            && let Err(err) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(error = %err, "a transaction could not be rolled back");
        }
    }

    fn execute(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let text = self.spelled.entry(statement.text).or_insert_with(|| statement.for_sqlite());
        let changed = self
            .connection
            .prepare_cached(text)
            .and_then(|mut it| it.execute(rusqlite::params_from_iter(values)))
            .map_err(|err| explain(statement.name, &err))?;
        Ok(changed as u64)
    }

    fn rows(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        let text = self.spelled.entry(statement.text).or_insert_with(|| statement.for_sqlite());
        let read = |prepared: &mut rusqlite::CachedStatement<'_>| -> rusqlite::Result<Vec<Row>> {
            let width = prepared.column_count();
            let mut found = prepared.query(rusqlite::params_from_iter(values))?;
            let mut rows = Vec::new();
            while let Some(row) = found.next()? {
                let values =
                    (0..width).map(|at| row.get_ref(at).map(owned)).collect::<rusqlite::Result<_>>()?;
                rows.push(Row { statement: statement.name, values });
            }
            Ok(rows)
        };
        self.connection
            .prepare_cached(text)
            .and_then(|mut it| read(&mut it))
            .map_err(|err| explain(statement.name, &err))
    }

    fn prepare(&mut self, statement: &Statement) -> Result<(), StoreError> {
        let text = Self::spell(&mut self.spelled, statement);
        self.connection.prepare(&text).map(drop).map_err(|err| explain(statement.name, &err))
    }

    fn script(&mut self, name: &'static str, text: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(text).map_err(|err| explain(name, &err))
    }

    fn may_repeat(&self) -> bool {
        false
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Bool(it) => ValueRef::Integer(i64::from(*it)),
            Self::Int(it) => ValueRef::Integer(*it),
            Self::Text(it) => ValueRef::Text(it.as_bytes()),
            Self::Bytes(it) => ValueRef::Blob(it),
            Self::Uuid(it) => ValueRef::Blob(it.as_bytes()),
        }))
    }
}

fn owned(value: ValueRef<'_>) -> Value<'static> {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(it) => Value::Int(it),
        // No column of ours holds one; a reader that asks for anything else then says so.
        ValueRef::Real(_) => Value::Null,
        ValueRef::Text(it) => match std::str::from_utf8(it) {
            Ok(text) => Value::Text(text.to_owned().into()),
            Err(_) => Value::Bytes(it.to_vec().into()),
        },
        ValueRef::Blob(it) => Value::Bytes(it.to_vec().into()),
    }
}

/// Sorts SQLite's errors by what the caller does about them.
fn explain(statement: &'static str, err: &rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(failure, words) = err else {
        return StoreError::Statement { statement, reason: err.to_string() };
    };
    match failure.extended_code {
        // QS-4: the pages behind a failed sync may be lost; only a restart reads what the disk really holds.
        ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC => StoreError::SyncFailed,
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
            StoreError::Duplicate { statement }
        }
        _ => match failure.code {
            rusqlite::ErrorCode::DiskFull => StoreError::Full,
            _ => {
                StoreError::Statement { statement, reason: words.clone().unwrap_or_else(|| err.to_string()) }
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    /// QS-3.
    #[test]
    fn unsound_libraries_are_known_by_number() {
        for (version, sound) in
            [(3_040_001, false), (3_051_002, false), (3_051_003, true), (3_052_000, false), (3_053_000, true)]
        {
            assert_eq!(is_sound(version), sound, "{version}");
        }
        assert!(is_sound(rusqlite::version_number()));
    }

    /// QS-2: a setting that did not take is noticed.
    #[test]
    fn a_connection_that_would_lose_letters_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Sqlite::open(&folder.path().join("x.db"), Access::Write).unwrap();
        engine.verify().unwrap();
        for setting in ["synchronous = NORMAL", "foreign_keys = OFF", "trusted_schema = ON"] {
            engine.connection.execute_batch(&format!("PRAGMA {setting}")).unwrap();
            assert!(engine.verify().is_err(), "{setting}");
            engine.set_up().unwrap();
        }
    }

    #[test]
    fn a_statement_is_planned_once_whatever_is_bound_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Sqlite::open(&folder.path().join("x.db"), Access::Write).unwrap();
        engine.connection.execute_batch("CREATE TABLE letter (id BLOB)").unwrap();
        let mut statement = engine.connection.prepare("SELECT id FROM letter LIMIT ?1").unwrap();
        for most in 1..5 {
            assert!(statement.query((most,)).unwrap().next().unwrap().is_none());
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
