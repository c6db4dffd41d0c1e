//! The small local authority, for installations without a certificate of their own.
//!
//! It is made at first start. People add its certificate to the computers that run applications; it signs the certificates
//! of this installation's doors.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gatepost_core::{SecretBytes, Timestamp, World};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber, date_time_ymd,
};

use crate::host::Host;

/// How long the authority is good for.
const AUTHORITY_FOR: Duration = Duration::from_secs(10 * 365 * 86_400);

/// How long a certificate is good for: what Apple's systems accept for certificates is 398 days.
const LEAF_FOR: Duration = Duration::from_secs(397 * 86_400);

/// Clocks in an office differ.
const BACKDATED: Duration = Duration::from_secs(3_600);

/// An authority whose key is in memory.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Vec<u8>,
}

/// A certificate made by the authority.
pub struct Issued {
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// Its private key, PKCS #8 DER.
    pub key: SecretBytes,
}

/// Why the authority cannot work.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The stored certificate or key is damaged.
    #[error("the stored certificate or key of the local authority is damaged")]
    Damaged,
    /// A name cannot stand in a certificate.
    #[error("{0} cannot stand in a certificate")]
    BadName(Host),
    /// Signing failed.
    #[error("the local authority could not sign")]
    Signing(#[source] rcgen::Error),
}

impl Authority {
    /// A new authority: ECDSA P-256, 10 years. Returns also its private key as PKCS #8, to be kept sealed.
    pub fn generate(world: &World) -> Result<(Self, SecretBytes), AuthorityError> {
        // rcgen takes the key's randomness from aws-lc, which takes it from the operating system (VA-10).
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(AuthorityError::Signing)?;
        let secret = SecretBytes::new(key.serialize_der());
        // Two authorities must not have the same name: some clients look authorities up by name alone.
        let tag: String = world.random::<4>().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut params = authority_params(&format!("Gatepost local authority {tag}"));
        params.serial_number = Some(serial(world));
        set_validity(&mut params, world.now() - BACKDATED, AUTHORITY_FOR);
        let certificate = params.self_signed(&key).map_err(AuthorityError::Signing)?.der().to_vec();
        Ok((Self { issuer: Issuer::new(params, key), certificate }, secret))
    }

    /// The authority from its certificate (DER) and private key (PKCS #8), as they were stored.
    pub fn from_stored(certificate: &[u8], key: &SecretBytes) -> Result<Self, AuthorityError> {
        let key = KeyPair::try_from(key.reveal()).map_err(|_| AuthorityError::Damaged)?;
        let (_, parsed) =
            x509_parser::parse_x509_certificate(certificate).map_err(|_| AuthorityError::Damaged)?;
        if parsed.public_key().subject_public_key.data.as_ref() != key.public_key_raw() {
            return Err(AuthorityError::Damaged);
        }
        let name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        let params = authority_params(name.ok_or(AuthorityError::Damaged)?);
        Ok(Self { issuer: Issuer::new(params, key), certificate: certificate.to_vec() })
    }

    /// The authority's own certificate, DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The same as PEM, for people to download.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        pem(&self.certificate)
    }

    /// A certificate for these names: ECDSA P-256, because that is what older Windows applications can use, 397 days.
    pub fn issue(&self, names: &[Host], world: &World) -> Result<Issued, AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(AuthorityError::Signing)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name("Gatepost");
        for name in names {
            params.subject_alt_names.push(match name {
                Host::Address(address) => SanType::IpAddress(*address),
                Host::Name(text) => SanType::DnsName(
                    text.as_str().try_into().map_err(|_| AuthorityError::BadName(name.clone()))?,
                ),
            });
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(serial(world));
        set_validity(&mut params, world.now() - BACKDATED, LEAF_FOR);
        let certificate =
            params.signed_by(&key, &self.issuer).map_err(AuthorityError::Signing)?.der().to_vec();
        Ok(Issued { certificate, key: SecretBytes::new(key.serialize_der()) })
    }
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(name);
    // It signs certificates of hosts and no further authorities.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn common_name(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

/// RFC 5280 §4.1.2.2: positive, at most 20 octets; 120 random bits are never drawn twice.
fn serial(world: &World) -> SerialNumber {
    let mut bytes = [1; 16];
    world.fill_random(&mut bytes[1..]);
    SerialNumber::from_slice(&bytes)
}

fn set_validity(params: &mut CertificateParams, from: Timestamp, lasting: Duration) {
    let since_1970 = from.since(Timestamp::EPOCH);
    params.not_before = date_time_ymd(1970, 1, 1) + since_1970;
    params.not_after = params.not_before + lasting;
}

/// RFC 7468 §2 and §5.1: lines of 64 characters.
pub(crate) fn pem(certificate: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(certificate);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let body: String = lines.flat_map(|line| [line.into_owned(), "\n".to_owned()]).collect();
    format!("-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n")
}

#[cfg(test)]
mod tests;
