//! TLS at our own doors.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use gatepost_core::World;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ProducesTickets, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use super::info::CertificateInfo;
use super::problem::HandshakeError;
use super::reload::Files;
use super::socket::EncryptedSocket;
use super::{WorldTime, provider};
use crate::authority::Issued;

/// Names a door answers to in ALPN, for example `&["smtp"]`. A client that offers names and none of these is refused, so
/// that a browser cannot be led to a mail door (SS-12; ALPACA, CVE-2021-3618). One that offers none is welcome.
pub type Protocols = &'static [&'static str];

/// The certificate of this installation and what serves it. Cheap to clone; all clones see a new certificate at once, and
/// sessions that run keep the old one.
#[derive(Clone)]
pub struct ServerTls {
    pub(super) served: Arc<Served>,
    pub(super) files: Option<Arc<Files>>,
    config: Arc<ServerConfig>,
    world: World,
}

/// The certificate that is served at present.
pub(super) struct Served(RwLock<(Arc<CertifiedKey>, CertificateInfo)>);

/// Why a certificate cannot be served, or an authority not be trusted.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No PEM block of the kind that is needed.
    #[error("no certificate found: a PEM file with -----BEGIN CERTIFICATE----- is expected")]
    NotPem,
    /// It is of version 1 or 2.
    #[error(
        "a certificate older than version 3 cannot say whether it is an authority's: make one with `openssl req -x509`"
    )]
    OldVersion,
    /// No private key.
    #[error("no private key found: a PEM file with -----BEGIN PRIVATE KEY----- is expected")]
    NoKey,
    /// Key and certificate are of two pairs.
    #[error("the private key does not belong to the certificate: replace both files together")]
    KeyMismatch,
    /// It cannot be parsed or has a kind of key that is not supported.
    #[error("the certificate or its key cannot be used: {0}")]
    Unusable(Error),
}

impl ServerTls {
    /// From two PEM files: the certificate with its chain, and its private key. [`ServerTls::watch`] follows their changes.
    pub fn from_files(certificate: &Path, key: &Path, world: &World) -> Result<Self, CertificateError> {
        let files = Files::new(certificate, key);
        let (chain, key) = files.read()?;
        let mut made = Self::new(pair(chain, key)?, world)?;
        made.files = Some(Arc::new(files));
        Ok(made)
    }

    /// From a certificate of the local authority.
    pub fn from_issued(issued: &Issued, world: &World) -> Result<Self, CertificateError> {
        Self::new(issued_pair(issued)?, world)
    }

    fn new(first: (Arc<CertifiedKey>, CertificateInfo), world: &World) -> Result<Self, CertificateError> {
        let served = Arc::new(Served(RwLock::new(first)));
        let mut config = ServerConfig::builder_with_details(provider(), Arc::new(WorldTime(world.clone())))
            .with_safe_default_protocol_versions()
            .map_err(CertificateError::Unusable)?
            .with_no_client_auth()
            .with_cert_resolver(served.clone());
        // Ticket keys change every 6 hours and are good for 12 (OP-9 asks for 24 or less).
        let tickets: Arc<dyn ProducesTickets> =
            rustls::crypto::aws_lc_rs::Ticketer::new().map_err(CertificateError::Unusable)?;
        config.ticketer = tickets;
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        Ok(Self { served, files: None, config: Arc::new(config), world: world.clone() })
    }

    /// Serves a new certificate from the next handshake on.
    pub fn install(&self, issued: &Issued) -> Result<(), CertificateError> {
        self.served.replace(issued_pair(issued)?);
        Ok(())
    }

    /// The certificate that is served at present.
    #[must_use]
    pub fn info(&self) -> CertificateInfo {
        self.served.0.read().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// Warnings about it, as [`CertificateInfo::warnings`] words them.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.info().warnings(self.world.now())
    }

    /// Shakes hands on a socket that speaks TLS from its first byte, for protocols that bring a parser of their own.
    pub async fn accept(
        &self,
        socket: TcpStream,
        protocols: Protocols,
        within: Duration,
    ) -> Result<EncryptedSocket, HandshakeError> {
        let shaken = tokio::time::timeout(within, self.acceptor(protocols).accept(socket)).await;
        let stream = shaken.map_err(|_elapsed| HandshakeError::TimedOut)?.map_err(HandshakeError::from)?;
        Ok(EncryptedSocket(Box::new(stream)))
    }

    pub(crate) fn acceptor(&self, protocols: Protocols) -> TlsAcceptor {
        let mut config = ServerConfig::clone(&self.config);
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Served {
    pub(super) fn replace(&self, new: (Arc<CertifiedKey>, CertificateInfo)) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = new;
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).0.clone())
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Served")
    }
}

/// Parses two PEM texts.
pub(super) fn parse(
    certificate: &[u8],
    key: &Zeroizing<Vec<u8>>,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), CertificateError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or(CertificateError::NotPem)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateError::NoKey)?;
    Ok((chain, key))
}

/// Checks that key and certificate belong together.
pub(super) fn pair(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<(Arc<CertifiedKey>, CertificateInfo), CertificateError> {
    let info = chain.first().and_then(|leaf| CertificateInfo::read(leaf)).ok_or(
        CertificateError::Unusable(Error::InvalidCertificate(rustls::CertificateError::BadEncoding)),
    )?;
    let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => CertificateError::KeyMismatch,
        other => CertificateError::Unusable(other),
    })?;
    Ok((Arc::new(certified), info))
}

fn issued_pair(issued: &Issued) -> Result<(Arc<CertifiedKey>, CertificateInfo), CertificateError> {
    let chain = vec![CertificateDer::from(issued.certificate.clone())];
    let key = PrivateKeyDer::try_from(issued.key.reveal().to_vec()).map_err(|_| CertificateError::NoKey)?;
    pair(chain, key)
}
