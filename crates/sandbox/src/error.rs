//! What can keep the sandbox from working.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use gatepost_net::{AuthorityError, BindError, CertificateError};

/// Why the sandbox cannot start, or cannot keep something.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// OP-14. The operator's mistake.
    #[error("the sandbox listens on loopback only, and {0} is not: use 127.0.0.1")]
    NotLoopback(SocketAddr),
    /// A port cannot be had.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Another sandbox holds the folder.
    #[error("another sandbox is using {}: stop it first, or choose another folder", folder.display())]
    AlreadyRunning {
        /// The folder `DIR/sandbox`.
        folder: PathBuf,
    },
    /// The disk or its permissions.
    #[error("cannot {doing} {}", path.display())]
    Storage {
        /// Such as `write`.
        doing: &'static str,
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of ours does not hold what we wrote.
    #[error("{} is damaged: remove it and start again", path.display())]
    Damaged {
        /// Which one.
        path: PathBuf,
    },
    /// Nobody answers where a sandbox should be.
    #[error("the sandbox's pages at {pages} do not answer: start it anew")]
    NoAnswer {
        /// Where.
        pages: SocketAddr,
    },
    /// What was shown to the pretend phone is not for it.
    #[error("the sandbox's phone refused it: {words}")]
    PhoneRefused {
        /// Its own.
        words: String,
    },
    /// The toy authority failed.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// Its certificate cannot be served.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// Names what was being done to which file.
pub(crate) fn storage(doing: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> SandboxError {
    let path = path.as_ref().to_owned();
    move |source| SandboxError::Storage { doing, path, source }
}
