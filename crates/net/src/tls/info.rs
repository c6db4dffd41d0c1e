//! What a certificate says about itself, for `check`, the status page and the log.

use gatepost_core::Timestamp;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::{OID_KEY_TYPE_EC_PUBLIC_KEY, OID_PKCS1_RSAENCRYPTION};

/// Days before the end from which on there are warnings (OP-9).
const WARN_DAYS: i64 = 14;

/// The figures of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInfo {
    /// Host names and addresses it is for.
    pub names: Vec<String>,
    /// From when.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// What kind of key.
    pub key: KeyKind,
}

/// What kind of key a certificate has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Elliptic curves; what older Windows applications can use together with forward secrecy.
    Ecdsa,
    /// RSA.
    Rsa,
    /// Another one.
    Other,
}

impl CertificateInfo {
    /// Reads it from DER; none if that is no certificate.
    pub(crate) fn read(certificate: &[u8]) -> Option<Self> {
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
        let names = parsed
            .subject_alternative_name()
            .ok()
            .flatten()
            .map(|names| names.value.general_names.iter().filter_map(name_text).collect())
            .unwrap_or_default();
        let algorithm = &parsed.public_key().algorithm.algorithm;
        let key = if *algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY {
            KeyKind::Ecdsa
        } else if *algorithm == OID_PKCS1_RSAENCRYPTION {
            KeyKind::Rsa
        } else {
            KeyKind::Other
        };
        let time = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1000));
        Some(Self {
            names,
            not_before: time(parsed.validity().not_before.timestamp()),
            not_after: time(parsed.validity().not_after.timestamp()),
            key,
        })
    }

    /// Whole days until it expires; negative once it has.
    #[must_use]
    pub const fn days_left(&self, now: Timestamp) -> i64 {
        (self.not_after.seconds() - now.seconds()).div_euclid(86_400)
    }

    /// What the operator should know, one sentence each, with the cure.
    #[must_use]
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        let mut warnings = Vec::new();
        let days = self.days_left(now);
        if days < 0 {
            warnings.push("the certificate has expired: put a new one in its place".to_owned());
        } else if days < WARN_DAYS {
            warnings.push(format!("the certificate expires in {days} days: put a new one in its place"));
        }
        if self.not_before > now {
            warnings.push("the certificate is not valid yet: check this computer's clock".to_owned());
        }
        if self.names.is_empty() {
            warnings.push("the certificate names no host, so no application will accept it: get one with a subject alternative name".to_owned());
        }
        if self.key == KeyKind::Rsa {
            warnings.push("the certificate has an RSA key, with which some older Windows applications cannot connect: an ECDSA P-256 certificate serves all".to_owned());
        }
        warnings
    }
}

fn name_text(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|it| std::net::Ipv4Addr::from(it).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|it| std::net::Ipv6Addr::from(it).to_string()),
        },
        _ => None,
    }
}
