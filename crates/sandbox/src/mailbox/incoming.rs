//! A message on its way in.

use std::path::{Path, PathBuf};

use tokio::fs::File;
use tokio::io::{AsyncWriteExt as _, BufWriter};

use super::MessageId;
use crate::SandboxError;
use crate::error::storage;

/// A message that is being written in `incoming/`. Dropping it removes it, unless it has been linked into mailboxes.
pub(crate) struct Incoming {
    id: MessageId,
    path: PathBuf,
    file: BufWriter<File>,
    size_bytes: u64,
}

impl Incoming {
    pub(super) async fn create(folder: &Path, id: MessageId) -> Result<Self, SandboxError> {
        let path = folder.join(format!("{id}.tmp"));
        let file = File::create_new(&path).await.map_err(storage("create", &path))?;
        Ok(Self { id, path, file: BufWriter::with_capacity(64 << 10, file), size_bytes: 0 })
    }

    pub(crate) const fn id(&self) -> MessageId {
        self.id
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), SandboxError> {
        self.size_bytes = self.size_bytes.saturating_add(bytes.len() as u64);
        self.file.write_all(bytes).await.map_err(storage("write", &self.path))
    }

    /// Puts all of it on the disk.
    pub(super) async fn sync(&mut self) -> Result<(), SandboxError> {
        self.file.flush().await.map_err(storage("write", &self.path))?;
        self.file.get_ref().sync_all().await.map_err(storage("sync", &self.path))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // What cannot be removed now is removed at the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}
