//! What went wrong in a handshake, in terms a diagnosis can use.

use std::io;

use rustls::{CertificateError, Error};

/// Whether TLS is what failed, for an error of a library that makes its connections itself (HTTP).
#[must_use]
pub fn is_tls_error(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(it) = next {
        // An error of the system hides what is in it from `source`.
        let inner = it.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if it.is::<Error>() || inner.is_some_and(|it| it.is::<Error>()) {
            return true;
        }
        next = match inner {
            Some(inner) => Some(inner),
            None => it.source(),
        };
    }
    false
}

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The peer's certificate does not verify.
    #[error("the certificate is not acceptable: {0}")]
    Certificate(CertificateProblem),
    /// What came is not TLS.
    #[error("the other side does not speak TLS here")]
    NotTls,
    /// No common version, cipher suite or application protocol.
    #[error("the other side offers no TLS that is safe enough")]
    NothingInCommon,
    /// The peer broke off with an alert, named here.
    #[error("the other side broke the TLS handshake off: {0}")]
    Alert(String),
    /// The connection ended.
    #[error("the other side closed the connection during the TLS handshake")]
    Closed,
    /// It took too long.
    #[error("the TLS handshake took too long")]
    TimedOut,
    /// Anything else TLS found wrong.
    #[error("the TLS handshake failed: {0}")]
    Other(String),
    /// The system failed.
    #[error("the connection broke during the TLS handshake")]
    Broken(#[source] io::Error),
}

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// Its time has not begun; perhaps a clock is wrong.
    #[error("it is not valid yet; check this computer's clock")]
    NotYetValid,
    /// It belongs to another host.
    #[error("it is not for this host{}", but_for(.presented))]
    WrongName {
        /// The names it has.
        presented: Vec<String>,
    },
    /// Nobody we know has signed it.
    #[error("it was signed by an authority that is not known here")]
    UnknownAuthority,
    /// It has signed itself.
    #[error("it has signed itself")]
    SelfSigned,
    /// It is not for servers.
    #[error("it is not meant for servers")]
    WrongUsage,
    /// Signed in a way that is no longer safe, such as SHA-1.
    #[error("it was signed with a method that is not safe")]
    WeakSignature,
    /// A signature does not fit.
    #[error("its signature is wrong")]
    BadSignature,
    /// Its issuer took it back.
    #[error("it was revoked")]
    Revoked,
    /// It cannot be read.
    #[error("it is malformed")]
    Malformed,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

fn but_for(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(", but for {}", names.join(", ")) }
}

/// What the verifier of [`super::ClientTls`] says where it has found that an unknown certificate has signed itself.
#[derive(Debug, thiserror::Error)]
#[error("the certificate has signed itself")]
pub(super) struct SelfSigned;

impl From<io::Error> for HandshakeError {
    fn from(error: io::Error) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        match (tls, error.kind()) {
            (Some(tls), _) => Self::from(tls),
            (None, io::ErrorKind::UnexpectedEof) => Self::Closed,
            (None, _) => Self::Broken(error),
        }
    }
}

impl From<&Error> for HandshakeError {
    fn from(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(problem) => Self::Certificate(problem.into()),
            Error::NoCertificatesPresented => Self::Certificate(CertificateProblem::Malformed),
            Error::InvalidMessage(_) => Self::NotTls,
            Error::PeerIncompatible(_) | Error::NoApplicationProtocol => Self::NothingInCommon,
            Error::AlertReceived(alert) => Self::Alert(format!("{alert:?}")),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<&CertificateError> for CertificateProblem {
    fn from(error: &CertificateError) -> Self {
        use CertificateError as E;
        match error {
            E::Expired | E::ExpiredContext { .. } => Self::Expired,
            E::NotValidYet | E::NotValidYetContext { .. } => Self::NotYetValid,
            E::NotValidForName => Self::WrongName { presented: vec![] },
            E::NotValidForNameContext { presented, .. } => Self::WrongName { presented: presented.clone() },
            E::UnknownIssuer => Self::UnknownAuthority,
            E::InvalidPurpose | E::InvalidPurposeContext { .. } => Self::WrongUsage,
            E::UnsupportedSignatureAlgorithmContext { .. }
            | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Self::WeakSignature,
            E::BadSignature => Self::BadSignature,
            E::Revoked => Self::Revoked,
            E::BadEncoding => Self::Malformed,
            E::Other(inner) if inner.0.is::<SelfSigned>() => Self::SelfSigned,
            other => Self::Other(other.to_string()),
        }
    }
}
