//! The provider's own authority: clients trust `authority.pem`, and its key lies beside it, because this is a toy.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_core::{SecretBytes, World};
use gatepost_net::{Authority, ServerTls};

use crate::SandboxError;
use crate::error::storage;

/// The certificate for clients, and TLS with a certificate signed by it. Made at the first start, kept for all later ones,
/// so that what trusts it once trusts it for good. Blocks.
pub(crate) fn open(folder: &Path, world: &World) -> Result<(PathBuf, ServerTls), SandboxError> {
    let (certificate_path, key_path) = (folder.join("authority.pem"), folder.join("authority.key"));
    let authority = match fs::read_to_string(&certificate_path) {
        Ok(pem) => {
            let key = SecretBytes::new(fs::read(&key_path).map_err(storage("read", &key_path))?);
            let damaged = || SandboxError::Damaged { path: certificate_path.clone() };
            Authority::from_stored(&from_pem(&pem).ok_or_else(damaged)?, &key)?
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let (authority, key) = Authority::generate(world)?;
            // The key first: without the certificate it is made anew.
            write_new(&key_path, key.reveal(), 0o600)?;
            write_new(&certificate_path, authority.certificate_pem().as_bytes(), 0o644)?;
            authority
        }
        Err(error) => return Err(storage("read", &certificate_path)(error)),
    };
    let names = ["localhost", "smtp.sandbox.test", "127.0.0.1", "::1"];
    let hosts: Vec<_> = names.iter().map(|it| it.parse().expect("these are names and addresses")).collect();
    let tls = ServerTls::from_issued(&authority.issue(&hosts, world)?, world)?;
    Ok((certificate_path, tls))
}

/// Whole or not at all.
fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), SandboxError> {
    let new = path.with_extension("new");
    let write = || {
        let mut file = fs::File::options().write(true).create(true).truncate(true).mode(mode).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(storage("write", path))
}

/// The one certificate of our own file (RFC 7468).
fn from_pem(text: &str) -> Option<Vec<u8>> {
    let body = text.split_once("-----BEGIN CERTIFICATE-----")?.1.split_once("-----END CERTIFICATE-----")?.0;
    STANDARD.decode(body.split_ascii_whitespace().collect::<String>()).ok()
}
