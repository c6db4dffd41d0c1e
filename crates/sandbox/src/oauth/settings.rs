//! How tokens are handed out; switchable while the sandbox runs.

use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::Scope;
use crate::error::storage;
use crate::{SandboxError, durable};

/// What `PUT /api/oauth` sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) access_lifetime_s: u64,
    pub(crate) rotation: Rotation,
    /// Permissions that every answer leaves out, whatever was ticked: taken back, or never given.
    pub(crate) narrow_scopes: Vec<Scope>,
}

/// What becomes of a refresh token that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Rotation {
    /// The next one takes its place; it lives until that one, or the access token that came with it, was used.
    Lenient,
    /// The next one takes its place at once; if it comes back, the grant is revoked (RFC 9700 §4.14.2).
    Strict,
    /// It stays.
    None,
}

impl Settings {
    /// How long access tokens may live.
    pub(crate) const LIFETIMES_S: RangeInclusive<u64> = 1..=31_536_000;

    /// For whoever wanted another.
    pub(crate) fn lifetime_error() -> String {
        let most = Self::LIFETIMES_S.end();
        format!("The lifetime is a whole number of seconds from 1 to {most}.")
    }
}

impl Rotation {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Lenient => "lenient",
            Self::Strict => "strict",
            Self::None => "none",
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { access_lifetime_s: 3_600, rotation: Rotation::Lenient, narrow_scopes: Vec::new() }
    }
}

/// The settings, and the file that keeps them.
pub(crate) struct SettingsFile {
    path: PathBuf,
    settings: Mutex<Settings>,
}

impl SettingsFile {
    /// Blocks.
    pub(super) fn open(folder: &Path) -> Result<Self, SandboxError> {
        let path = folder.join("settings.json");
        let settings = match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|_| SandboxError::Damaged { path: path.clone() })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Settings::default(),
            Err(error) => return Err(storage("read", &path)(error)),
        };
        Ok(Self { path, settings: Mutex::new(settings) })
    }

    pub(crate) fn get(&self) -> Settings {
        self.settings().clone()
    }

    /// On return it is durable. Blocks.
    pub(crate) fn set(&self, new: Settings) -> Result<(), SandboxError> {
        // Held while writing, so that the file holds what counts.
        let mut settings = self.settings();
        let json = serde_json::to_vec_pretty(&new).expect("numbers and words are always JSON");
        durable::replace(&self.path, &json, 0o600).map_err(storage("write", &self.path))?;
        *settings = new;
        Ok(())
    }

    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
