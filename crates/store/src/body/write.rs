//! Writing a body: sealed chunk by chunk as it comes in.

use gatepost_core::{BodyId, KeyId, OrganisationId, World};
use gatepost_vault::{BodyPlace, BodySealer, DayKey};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::folder::Folder;
use super::{Place, Upload, require_day_key};
use crate::{StoreError, Transaction, params, sql};

/// A body on its way in. Holds at most one chunk (64 KiB) in memory; dropped before its end, it leaves nothing behind.
pub struct BodyWriter {
    sealer: BodySealer,
    sealed_key: Vec<u8>,
    key: KeyId,
    organisation: OrganisationId,
    size_bytes: u64,
    file: Option<File>,
    leftover: Leftover,
}

/// A whole, sealed and, if in the folder, synced body that belongs to nothing yet.
pub struct FinishedBody {
    organisation: OrganisationId,
    key: KeyId,
    sealed_key: Vec<u8>,
    size_bytes: u64,
    /// The sealed bytes of a small body; `None` if they are in the folder.
    content: Option<Vec<u8>>,
    leftover: Leftover,
}

/// Removes the unfinished file when an upload is given up.
struct Leftover {
    folder: Folder,
    upload: Upload,
    has_file: bool,
}

impl Drop for Leftover {
    fn drop(&mut self) {
        if self.has_file {
            self.folder.forget(self.upload.id);
        }
    }
}

impl BodyWriter {
    pub(super) fn new(
        folder: Folder,
        upload: Upload,
        organisation: OrganisationId,
        key: &DayKey,
        world: &World,
    ) -> Self {
        let place = BodyPlace { organisation, body: upload.id };
        let (sealer, sealed_key) = BodySealer::begin(key, &place, world);
        let leftover = Leftover { folder, upload, has_file: false };
        Self { sealer, sealed_key, key: key.id(), organisation, size_bytes: 0, file: None, leftover }
    }

    /// Takes the next plain bytes.
    pub async fn write(&mut self, mut plain: &[u8]) -> Result<(), StoreError> {
        self.size_bytes += plain.len() as u64;
        let body = self.leftover.upload.id;
        while let Some(chunk) = self.sealer.write(&mut plain).map_err(|_| StoreError::DamagedBody { body })? {
            let file = match &mut self.file {
                Some(file) => file,
                None => {
                    let file = self.leftover.folder.create(body).await?;
                    self.leftover.has_file = true;
                    self.file.insert(file)
                }
            };
            let path = || self.leftover.folder.path(body);
            file.write_all(chunk).await.map_err(|source| StoreError::file("write", path(), source))?;
        }
        Ok(())
    }

    /// Ends the body. When this returns, its bytes are synced or in memory, ready for [`FinishedBody::insert`].
    pub async fn finish(mut self) -> Result<FinishedBody, StoreError> {
        let body = self.leftover.upload.id;
        let last = self.sealer.finish().map_err(|_| StoreError::DamagedBody { body })?;
        let content = match self.file.take() {
            None => Some(last),
            Some(mut file) => {
                let path = || self.leftover.folder.path(body);
                file.write_all(&last).await.map_err(|source| StoreError::file("write", path(), source))?;
                file.flush().await.map_err(|source| StoreError::file("write", path(), source))?;
                self.leftover.folder.finish(body, file).await?;
                None
            }
        };
        self.leftover.has_file = false;
        Ok(FinishedBody {
            organisation: self.organisation,
            key: self.key,
            sealed_key: self.sealed_key,
            size_bytes: self.size_bytes,
            content,
            leftover: self.leftover,
        })
    }
}

impl FinishedBody {
    /// The body's id, which is its submission's.
    #[must_use]
    pub fn id(&self) -> BodyId {
        self.leftover.upload.id
    }

    /// Plain bytes.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Stores the body's row. Part of the transaction that makes the submission; both or neither.
    pub fn insert(&self, tx: &mut Transaction<'_>, now: gatepost_core::Timestamp) -> Result<(), StoreError> {
        require_day_key(tx, self.organisation, self.key)?;
        let place = if self.content.is_some() { Place::Row } else { Place::Folder };
        tx.execute(
            &sql::INSERT_BODY,
            params![
                self.id(),
                self.organisation,
                self.key,
                &self.sealed_key,
                self.size_bytes,
                place.word(),
                now,
                self.content.as_ref(),
            ],
        )
        .map(drop)
    }
}
