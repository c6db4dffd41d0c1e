//! What can be wrong with a configuration, each in one sentence with its cure.

use std::fmt;
use std::path::PathBuf;

/// Everything found wrong, one problem a line, so that one run mends them all.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError(pub(super) Vec<Problem>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if n == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// Where a value stands, for the reader to go there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A line of the file, counted from 1.
    File { path: PathBuf, line: usize },
    /// An environment variable.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "the environment variable {name}"),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("there is no configuration at {}. Run: gatepost init --config FILE --admin EMAIL", list(.looked_at))]
    Missing { looked_at: Vec<PathBuf> },
    #[error("cannot read {}: {source}. Give this user the right to read it, or name another file with --config", .path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{}:{line}:{column}: {text}. Correct this line; text stands in double quotes", .path.display())]
    Syntax { path: PathBuf, line: usize, column: usize, text: String },
    #[error("{origin}: unknown key \"{name}\"{section}. Known here: {known}. {nearest}")]
    UnknownKey { origin: Origin, name: String, section: String, known: String, nearest: String },
    #[error("{origin}: unknown section [{name}]. Known: {known}. {nearest}")]
    UnknownSection { origin: Origin, name: String, known: String, nearest: String },
    #[error(
        "unknown environment variable {name}: names that begin with GATEPOST_ are Gatepost's own. {nearest}"
    )]
    UnknownVariable { name: String, nearest: String },
    #[error("the environment variable {name} is not UTF-8 text. Correct it or unset it")]
    VariableNotText { name: String },
    #[error("{origin}: {key} is {found}; expected {expects}{detail}")]
    BadValue { origin: Origin, key: String, found: String, expects: &'static str, detail: String },
    #[error("{origin}: {key} needs {other} beside it: set both, or neither")]
    Alone { origin: Origin, key: String, other: String },
    #[error("{origin}: {key} and {other} are both set: remove one")]
    Both { origin: Origin, key: String, other: String },
    #[error(
        "{origin}: {key} listens at {address}, and {other} at {before}: one port is for one of them. Choose another port for {key}"
    )]
    SamePort {
        origin: Origin,
        key: String,
        address: std::net::SocketAddr,
        other: String,
        before: std::net::SocketAddr,
    },
    #[error(
        "{origin}: portal.listen is {address}, where others reach it; links need the address that they type. Add a line such as public_url = \"https://gatepost.example.org\" at the top of the file, or let the portal listen at 127.0.0.1:{} alone",
        .address.port()
    )]
    NoPublicUrl { origin: Origin, address: std::net::SocketAddr },
    #[error(
        "{origin}: public_url is {url:?}; nobody could sign in there, because browsers keep the portal's cookies over encrypted connections alone. Begin it with https://, or use http://localhost for a portal on this machine"
    )]
    PlainPublicUrl { origin: Origin, url: String },
    #[error("{origin}: [{name}]: {text}. Correct its keys, or remove the section")]
    Provider { origin: Origin, name: String, text: String },
    #[error("data_dir is not set: add a line such as data_dir = \"/var/lib/gatepost\" to {}", .path.display())]
    NoDataDir { path: PathBuf },
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" or ")
}
