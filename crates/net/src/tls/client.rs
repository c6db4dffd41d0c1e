//! TLS towards providers.

use std::sync::Arc;

use gatepost_core::World;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, DnsName, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;

use super::problem::SelfSigned;
use super::server::CertificateError;
use super::{HandshakeError, WorldTime, provider};
use crate::host::Host;

/// Verifies every provider against the bundled authorities and those the operator added. There is no other way to make one
/// (SC-2). Sessions are resumed, so that a new connection to the same host costs no second verification. Cheap to clone.
#[derive(Clone)]
pub struct ClientTls {
    pub(super) config: Arc<ClientConfig>,
}

impl ClientTls {
    /// `extra_authorities` are texts of PEM files, each with at least one certificate of an authority.
    pub fn new(extra_authorities: &[&[u8]], world: &World) -> Result<Self, CertificateError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for text in extra_authorities {
            let mut n_found = 0;
            for certificate in CertificateDer::pem_slice_iter(text) {
                let certificate = certificate.map_err(|_| CertificateError::NotPem)?;
                roots.add(certificate).map_err(CertificateError::Unusable)?;
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
            .with_custom_certificate_verifier(Arc::new(Explaining(verifier)))
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

/// The ordinary verifier, whose refusals are told apart further: a certificate that has signed itself is the commonest
/// mistake of an office's own server and has a cure of its own. It refuses exactly what the ordinary one refuses.
#[derive(Debug)]
struct Explaining(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for Explaining {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        use rustls::CertificateError as E;
        self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now).map_err(
            |error| {
                let is_unknown = matches!(error, Error::InvalidCertificate(E::UnknownIssuer | E::Other(_)));
                if is_unknown && has_signed_itself(end_entity) {
                    Error::InvalidCertificate(E::Other(OtherError(Arc::new(SelfSigned))))
                } else {
                    error
                }
            },
        )
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

fn has_signed_itself(certificate: &CertificateDer<'_>) -> bool {
    x509_parser::parse_x509_certificate(certificate)
        .is_ok_and(|(_, parsed)| parsed.issuer().as_raw() == parsed.subject().as_raw())
}
