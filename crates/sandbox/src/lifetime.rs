//! Who lives in a folder, and for how long.
//!
//! Both questions are answered by locks on files, which the system takes back from a process that was killed:
//!
//! - the sandbox holds `sandbox.json` locked while it lives, and writes into it where it is found;
//! - a demo holds a shared lock on `demo.lock` while it lives. A sandbox that was started by a demo ends when nobody has
//!   held it for a minute; a demo that starts within that minute adopts it.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::SandboxError;
use crate::error::storage;

/// How long a sandbox outlives its demo.
const WITHOUT_DEMO_FOR: Duration = Duration::from_secs(60);

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long another sandbox may take from locking its file to writing into it.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// Where a living sandbox is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxReady {
    /// The number of its process.
    pub process: u32,
    /// Pages for people and JSON for tests, over HTTP.
    pub pages: SocketAddr,
    /// SMTP with STARTTLS.
    pub smtp: SocketAddr,
    /// IMAP with STARTTLS.
    pub imap: SocketAddr,
    /// POP3 with STLS.
    pub pop3: SocketAddr,
    /// The certificate (PEM) of the authority that its doors prove themselves with. An absolute path.
    pub certificate: PathBuf,
}

/// The lock of a living sandbox on its folder.
pub(crate) struct Residence {
    path: PathBuf,
    file: File,
}

/// As long as this is held, a demo lives in the folder.
pub struct DemoPresence {
    _lock: File,
}

/// `DIR/sandbox`, where everything of the sandbox is.
pub(crate) fn folder(data: &Path) -> PathBuf {
    data.join("sandbox")
}

/// The sandbox that lives in the data folder `data`, if there is one. One that is just starting is waited for.
pub async fn find_living(data: &Path) -> Result<Option<SandboxReady>, SandboxError> {
    let path = folder(data).join("sandbox.json");
    let patience = Instant::now() + READY_WITHIN;
    loop {
        let mut file = match File::options().read(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(storage("read", &path)(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => return Ok(None),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(storage("lock", &path)(error)),
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(storage("read", &path))?;
        if let Ok(ready) = serde_json::from_str(&text) {
            return Ok(Some(ready));
        }
        if Instant::now() > patience {
            return Err(SandboxError::AlreadyRunning { folder: folder(data) });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Says that a demo lives in the data folder `data`. Hold what it gives until the demo ends; a kill ends it too.
pub fn attend(data: &Path) -> Result<DemoPresence, SandboxError> {
    let folder = folder(data);
    std::fs::create_dir_all(&folder).map_err(storage("create", &folder))?;
    let (lock, path) = open_lock(&folder.join("demo.lock"))?;
    // A sandbox that looks holds it for an instant at most.
    lock.lock_shared().map_err(storage("lock", path))?;
    Ok(DemoPresence { _lock: lock })
}

/// Returns once no demo has lived in `folder` for a minute.
pub(crate) async fn outlive_demos(folder: &Path) -> Result<(), SandboxError> {
    let (lock, path) = open_lock(&folder.join("demo.lock"))?;
    let mut seen_at = Instant::now();
    while seen_at.elapsed() < WITHOUT_DEMO_FOR {
        tokio::time::sleep(LOOK_EVERY).await;
        match lock.try_lock() {
            Ok(()) => lock.unlock().map_err(storage("unlock", &path))?,
            Err(TryLockError::WouldBlock) => seen_at = Instant::now(),
            Err(TryLockError::Error(error)) => return Err(storage("lock", &path)(error)),
        }
    }
    Ok(())
}

fn open_lock(path: &Path) -> Result<(File, PathBuf), SandboxError> {
    let file = File::options().read(true).write(true).create(true).truncate(false).open(path);
    Ok((file.map_err(storage("open", path))?, path.to_owned()))
}

impl Residence {
    /// Moves into `folder`; refused while another sandbox lives there.
    pub(crate) async fn take(folder: &Path) -> Result<Self, SandboxError> {
        let (file, path) = open_lock(&folder.join("sandbox.json"))?;
        let patience = Instant::now() + Duration::from_secs(1);
        loop {
            match file.try_lock() {
                Ok(()) => break,
                // Perhaps only someone who looks whether a sandbox lives here.
                Err(TryLockError::WouldBlock) if Instant::now() < patience => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(SandboxError::AlreadyRunning { folder: folder.to_owned() });
                }
                Err(TryLockError::Error(error)) => return Err(storage("lock", &path)(error)),
            }
        }
        // What a killed sandbox has left must not be taken for ours.
        file.set_len(0).map_err(storage("write", &path))?;
        Ok(Self { path, file })
    }

    /// Writes where the sandbox is found.
    pub(crate) fn announce(&mut self, ready: &SandboxReady) -> Result<(), SandboxError> {
        let text = serde_json::to_vec(ready).expect("addresses and a path are always JSON");
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(&text)
        };
        write(&mut self.file).map_err(storage("write", &self.path))
    }

    /// From now on nobody is sent here. Whoever looks waits until the folder is free.
    pub(crate) fn retire(&mut self) -> Result<(), SandboxError> {
        self.file.set_len(0).map_err(storage("write", &self.path))
    }
}

#[cfg(test)]
mod tests;
