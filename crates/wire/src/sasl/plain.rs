//! PLAIN (RFC 4616): `[authzid] NUL authcid NUL passwd`.

use gatepost_core::{SecretBytes, SecretText};

use super::credentials::field;
use super::{Credentials, SaslError, Secret};

pub(super) fn parse(message: &[u8]) -> Result<Credentials, SaslError> {
    // Counted by length: a fourth part is an error and not the end of a string (CVE-2025-53859).
    let mut parts = message.split(|b| *b == 0);
    let (Some(authorization_id), Some(user_name), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(SaslError::Malformed);
    };
    let authorization_id = match authorization_id {
        b"" => None,
        named => Some(field(named)?.to_owned()),
    };
    Ok(Credentials {
        authorization_id,
        user_name: field(user_name)?.to_owned(),
        secret: Secret::Password(SecretText::new(field(password)?.to_owned())),
    })
}

/// The message with an empty authorization identity, or the one that is set.
pub(super) fn write(credentials: &Credentials) -> SecretBytes {
    let authorization_id = credentials.authorization_id.as_deref().unwrap_or_default();
    let secret = credentials.secret.text().reveal();
    let mut message =
        Vec::with_capacity(authorization_id.len() + credentials.user_name.len() + secret.len() + 2);
    message.extend_from_slice(authorization_id.as_bytes());
    message.push(0);
    message.extend_from_slice(credentials.user_name.as_bytes());
    message.push(0);
    message.extend_from_slice(secret.as_bytes());
    SecretBytes::new(message)
}
