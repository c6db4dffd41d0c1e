//! XOAUTH2 and OAUTHBEARER: `key=value` pairs that end with the byte 0x01.

use gatepost_core::{SecretBytes, SecretText};

use super::credentials::field;
use super::{Credentials, SaslError, Secret};

const END: u8 = 0x01;

/// `user=NAME ^A auth=Bearer TOKEN ^A ^A`, as Google and Microsoft describe it.
pub(super) fn parse_xoauth2(message: &[u8]) -> Result<Credentials, SaslError> {
    let pairs = message.strip_suffix(&[END, END]).ok_or(SaslError::Malformed)?;
    let mut user = None;
    let mut token = None;
    for pair in pairs.split(|b| *b == END) {
        match split_pair(pair)? {
            (b"user", value) => once(&mut user, value)?,
            (b"auth", value) => once(&mut token, value)?,
            _ => {}
        }
    }
    let user_name = field(user.ok_or(SaslError::Malformed)?)?.to_owned();
    Ok(Credentials { authorization_id: None, user_name, secret: bearer(token)? })
}

/// RFC 7628 §3.1: `n,a=NAME, ^A host=… ^A port=… ^A auth=Bearer TOKEN ^A ^A`.
pub(super) fn parse_oauthbearer(message: &[u8]) -> Result<Credentials, SaslError> {
    // RFC 5801 §4: the header is flag, authorization identity, each with its comma; `p=…` would bind to a TLS channel,
    // which this mechanism cannot.
    let rest = message.strip_prefix(b"n,").or_else(|| message.strip_prefix(b"y,"));
    let rest = rest.ok_or(SaslError::Malformed)?;
    let comma = memchr::memchr(b',', rest).ok_or(SaslError::Malformed)?;
    let (identity, rest) = rest.split_at_checked(comma).ok_or(SaslError::Malformed)?;
    let authorization_id = match identity {
        b"" => None,
        named => Some(saslname(named.strip_prefix(b"a=").ok_or(SaslError::Malformed)?)?),
    };
    let pairs = rest.strip_prefix(&[b',', END]).and_then(|it| it.strip_suffix(&[END, END]));
    let mut token = None;
    for pair in pairs.ok_or(SaslError::Malformed)?.split(|b| *b == END) {
        // §3.1: host and port are for the server's own use; we are one host. Unknown keys are ignored.
        if let (b"auth", value) = split_pair(pair)? {
            once(&mut token, value)?;
        }
    }
    let user_name = authorization_id.clone().unwrap_or_default();
    Ok(Credentials { authorization_id, user_name, secret: bearer(token)? })
}

/// RFC 7628 §3.1: a key is letters only.
fn split_pair(pair: &[u8]) -> Result<(&[u8], &[u8]), SaslError> {
    let at = memchr::memchr(b'=', pair).ok_or(SaslError::Malformed)?;
    let (key, value) = pair.split_at_checked(at).ok_or(SaslError::Malformed)?;
    if key.is_empty() || !key.iter().all(u8::is_ascii_alphabetic) {
        return Err(SaslError::Malformed);
    }
    Ok((key, value.get(1..).unwrap_or_default()))
}

/// Two values for one key would let two readers see two people.
fn once<'a>(slot: &mut Option<&'a [u8]>, value: &'a [u8]) -> Result<(), SaslError> {
    if slot.replace(value).is_some() { Err(SaslError::Malformed) } else { Ok(()) }
}

/// RFC 6750 §2.1: `Bearer` in any case (RFC 9110 §11.1), and a token of visible characters. Spaces inside are taken,
/// because people type an app password in its groups of four.
fn bearer(value: Option<&[u8]>) -> Result<Secret, SaslError> {
    let (scheme, token) = value.and_then(|it| it.split_at_checked(7)).ok_or(SaslError::Malformed)?;
    if !scheme.eq_ignore_ascii_case(b"bearer ") {
        return Err(SaslError::Malformed);
    }
    let token = field(token.trim_ascii())?;
    if !token.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return Err(SaslError::Malformed);
    }
    Ok(Secret::BearerToken(SecretText::new(token.to_owned())))
}

/// RFC 5801 §4: a comma is written `=2C`, an equals sign `=3D`.
fn saslname(bytes: &[u8]) -> Result<String, SaslError> {
    let mut rest = field(bytes)?;
    let mut name = String::with_capacity(rest.len());
    while let Some((plain, escape)) = rest.split_once('=') {
        name.push_str(plain);
        let (letter, tail) = if let Some(tail) = escape.strip_prefix("2C") {
            (',', tail)
        } else {
            ('=', escape.strip_prefix("3D").ok_or(SaslError::Malformed)?)
        };
        name.push(letter);
        rest = tail;
    }
    name.push_str(rest);
    Ok(name)
}

pub(super) fn write_xoauth2(credentials: &Credentials) -> SecretBytes {
    join(&[
        "user=",
        &credentials.user_name,
        "\x01auth=Bearer ",
        credentials.secret.text().reveal(),
        "\x01\x01",
    ])
}

/// `host` and `port` are those of the server that is being signed in to.
pub(super) fn write_oauthbearer(credentials: &Credentials, host: &str, port: u16) -> SecretBytes {
    let name = credentials.user_name.replace('=', "=3D").replace(',', "=2C");
    let identity = if name.is_empty() { String::new() } else { format!("a={name}") };
    let (port, token) = (port.to_string(), credentials.secret.text().reveal());
    join(&["n,", &identity, ",\x01host=", host, "\x01port=", &port, "\x01auth=Bearer ", token, "\x01\x01"])
}

/// Joins in one allocation, so that no copy of the token stays behind.
fn join(parts: &[&str]) -> SecretBytes {
    let mut message = Vec::with_capacity(parts.iter().map(|it| it.len()).sum());
    for part in parts {
        message.extend_from_slice(part.as_bytes());
    }
    SecretBytes::new(message)
}
