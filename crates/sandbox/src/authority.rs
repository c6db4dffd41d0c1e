//! The provider's own authority: clients trust `authority.pem`, and its key lies beside it, because this is a toy.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_core::{SecretBytes, World};
use gatepost_net::{Authority, ServerTls};

use crate::error::storage;
use crate::{SandboxError, durable};

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
            durable::replace(&key_path, key.reveal(), 0o600).map_err(storage("write", &key_path))?;
            durable::replace(&certificate_path, authority.certificate_pem().as_bytes(), 0o644)
                .map_err(storage("write", &certificate_path))?;
            authority
        }
        Err(error) => return Err(storage("read", &certificate_path)(error)),
    };
    let names = ["localhost", "smtp.sandbox.test", "127.0.0.1", "::1"];
    let hosts: Vec<_> = names.iter().map(|it| it.parse().expect("these are names and addresses")).collect();
    let tls = ServerTls::from_issued(&authority.issue(&hosts, world)?, world)?;
    Ok((certificate_path, tls))
}

/// The one certificate of our own file (RFC 7468).
fn from_pem(text: &str) -> Option<Vec<u8>> {
    let body = text.split_once("-----BEGIN CERTIFICATE-----")?.1.split_once("-----END CERTIFICATE-----")?.0;
    STANDARD.decode(body.split_ascii_whitespace().collect::<String>()).ok()
}
