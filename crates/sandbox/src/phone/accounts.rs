//! All accounts on the phone, on disk and in memory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gatepost_core::{SecretText, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Account, Code};
use crate::error::storage;
use crate::mailbox::secret_json;
use crate::{SandboxError, durable};

/// The authenticator app.
pub(crate) struct Phone {
    path: PathBuf,
    /// In the order in which they came.
    accounts: Mutex<Vec<Account>>,
    /// One at a time writes the file.
    changing: Mutex<()>,
}

/// What tells accounts apart. The issuer may be empty.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Name {
    #[serde(default)]
    pub(crate) issuer: String,
    pub(crate) account: String,
}

/// `phone.json`.
#[derive(Serialize, Deserialize)]
struct Record {
    authenticators: Vec<AuthenticatorRecord>,
}

#[derive(Serialize, Deserialize)]
struct AuthenticatorRecord {
    #[serde(with = "secret_json")]
    uri: Option<SecretText>,
}

impl Phone {
    /// Reads what `folder` holds of it. Blocks.
    pub(crate) fn open(folder: &Path) -> Result<Self, SandboxError> {
        let path = folder.join("phone.json");
        let accounts = match fs::read(&path) {
            Ok(bytes) => from_json(&Zeroizing::new(bytes))
                .ok_or_else(|| SandboxError::Damaged { path: path.clone() })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(storage("read", &path)(error)),
        };
        Ok(Self { path, accounts: Mutex::new(accounts), changing: Mutex::default() })
    }

    /// Keeps an account durably, in the place of one with the same name. Blocks.
    pub(crate) fn add(&self, account: Account) -> Result<(), SandboxError> {
        self.change(|accounts| match accounts.iter_mut().find(|it| it.name() == account.name()) {
            Some(same) => *same = account,
            None => accounts.push(account),
        })
    }

    /// Forgets an account durably; false if there is none of this name. Blocks.
    pub(crate) fn remove(&self, name: &Name) -> Result<bool, SandboxError> {
        let mut is_there = false;
        self.change(|accounts| {
            is_there = accounts.iter().any(|it| it.name() == name);
            accounts.retain(|it| it.name() != name);
        })?;
        Ok(is_there)
    }

    /// What the phone shows at this time.
    pub(crate) fn codes(&self, at: Timestamp) -> Vec<Code> {
        self.accounts().iter().map(|it| it.code(at)).collect()
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Account>)) -> Result<(), SandboxError> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut accounts = self.accounts().clone();
        change(&mut accounts);
        durable::replace(&self.path, &to_json(&accounts), 0o600).map_err(storage("write", &self.path))?;
        // Only now, so that nobody sees what a kill could take back.
        *self.accounts() = accounts;
        Ok(())
    }

    fn accounts(&self) -> MutexGuard<'_, Vec<Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn to_json(accounts: &[Account]) -> Zeroizing<Vec<u8>> {
    let authenticators = accounts.iter().map(|it| AuthenticatorRecord { uri: it.to_uri() }).collect();
    let json = serde_json::to_vec_pretty(&Record { authenticators });
    Zeroizing::new(json.expect("a list of texts is always JSON"))
}

fn from_json(bytes: &[u8]) -> Option<Vec<Account>> {
    let record: Record = serde_json::from_slice(bytes).ok()?;
    record.authenticators.into_iter().map(|it| Account::from_uri(&it.uri?).ok()).collect()
}
