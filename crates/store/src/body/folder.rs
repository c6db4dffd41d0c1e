//! Sealed bodies as files: written beside their place, synced, then renamed into it (QS-1).

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use gatepost_core::{BodyId, Timestamp};
use tokio::fs;
use tokio_util::sync::CancellationToken;

use crate::StoreError;

/// Bodies are spread over this many folders by the last byte of their id, which is random.
const SHARDS: usize = 256;
/// How long a file without a row is left alone: longer than any upload may last.
const SWEPT_AFTER: Duration = Duration::from_hours(24);
/// The ending of a file that is still being written.
const UNFINISHED: &str = "part";

/// The folder of larger bodies.
#[derive(Clone)]
pub(super) struct Folder {
    root: Arc<Path>,
    /// Cancelled when the disk fails to confirm a write.
    broken: CancellationToken,
}

impl Folder {
    /// Makes the folder and its shards, readable by the service alone.
    pub(super) async fn open(root: PathBuf, broken: CancellationToken) -> Result<Self, StoreError> {
        let made = root.clone();
        blocking(move || {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true).mode(0o700);
            for shard in 0..SHARDS {
                builder.create(made.join(format!("{shard:02x}")))?;
            }
            std::fs::File::open(&made)?.sync_all()
        })
        .await
        .map_err(|source| StoreError::file("create", &root, source))?;
        Ok(Self { root: root.into(), broken })
    }

    fn shard(&self, id: BodyId) -> PathBuf {
        self.root.join(format!("{:02x}", id.uuid().as_bytes()[15]))
    }

    /// Where a finished body is.
    pub(super) fn path(&self, id: BodyId) -> PathBuf {
        self.shard(id).join(id.to_string())
    }

    /// Where it is while it is being written.
    fn unfinished_path(&self, id: BodyId) -> PathBuf {
        self.path(id).with_extension(UNFINISHED)
    }

    pub(super) async fn create(&self, id: BodyId) -> Result<fs::File, StoreError> {
        let path = self.unfinished_path(id);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options.open(&path).await.map_err(|source| StoreError::file("create", path, source))
    }

    /// Syncs the file, puts it in its place, and syncs the place.
    pub(super) async fn finish(&self, id: BodyId, file: fs::File) -> Result<(), StoreError> {
        let (from, to, shard) = (self.unfinished_path(id), self.path(id), self.shard(id));
        let (path, broken) = (to.clone(), self.broken.clone());
        let file = file.into_std().await;
        blocking(move || {
            confirm(file.sync_all(), &broken)?;
            std::fs::rename(from, to)?;
            let shard = std::fs::File::open(shard)?;
            confirm(shard.sync_all(), &broken)
        })
        .await
        .map_err(|source| StoreError::file("write", path, source))
    }

    /// Removes a body, finished or not; that it is not there is fine.
    pub(super) async fn remove(&self, id: BodyId) -> Result<(), StoreError> {
        for path in [self.path(id), self.unfinished_path(id)] {
            match fs::remove_file(&path).await {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::file("remove", path, source));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes the unfinished file of an upload that was given up, without waiting.
    pub(super) fn forget(&self, id: BodyId) {
        let _ = std::fs::remove_file(self.unfinished_path(id));
    }

    /// The ids of all files, finished or not, that were last written a day ago or earlier.
    pub(super) async fn older_than_a_day(&self, now: Timestamp) -> Result<Vec<BodyId>, StoreError> {
        let root = Arc::clone(&self.root);
        let newest =
            UNIX_EPOCH + Duration::from_millis(u64::try_from((now - SWEPT_AFTER).millis()).unwrap_or(0));
        blocking(move || {
            let mut found = Vec::new();
            for shard in 0..SHARDS {
                for entry in std::fs::read_dir(root.join(format!("{shard:02x}")))? {
                    let entry = entry?;
                    let id = entry.path().file_stem().and_then(|it| it.to_str()?.parse::<BodyId>().ok());
                    match (id, entry.metadata().and_then(|it| it.modified())) {
                        (Some(id), Ok(written)) if written <= newest => found.push(id),
                        _ => {}
                    }
                }
            }
            Ok(found)
        })
        .await
        .map_err(|source| StoreError::file("read", &*self.root, source))
    }
}

/// QS-4: a failed sync is not tried again. The letter is refused, and because the next sync of the same folder would call
/// other letters safe whose names were lost with this one's, the program ends. A full disk loses nothing.
fn confirm(synced: io::Result<()>, broken: &CancellationToken) -> io::Result<()> {
    if let Err(error) = &synced
        && !matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    {
        broken.cancel();
    }
    synced
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(io::Error::other("the program is stopping")))
}
