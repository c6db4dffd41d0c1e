//! TLS 1.2 and 1.3 with forward secrecy and authenticated encryption, and nothing else.

mod client;
mod info;
mod problem;
mod reload;
mod server;
mod socket;

use std::sync::Arc;

use gatepost_core::World;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

pub use client::ClientTls;
pub use info::{CertificateInfo, KeyKind};
pub use problem::{CertificateProblem, HandshakeError, is_tls_error};
pub use reload::Reload;
pub use server::{CertificateError, Protocols, ServerTls};
pub use socket::EncryptedSocket;

/// Every suite of it is AEAD with an ephemeral key exchange (SS-2; RFC 9325 §4.2); a test holds it to that.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Certificates are judged by the clock that tests can move.
struct WorldTime(World);

impl std::fmt::Debug for WorldTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WorldTime")
    }
}

impl TimeProvider for WorldTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

#[cfg(test)]
mod tests;
