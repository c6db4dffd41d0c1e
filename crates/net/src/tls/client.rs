//! TLS towards providers.

use std::sync::Arc;

use gatepost_core::World;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, DnsName, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;
use x509_parser::certificate::X509Certificate;
use x509_parser::parse_x509_certificate;
use x509_parser::x509::X509Version;

use super::problem::SelfSigned;
use super::server::CertificateError;
use super::{HandshakeError, WorldTime, provider};
use crate::host::Host;

/// Verifies every provider against the bundled authorities and what the operator added. There is no other way to make one
/// (SC-2). Sessions are resumed, so that a new connection to the same host costs no second verification. Cheap to clone.
#[derive(Clone)]
pub struct ClientTls {
    pub(super) config: Arc<ClientConfig>,
}

impl ClientTls {
    /// `extra_authorities` are texts of PEM files, each with at least one certificate: of an authority, or of a server that has signed
    /// its own.
    pub fn new(extra_authorities: &[&[u8]], world: &World) -> Result<Self, CertificateError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let mut named = Vec::new();
        for text in extra_authorities {
            let mut n_found = 0;
            for certificate in CertificateDer::pem_slice_iter(text) {
                let certificate = certificate.map_err(|_| CertificateError::NotPem)?;
                if is_authority(&certificate)? {
                    roots.add(certificate.clone()).map_err(CertificateError::Unusable)?;
                } else {
                    ParsedCertificate::try_from(&certificate).map_err(CertificateError::Unusable)?;
                }
                named.push(certificate);
                n_found += 1;
            }
            if n_found == 0 {
                return Err(CertificateError::NotPem);
            }
        }
        let provider = provider();
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .map_err(|error| CertificateError::Unusable(Error::General(error.to_string())))?;
        let mut config = ClientConfig::builder_with_details(provider, Arc::new(WorldTime(world.clone())))
            .with_safe_default_protocol_versions()
            .map_err(CertificateError::Unusable)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier { ordinary: verifier, named }))
            .with_no_client_auth();
        config.resumption = rustls::client::Resumption::in_memory_sessions(256);
        Ok(Self { config: Arc::new(config) })
    }

    /// The same verification for a library that makes its connections itself (HTTP).
    #[must_use]
    pub fn for_http(&self) -> ClientConfig {
        ClientConfig::clone(&self.config)
    }

    pub(crate) fn connector(&self) -> TlsConnector {
        TlsConnector::from(self.config.clone())
    }

    pub(crate) fn server_name(host: &Host) -> Result<ServerName<'static>, HandshakeError> {
        match host {
            Host::Address(address) => Ok(ServerName::IpAddress((*address).into())),
            Host::Name(name) => DnsName::try_from(name.clone())
                .map(ServerName::DnsName)
                .map_err(|_| HandshakeError::Other(format!("{name} cannot be the name in a certificate"))),
        }
    }
}

/// The ordinary verifier, and beside it what the operator named.
///
/// A certificate that has signed itself is the commonest case of an office's own server. As an authority it would not do: the ordinary
/// verifier takes no authority for a server, which is what `openssl req -x509` makes, and any other could sign for every name. So it counts
/// where it is named itself, to the last octet, and speaks for no other. Where it is not named, the refusal says what it is, because that
/// has a cure of its own.
#[derive(Debug)]
struct Verifier {
    ordinary: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        use rustls::CertificateError as E;
        if self.named.contains(end_entity) {
            return verify_named(end_entity, server_name, now);
        }
        let verified =
            self.ordinary.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.map_err(|error| {
            let is_unknown = matches!(error, Error::InvalidCertificate(E::UnknownIssuer | E::Other(_)));
            if is_unknown && has_signed_itself(end_entity) {
                Error::InvalidCertificate(E::Other(OtherError(Arc::new(SelfSigned))))
            } else {
                error
            }
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.ordinary.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.ordinary.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.ordinary.supported_verify_schemes()
    }
}

/// Whoever signed it is beside the point; the time, the name and the use are not. That the server has its key is proven by the handshake.
fn verify_named(
    certificate: &CertificateDer<'_>,
    server_name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    use rustls::CertificateError as E;
    let (_, parsed) = parse_x509_certificate(certificate).map_err(|_| E::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < parsed.validity().not_before.timestamp() {
        return Err(E::NotValidYet.into());
    }
    if now > parsed.validity().not_after.timestamp() {
        return Err(E::Expired.into());
    }
    if !is_for_servers(&parsed) {
        return Err(E::InvalidPurpose.into());
    }
    verify_server_name(&ParsedCertificate::try_from(certificate)?, server_name)?;
    Ok(ServerCertVerified::assertion())
}

/// RFC 5280 §4.2.1.12: without a list it may be used for everything.
fn is_for_servers(certificate: &X509Certificate<'_>) -> bool {
    certificate.extended_key_usage().is_ok_and(|it| it.is_none_or(|it| it.value.server_auth || it.value.any))
}

/// RFC 5280 §4.2.1.9: it says so itself; else whoever has the key of one server could sign for all of them. One of version 1 cannot say it.
fn is_authority(certificate: &CertificateDer<'_>) -> Result<bool, CertificateError> {
    let Ok((_, parsed)) = parse_x509_certificate(certificate) else { return Ok(false) };
    if parsed.version() == X509Version::V3 { Ok(parsed.is_ca()) } else { Err(CertificateError::OldVersion) }
}

fn has_signed_itself(certificate: &CertificateDer<'_>) -> bool {
    parse_x509_certificate(certificate)
        .is_ok_and(|(_, parsed)| parsed.issuer().as_raw() == parsed.subject().as_raw())
}
