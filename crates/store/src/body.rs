//! Message bodies: sealed, in a row when small, in a folder when not (design §5, Bodies).
//!
//! A body is written before its submission is committed and belongs to nothing until then: [`FinishedBody::insert`] is part
//! of the transaction that accepts the submission. What never gets that far is swept up by [`Bodies::sweep`].

mod folder;
mod read;
mod write;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use gatepost_core::{BodyId, OrganisationId};
use gatepost_vault::CHUNK_BYTES;

pub use read::BodyReader;
pub use write::{BodyWriter, FinishedBody};

use crate::{Keyring, Store, StoreError, Transaction, params, sql};
use folder::Folder;

/// Bodies up to this many bytes are kept in their row.
pub const LARGEST_ROW_BODY: usize = CHUNK_BYTES;

/// Where a body's sealed bytes are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Row,
    Folder,
}

impl Place {
    const fn word(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::Folder => "folder",
        }
    }
}

impl std::str::FromStr for Place {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "row" => Ok(Self::Row),
            "folder" => Ok(Self::Folder),
            _ => Err(()),
        }
    }
}

/// All bodies of the installation. Cheap to clone.
#[derive(Clone)]
pub struct Bodies {
    store: Store,
    keyring: Keyring,
    folder: Folder,
    uploads: Uploads,
}

/// Ids of bodies that are being written; the sweeper leaves them alone.
#[derive(Clone, Default)]
struct Uploads(Arc<Mutex<HashSet<BodyId>>>);

/// Keeps a body's id among the uploads until dropped.
struct Upload {
    id: BodyId,
    all: Uploads,
}

impl Uploads {
    fn begin(&self, id: BodyId) -> Upload {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        Upload { id, all: self.clone() }
    }

    fn contains(&self, id: BodyId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&id)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Bodies {
    /// Bodies in `store`, larger ones in `folder`, which is made if it is not there.
    pub async fn open(store: &Store, keyring: &Keyring, folder: PathBuf) -> Result<Self, StoreError> {
        let folder = Folder::open(folder, store.broken().clone()).await?;
        Ok(Self { store: store.clone(), keyring: keyring.clone(), folder, uploads: Uploads::default() })
    }

    /// Begins to write a body. Its id is its submission's own, so that a body cannot be swapped for another.
    pub async fn write(&self, organisation: OrganisationId, id: BodyId) -> Result<BodyWriter, StoreError> {
        let key = self.keyring.day_key(organisation).await?;
        let upload = self.uploads.begin(id);
        Ok(BodyWriter::new(self.folder.clone(), upload, organisation, &key, self.store.world()))
    }

    /// Begins to read a body. [`StoreError::DamagedBody`] if it is not there or not whole.
    pub async fn read(&self, organisation: OrganisationId, id: BodyId) -> Result<BodyReader, StoreError> {
        let row = self.store.read(move |tx| tx.row(&sql::FIND_BODY, params![organisation, id])).await?;
        let row = row.ok_or(StoreError::DamagedBody { body: id })?;
        let damaged = |err| match err {
            StoreError::Key { .. } => StoreError::DamagedBody { body: id },
            other => other,
        };
        let key = self.keyring.day_key_by_id(organisation, row.get(0)?).await.map_err(damaged)?;
        BodyReader::open(&self.folder, organisation, id, &key, &row).await
    }

    /// Removes the files of bodies whose rows are gone for good.
    pub async fn remove_files(&self, files: Vec<BodyFile>) -> Result<(), StoreError> {
        for BodyFile(id) in files {
            self.folder.remove(id).await?;
        }
        Ok(())
    }

    /// Removes files that belong to no row and to no upload in progress, a day old or more: what a crash left behind.
    /// Returns how many.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let mut removed = 0;
        for id in self.folder.older_than_a_day(self.store.world().now()).await? {
            if self.uploads.contains(id) {
                continue;
            }
            let row = self.store.read(move |tx| tx.row(&sql::FIND_BODY_OF_FILE, params![id])).await?;
            if row.is_none() {
                self.folder.remove(id).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// The file of a body whose row was deleted; to be removed once that is committed ([`Bodies::remove_files`]). A crash in
/// between leaves a file without a row, which the sweeper finds.
#[derive(Clone, Copy, Debug)]
pub struct BodyFile(BodyId);

/// Deletes a body's row as part of the transaction that no longer needs it.
pub fn delete_body(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    id: BodyId,
) -> Result<Option<BodyFile>, StoreError> {
    let place = tx.row(&sql::FIND_BODY_PLACE, params![organisation, id])?;
    tx.execute(&sql::DELETE_BODY, params![organisation, id])?;
    let place: Option<Place> = place.map(|row| row.parse(0, "row or folder")).transpose()?;
    Ok(place.filter(|it| *it == Place::Folder).map(|_| BodyFile(id)))
}

/// Fails the transaction if the key that a body was sealed under has been destroyed meanwhile.
fn require_day_key(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    key: gatepost_core::KeyId,
) -> Result<(), StoreError> {
    match tx.row(&sql::SHARE_DAY_KEY, params![organisation, key])? {
        Some(_) => Ok(()),
        None => {
            Err(StoreError::Key { key: key.to_string(), problem: "was destroyed while a body was written" })
        }
    }
}
