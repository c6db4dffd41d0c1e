//! Why nothing can be opened: one line each, with the cure (docs/decisions/0006, "Commands").

use std::io;
use std::path::PathBuf;

use gatepost_store::StoreError;

use crate::config::{ConfigError, DatabasePlace, KeyPlace, Settings};
use crate::control::Refusal;
use crate::data_dir::{self, DataDirError};
use crate::master_key::MasterKeyError;

/// Why the program does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data folder.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The master key.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The way to providers.
    #[error(transparent)]
    Reach(#[from] super::ReachError),
    /// `init` was not run, or a disk is not mounted.
    #[error("there is no database {}. Run: gatepost init --config FILE --admin EMAIL, or correct data_dir", .0.display())]
    NoDatabase(PathBuf),
    /// Another installation's key.
    #[error(
        "the master key {place} does not open this database. Put back the key file that belongs to it (key id {expected})"
    )]
    WrongMasterKey {
        /// Where the key came from, with its preposition.
        place: String,
        /// The id of the key that would open it.
        expected: String,
    },
    /// The database server or file.
    #[error("the database {database} cannot be opened: {reason}. {cure}")]
    Unreachable {
        /// File or server, without a password.
        database: String,
        /// The engine's words.
        reason: String,
        /// What to do.
        cure: &'static str,
    },
    /// A file or folder of the store.
    #[error("cannot {doing} {}: {source}. Give this user the right to, or choose another place in the configuration", .path.display())]
    File {
        /// A verb.
        doing: &'static str,
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Anything else the database says.
    #[error("{0}. Look at the disk and at the log of the database, and start again")]
    Store(StoreError),
    /// A newer database, whose text has its cure.
    #[error("{0}")]
    Newer(StoreError),
}

impl StartError {
    /// In words for whoever runs this installation.
    pub(crate) fn of_store(error: StoreError, settings: &Settings) -> Self {
        match error {
            StoreError::Full => Self::DataDir(data_dir::full(&settings.data_dir)),
            StoreError::Newer { .. } => Self::Newer(error),
            StoreError::WrongMasterKey { expected } => Self::WrongMasterKey {
                place: match &settings.master_key {
                    Some(KeyPlace::File(path)) => format!("in {}", path.display()),
                    Some(KeyPlace::Command(words)) => {
                        format!("from master_key_command {}", words.first().map_or("", String::as_str))
                    }
                    None => "of this service's credentials".to_owned(),
                },
                expected,
            },
            StoreError::Unreachable { database, reason } => Self::Unreachable {
                database,
                reason,
                cure: match settings.database {
                    DatabasePlace::Sqlite(_) => {
                        "Give this user the right to read and write it, or put a backup in its place"
                    }
                    DatabasePlace::Postgres(_) => "Start the database server, or correct database_url",
                },
            },
            StoreError::File { doing, path, source } => Self::File { doing, path, source },
            other @ (StoreError::SyncFailed
            | StoreError::Unknown
            | StoreError::Duplicate { .. }
            | StoreError::LeaseLost
            | StoreError::Contradiction { .. }
            | StoreError::Statement { .. }
            | StoreError::Key { .. }
            | StoreError::DamagedBody { .. }
            | StoreError::Stopped) => Self::Store(other),
        }
    }
}

impl From<StartError> for Refusal {
    fn from(error: StartError) -> Self {
        Self::new(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[track_caller]
    fn check(error: StoreError, want: &str) {
        let text = "data_dir = \"/srv/gatepost\"\nmaster_key_file = \"/etc/gatepost.key\"\n";
        let settings = Settings::from_text(Path::new("/etc/gatepost.toml"), text, []).unwrap();
        let said = StartError::of_store(error, &settings).to_string();
        assert_eq!(said, want);
        assert_eq!(said.lines().count(), 1);
    }

    #[test]
    fn what_the_store_says_becomes_one_line_with_its_cure() {
        check(
            StoreError::Full,
            "cannot write in /srv/gatepost: no space left on device. Free some space and start again",
        );
        check(
            StoreError::WrongMasterKey { expected: "k".into() },
            "the master key in /etc/gatepost.key does not open this database. Put back the key file that belongs to it (key id k)",
        );
        check(
            StoreError::Newer { room: "store", found: 7, known: 5 },
            "the database was written by a newer Gatepost (store migration 7, this program knows 5). Install that version or newer",
        );
        check(
            StoreError::Unreachable {
                database: "/srv/gatepost/gatepost.db".into(),
                reason: "disk I/O error".into(),
            },
            "the database /srv/gatepost/gatepost.db cannot be opened: disk I/O error. Give this user the right to read and write it, or put a backup in its place",
        );
        check(
            StoreError::File {
                doing: "create",
                path: "/srv/gatepost/bodies".into(),
                source: io::ErrorKind::PermissionDenied.into(),
            },
            "cannot create /srv/gatepost/bodies: permission denied. Give this user the right to, or choose another place in the configuration",
        );
        check(
            StoreError::SyncFailed,
            "the disk failed to confirm a write; the program ends itself and recovers at its next start. Look at the disk and at the log of the database, and start again",
        );
    }
}
