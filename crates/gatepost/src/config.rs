//! The configuration: a file, the environment over it, and every mistake named with file, line, key and cure.
//!
//! The raw form (which keys were given, where) becomes [`Settings`] (every default filled in, everything understood), and
//! nothing after start-up sees the raw form. See docs/decisions/0007.

mod key;
mod nearest;
mod problem;
mod providers;
mod raw;
mod reader;
mod settings;
#[cfg(test)]
mod tests;
mod understand;
mod value;

use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

pub(crate) use nearest::nearest_of;
pub use problem::ConfigError;
use problem::Problem;
pub(crate) use raw::MASTER_KEY_VARIABLE;
use raw::Raw;
pub use settings::{
    CertificateFiles, DatabasePlace, KeyPlace, LogFormat, LogSettings, OutboxSettings, PortalSettings,
    ReadingSettings, Settings, SubmissionSettings, UpstreamSettings,
};

/// Where the file is looked for when `--config` names none.
const DEFAULT_PLACES: [&str; 2] = ["gatepost.toml", "/etc/gatepost/gatepost.toml"];

impl Settings {
    /// Reads `file`, or the first of the default places that is there, and lays this process' environment over it.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::load_with(file, std::env::vars_os())
    }

    /// The same with these variables as the environment.
    pub fn load_with(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let path = match file {
            Some(file) => file.to_owned(),
            None => find_default()?,
        };
        let text = std::fs::read_to_string(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => Problem::Missing { looked_at: vec![path.clone()] },
            _ => Problem::Unreadable { path: path.clone(), source },
        })?;
        Self::from_text(&path, &text, variables)
    }

    /// Reads `text` as the content of the file `path`.
    pub fn from_text(
        path: &Path,
        text: &str,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut raw = Raw::default();
        raw.read_file(path, text, &mut problems);
        raw.read_environment(variables, &mut problems);
        match Self::understand(raw, path, &mut problems) {
            Some(settings) if problems.is_empty() => {
                let mut hasher = DefaultHasher::new();
                text.hash(&mut hasher);
                Ok(Self { text_hash: hasher.finish(), ..settings })
            }
            _ => Err(ConfigError(problems)),
        }
    }
}

fn find_default() -> Result<PathBuf, ConfigError> {
    let places = DEFAULT_PLACES.map(PathBuf::from);
    match places.iter().find(|path| path.exists()) {
        Some(path) => Ok(path.clone()),
        None => Err(Problem::Missing { looked_at: places.into() }.into()),
    }
}
