//! Following certificate files as they change.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::server::{self, CertificateError, ServerTls};

/// The two files of a certificate.
pub(super) struct Files {
    certificate: PathBuf,
    key: PathBuf,
    /// How the files looked when they were last read.
    seen: Mutex<Look>,
}

/// Time and length of both files; none where one is missing.
type Look = [Option<(SystemTime, u64)>; 2];

/// What [`ServerTls::reload`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// The files are as they were, or the certificate is not from files.
    Unchanged,
    /// The new certificate is served from the next handshake on.
    Replaced,
}

impl Files {
    pub(super) fn new(certificate: &Path, key: &Path) -> Self {
        let files =
            Self { certificate: certificate.to_owned(), key: key.to_owned(), seen: Mutex::new([None; 2]) };
        files.remember(files.look());
        files
    }

    fn look(&self) -> Look {
        [&self.certificate, &self.key].map(|path| {
            let file = fs::metadata(path).ok()?;
            Some((file.modified().ok()?, file.len()))
        })
    }

    fn seen(&self) -> Look {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, look: Look) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = look;
    }

    pub(super) fn read(
        &self,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), CertificateError> {
        let read = |path: &PathBuf| {
            fs::read(path).map_err(|source| CertificateError::Unreadable { path: path.clone(), source })
        };
        server::parse(&read(&self.certificate)?, &Zeroizing::new(read(&self.key)?))
    }
}

impl ServerTls {
    /// Reads the files again if they have changed. On an error the certificate in use stays, and the same files are not
    /// tried again until they change.
    pub fn reload(&self) -> Result<Reload, CertificateError> {
        let Some(files) = &self.files else { return Ok(Reload::Unchanged) };
        let look = files.look();
        if look == files.seen() {
            return Ok(Reload::Unchanged);
        }
        files.remember(look);
        let (chain, key) = files.read()?;
        self.served.replace(server::pair(chain, key)?);
        Ok(Reload::Replaced)
    }

    /// Looks at the files every `every` and reloads them, until `stop`. A pair that changed is read one look later, when it
    /// is as it was then: whoever replaces two files does so one after the other.
    pub async fn watch(&self, every: Duration, stop: CancellationToken) {
        let Some(files) = &self.files else { return };
        let mut last_look = files.look();
        loop {
            tokio::select! {
                // Both may be dropped at any point.
                () = stop.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
            let look = files.look();
            if std::mem::replace(&mut last_look, look) != look {
                continue;
            }
            match self.reload() {
                Ok(Reload::Unchanged) => {}
                Ok(Reload::Replaced) => {
                    let info = self.info();
                    tracing::info!(names = ?info.names, not_after = %info.not_after, "new certificate in use");
                }
                Err(error) => {
                    tracing::warn!(certificate = %files.certificate.display(), %error, "the new certificate cannot be used; the one before stays in use");
                }
            }
        }
    }
}
