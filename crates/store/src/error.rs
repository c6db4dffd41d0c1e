//! What can go wrong with the database and the bodies, split where callers act differently.

use std::path::PathBuf;

/// Every failure of this room. The texts name the thing; none holds a value of a row.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room on the disk; nothing was written, and it works again once there is room.
    #[error("no space is left for the database or the message bodies")]
    Full,
    /// The disk did not confirm a write. The program must end and recover at its next start (QS-4).
    #[error("the disk failed to confirm a write; the program ends itself and recovers at its next start")]
    SyncFailed,
    /// A COMMIT was sent and its answer lost: done or not, nobody knows; look the row up (QS-9).
    #[error("the answer to a commit was lost; the change may or may not have been made")]
    Unknown,
    /// A unique key exists already.
    #[error("statement {statement}: a row with this key exists already")]
    Duplicate {
        /// The statement's name.
        statement: &'static str,
    },
    /// The lease was taken over by another node; the write was refused.
    #[error("the lease of this account has passed to another node")]
    LeaseLost,
    /// A row's value is not of the kind asked for.
    #[error("statement {statement}, column {column}: the stored value is not {expected}")]
    Contradiction {
        /// The statement's name.
        statement: &'static str,
        /// Counted from 0 in the statement's column list.
        column: usize,
        /// What was expected there.
        expected: &'static str,
    },
    /// A statement did not run.
    #[error("statement {statement} failed: {reason}")]
    Statement {
        /// The statement's name.
        statement: &'static str,
        /// The engine's words.
        reason: String,
    },
    /// The database cannot be reached or opened.
    #[error("the database {database} cannot be opened: {reason}")]
    Unreachable {
        /// File or server, without a password.
        database: String,
        /// The engine's words, or ours.
        reason: String,
    },
    /// The database was written by a newer program (QS-10).
    #[error(
        "the database was written by a newer Gatepost ({room} migration {found}, this program knows {known}). Install that version or newer"
    )]
    Newer {
        /// The room whose migrations are ahead.
        room: &'static str,
        /// The highest version in the database.
        found: i64,
        /// The highest version in this program.
        known: i64,
    },
    /// A key that a value names is not there, was destroyed, or does not open it.
    #[error("key {key} {problem}")]
    Key {
        /// The key's id or purpose.
        key: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The master key is not the one this database was made with.
    #[error(
        "the master key does not open this database. Put back the key that belongs to it (key id {expected})"
    )]
    WrongMasterKey {
        /// The id of the key that would.
        expected: String,
    },
    /// A message body is missing, cut, or was changed.
    #[error("body {body} is damaged or missing")]
    DamagedBody {
        /// The body's id.
        body: gatepost_core::BodyId,
    },
    /// A file or folder of the store cannot be used.
    #[error("cannot {doing} {path}")]
    File {
        /// A verb: "write", "read", "create".
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The program is stopping, or a job panicked.
    #[error("the store has stopped")]
    Stopped,
}

impl StoreError {
    /// An error of the file system; a full disk is told apart from the rest.
    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::File { doing, path: path.into(), source },
        }
    }
}
