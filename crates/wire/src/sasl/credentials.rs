//! What a finished exchange carries.

use gatepost_core::{SecretBytes, SecretText};

use super::SaslError;

/// Who wants to sign in, as what, with which secret. Not checked against anything yet.
///
/// Neither part is empty, and none holds a NUL (MP-18).
#[derive(Clone)]
pub struct Credentials {
    /// The authorization identity: whom the client wants to act as. `None` if it did not say. Must be refused unless it
    /// is the login itself (AP-8).
    pub authorization_id: Option<String>,
    /// The user name. OAUTHBEARER knows no other than the authorization identity, and may leave even that out: then it is
    /// empty, and the token alone says who it is.
    pub user_name: String,
    /// What proves it.
    pub secret: Secret,
}

/// What proves who somebody is.
#[derive(Clone)]
pub enum Secret {
    /// PLAIN and LOGIN.
    Password(SecretText),
    /// XOAUTH2 and OAUTHBEARER.
    BearerToken(SecretText),
}

impl Secret {
    /// The text, for the one place that checks it.
    #[must_use]
    pub fn text(&self) -> &SecretText {
        match self {
            Self::Password(text) | Self::BearerToken(text) => text,
        }
    }
}

/// Text of a field that must say something. RFC 4616 §2: one or more characters of UTF-8, no NUL.
pub(super) fn field(bytes: &[u8]) -> Result<&str, SaslError> {
    match std::str::from_utf8(bytes) {
        _ if bytes.is_empty() || bytes.contains(&0) => Err(SaslError::Empty),
        Ok(text) => Ok(text),
        Err(_) => Err(SaslError::Malformed),
    }
}

/// As [`field`], for a secret that arrives alone.
pub(super) fn secret_field(bytes: SecretBytes) -> Result<SecretText, SaslError> {
    field(bytes.reveal())?;
    bytes.into_text().ok_or(SaslError::Malformed)
}
