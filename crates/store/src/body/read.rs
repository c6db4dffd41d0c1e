//! Reading a body: opened chunk by chunk, each chunk verified before it is given out.

use gatepost_core::{BodyId, OrganisationId};
use gatepost_vault::{BodyOpener, BodyPlace, CHUNK_BYTES, DayKey};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::Place;
use super::folder::Folder;
use crate::{Row, StoreError};

/// A body on its way out. Holds one chunk in memory.
pub struct BodyReader {
    body: BodyId,
    size_bytes: u64,
    source: Source,
}

enum Source {
    /// A small body, opened whole.
    Row(Option<Vec<u8>>),
    Folder(Box<FromFolder>),
}

struct FromFolder {
    file: File,
    /// `None` once the last chunk was given out.
    opener: Option<BodyOpener>,
    sealed: Vec<u8>,
    used: usize,
}

impl BodyReader {
    pub(super) async fn open(
        folder: &Folder,
        organisation: OrganisationId,
        body: BodyId,
        key: &DayKey,
        row: &Row,
    ) -> Result<Self, StoreError> {
        let damaged = || StoreError::DamagedBody { body };
        let place = BodyPlace { organisation, body };
        let opener = BodyOpener::begin(key, &place, &row.get::<Vec<u8>>(1)?).map_err(|_| damaged())?;
        let source = match row.parse(3, "row or folder")? {
            Place::Row => {
                let sealed = row.get::<Option<Vec<u8>>>(4)?.ok_or_else(damaged)?;
                Source::Row(Some(opener.open_small(sealed).map_err(|_| damaged())?))
            }
            Place::Folder => {
                let file = File::open(folder.path(body)).await.map_err(|source| match source.kind() {
                    std::io::ErrorKind::NotFound => damaged(),
                    _ => StoreError::file("read", folder.path(body), source),
                })?;
                let sealed = Vec::with_capacity(CHUNK_BYTES);
                Source::Folder(Box::new(FromFolder { file, opener: Some(opener), sealed, used: 0 }))
            }
        };
        Ok(Self { body, size_bytes: row.get(2)?, source })
    }

    /// Plain bytes in all.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The next plain bytes, `None` at the end. [`StoreError::DamagedBody`] before anything unverified is given out.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        match &mut self.source {
            Source::Row(content) => Ok(content.take()),
            Source::Folder(it) => it.next(self.body).await,
        }
    }
}

impl FromFolder {
    async fn next(&mut self, body: BodyId) -> Result<Option<Vec<u8>>, StoreError> {
        let damaged = |_| StoreError::DamagedBody { body };
        loop {
            let Some(opener) = &mut self.opener else { return Ok(None) };
            let mut rest = self.sealed.get(self.used..).unwrap_or_default();
            let before = rest.len();
            let opened = opener.write(&mut rest).map_err(damaged)?.map(<[u8]>::to_vec);
            self.used += before - rest.len();
            if let Some(chunk) = opened {
                return Ok(Some(chunk));
            }
            self.sealed.clear();
            self.used = 0;
            let read = self.file.read_buf(&mut self.sealed).await;
            let read = read.map_err(|source| StoreError::file("read", body.to_string(), source))?;
            if read == 0 {
                let last = self.opener.take().map(|it| it.finish().map_err(damaged)).transpose()?;
                return Ok(last.filter(|it| !it.is_empty()));
            }
        }
    }
}
