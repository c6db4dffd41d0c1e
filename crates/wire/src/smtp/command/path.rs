//! Reverse paths and forward paths.

use std::fmt;

use gatepost_core::{AddressError, Domain, EmailAddress};

use super::error::{CommandError, EnvelopeSide};
use crate::smtp::PATH;

/// Whom a failure of the message is reported to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReversePath {
    /// `<>`: nobody; the message is itself a notice.
    Null,
    /// An address.
    Address(EmailAddress),
}

impl ReversePath {
    /// The address, unless it is the null path.
    #[must_use]
    pub fn address(&self) -> Option<&EmailAddress> {
        match self {
            Self::Null => None,
            Self::Address(address) => Some(address),
        }
    }
}

/// The address, or nothing for the null path: as Return-Path shows it, without brackets.
impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.address().map_or("", EmailAddress::as_str))
    }
}

/// Splits `FROM:<path> parameters` behind its keyword into what is in the brackets and the parameters.
///
/// RFC 5321 §3.3 allows no space behind the colon. Old scanners put one there, and nothing else can be meant, so one is
/// taken. An address without angle brackets is refused: where it would end is a guess.
pub(super) fn split_path<'a>(
    argument: &'a [u8],
    keyword: &[u8],
    side: EnvelopeSide,
) -> Result<(&'a [u8], &'a [u8]), CommandError> {
    let missing = CommandError::NoPath(side);
    let (word, rest) = argument.split_at_checked(keyword.len()).ok_or(missing.clone())?;
    if !word.eq_ignore_ascii_case(keyword) {
        return Err(missing);
    }
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let inner = rest.strip_prefix(b"<").ok_or(missing.clone())?;
    let end = closing_bracket(inner).ok_or(missing.clone())?;
    let (path, tail) = inner.split_at_checked(end).ok_or(missing.clone())?;
    match tail {
        [b'>'] => Ok((path, &[])),
        [b'>', b' ', parameters @ ..] => Ok((path, parameters)),
        _ => Err(missing),
    }
}

/// Where the path ends: a `>` inside a quoted local part is a letter like any other.
fn closing_bracket(inner: &[u8]) -> Option<usize> {
    let mut is_quoted = false;
    let mut bytes = inner.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if is_quoted => _ = bytes.next(),
            b'"' => is_quoted = !is_quoted,
            b'>' if !is_quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// The address inside the brackets.
///
/// RFC 5321 §4.1.1.3, Appendix C: a source route `@a,@b:` must be recognised and should be ignored; that is what is done,
/// because the message goes to the account's provider whatever the route says.
pub(super) fn parse_address(path: &[u8], side: EnvelopeSide) -> Result<EmailAddress, CommandError> {
    let bad = |why| CommandError::BadAddress(side, why);
    if path.len() + 2 > PATH {
        return Err(bad(AddressError::TooLong));
    }
    let text = std::str::from_utf8(path).map_err(|_| bad(AddressError::BadLocalPart))?;
    let mailbox = match text.strip_prefix('@') {
        None => text,
        Some(route) => {
            let (hosts, mailbox) = route.split_once(':').ok_or(bad(AddressError::BadDomain))?;
            for host in hosts.split(",@") {
                host.parse::<Domain>().map_err(bad)?;
            }
            mailbox
        }
    };
    mailbox.parse().map_err(bad)
}
