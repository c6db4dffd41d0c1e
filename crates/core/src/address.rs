//! E-mail addresses and domains: one strict, linear, non-recursive parser for every door (API-5).

use std::fmt;
use std::str::FromStr;

use crate::printable;

/// A domain as mail uses it: lower-case ASCII labels (internationalised ones as `xn--` or, with SMTPUTF8, UTF-8), or an
/// address literal such as `[192.0.2.1]` (RFC 5321 §4.1.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

/// `local@domain`. The local part keeps its case (RFC 5321 §2.4); the domain is lower-cased. A quoted local part that
/// needs no quotes loses them, so that equal addresses are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress {
    text: String,
    at: usize,
}

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No `@`.
    #[error("an address needs an @, as in name@example.org")]
    MissingAt,
    /// Nothing, or something not allowed, before the `@`.
    #[error("the part before the @ is not a valid name")]
    BadLocalPart,
    /// Nothing, or something not allowed, after the `@`.
    #[error("the part after the @ is not a valid domain")]
    BadDomain,
    /// RFC 5321 §4.5.3.1: 64 octets before the `@`, 255 after it, 254 in all (256 with the angle brackets).
    #[error("the address is too long: at most 64 characters before the @ and 254 in all")]
    TooLong,
}

impl Domain {
    /// The text, lower-cased.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Domain {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.len() > 255 {
            return Err(AddressError::TooLong);
        }
        if let Some(literal) = text.strip_prefix('[') {
            return parse_literal(literal).map(Self);
        }
        let valid = !text.is_empty() && text.split('.').all(is_label);
        if valid { Ok(Self(text.to_lowercase())) } else { Err(AddressError::BadDomain) }
    }
}

/// RFC 5321 §4.1.3: the rest of `[192.0.2.1]` or `[IPv6:2001:db8::1]` behind the opening bracket.
fn parse_literal(rest: &str) -> Result<String, AddressError> {
    let inner = rest.strip_suffix(']').ok_or(AddressError::BadDomain)?;
    if let Ok(it) = inner.parse::<std::net::Ipv4Addr>() {
        return Ok(format!("[{it}]"));
    }
    let (tag, address) = inner.split_at_checked(5).ok_or(AddressError::BadDomain)?;
    match address.parse::<std::net::Ipv6Addr>() {
        Ok(it) if tag.eq_ignore_ascii_case("ipv6:") => Ok(format!("[IPv6:{it}]")),
        _ => Err(AddressError::BadDomain),
    }
}

/// RFC 5321 §4.1.2 `sub-domain`, with the U-labels of RFC 6531 §3.3, and the underscore that real hosts have.
fn is_label(label: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || is_utf8_mail(c);
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(inside)
}

/// A character beyond ASCII that may stand in an address: visible, and no control or direction mark.
fn is_utf8_mail(c: char) -> bool {
    !c.is_ascii()
        && !c.is_control()
        && !c.is_whitespace()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}')
}

/// RFC 5322 §3.2.3 `atext`, with RFC 6531 §3.3.
fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_utf8_mail(c)
}

fn is_dot_atom(text: &str) -> bool {
    !text.is_empty() && text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

impl EmailAddress {
    /// The whole address, as it goes on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the `@`, quoted if it must be.
    #[must_use]
    pub fn local_part(&self) -> &str {
        &self.text[..self.at]
    }

    /// Enough of it to recognise it by, for the log (OP-1): `r…@example.org`.
    #[must_use]
    pub fn masked(&self) -> String {
        let first = self.local_part().chars().next().map(String::from).unwrap_or_default();
        printable(format!("{first}…@{}", self.domain()).as_bytes()).to_string()
    }

    /// The part after the `@`, lower-cased.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// Whether it needs SMTPUTF8 (RFC 6531).
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.text.is_ascii()
    }

    /// Equal but for the case of the local part: providers and people treat those as one mailbox.
    #[must_use]
    pub fn is_same_mailbox(&self, other: &Self) -> bool {
        self.domain() == other.domain()
            && self.local_part().to_lowercase() == other.local_part().to_lowercase()
    }

    /// How the address is keyed where case must not matter (logins, accounts).
    #[must_use]
    pub fn to_key(&self) -> String {
        self.text.to_lowercase()
    }
}

impl FromStr for EmailAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        // Longer than any address can be, even with each character of its local part escaped.
        if text.len() > 400 {
            return Err(AddressError::TooLong);
        }
        let at = text.rfind('@').ok_or(AddressError::MissingAt)?;
        let local = normal_local_part(&text[..at])?;
        let domain: Domain = text[at + 1..].parse()?;
        if local.len() > 64 || local.len() + 1 + domain.0.len() > 254 {
            return Err(AddressError::TooLong);
        }
        Ok(Self { at: local.len(), text: format!("{local}@{}", domain.0) })
    }
}

/// RFC 5321 §4.1.2: a dot-string, or a quoted-string of printable characters with `\` escapes.
fn normal_local_part(text: &str) -> Result<String, AddressError> {
    if is_dot_atom(text) {
        return Ok(text.to_owned());
    }
    let inner =
        text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or(AddressError::BadLocalPart)?;
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => chars.next().filter(|c| matches!(c, ' '..='~')).ok_or(AddressError::BadLocalPart)?,
            '"' => return Err(AddressError::BadLocalPart),
            ' '..='~' => c,
            c if is_utf8_mail(c) => c,
            _ => return Err(AddressError::BadLocalPart),
        };
        plain.push(c);
    }
    if is_dot_atom(&plain) {
        return Ok(plain);
    }
    let mut quoted = String::with_capacity(plain.len() + 4);
    quoted.push('"');
    for c in plain.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    Ok(quoted)
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(input: &str, want: Result<&str, AddressError>) {
        let got = input.parse::<EmailAddress>().map(|it| it.to_string());
        assert_eq!(got, want.map(str::to_owned), "input: {input:?}");
    }

    #[test]
    fn addresses_are_taken_as_rfc_5321_has_them() {
        check("ana@Example.ORG", Ok("ana@example.org"));
        check("Ana@example.org", Ok("Ana@example.org"));
        check("o'brien+x@example.org", Ok("o'brien+x@example.org"));
        check("\"plain\"@example.org", Ok("plain@example.org"));
        check("\"a@evil x\"@ok.test", Ok("\"a@evil x\"@ok.test"));
        check("\"a\\\"b\"@ok.test", Ok("\"a\\\"b\"@ok.test"));
        check("a@[192.0.2.1]", Ok("a@[192.0.2.1]"));
        check("a@[ipv6:2001:DB8::1]", Ok("a@[IPv6:2001:db8::1]"));
        check("jörg@bücher.example", Ok("jörg@bücher.example"));
        check("a@localhost", Ok("a@localhost"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        use AddressError::{BadDomain, BadLocalPart, MissingAt, TooLong};
        check("no-at-sign", Err(MissingAt));
        check("", Err(MissingAt));
        check("@example.org", Err(BadLocalPart));
        check("a..b@example.org", Err(BadLocalPart));
        check(".a@example.org", Err(BadLocalPart));
        check("a b@example.org", Err(BadLocalPart));
        check("a\r\nRCPT TO:<b@c>@example.org", Err(BadLocalPart));
        check("\"a\r\n\"@example.org", Err(BadLocalPart));
        check("\"a\"b\"@example.org", Err(BadLocalPart));
        check("\"a\\\"@example.org", Err(BadLocalPart));
        check("a@", Err(BadDomain));
        check("a@b..c", Err(BadDomain));
        check("a@-b.c", Err(BadDomain));
        check("a@b.c\0", Err(BadDomain));
        check("a@b c", Err(BadDomain));
        check("a@[1.2.3]", Err(BadDomain));
        check("a@[IPv6:zz]", Err(BadDomain));
        check("a\u{202e}b@c.d", Err(BadLocalPart));
        check(&format!("{}@example.org", "a".repeat(64)), Ok(&format!("{}@example.org", "a".repeat(64))));
        check(&format!("{}@example.org", "a".repeat(65)), Err(TooLong));
        check(&"a".repeat(65_536), Err(TooLong));
    }

    #[test]
    fn one_mailbox_whatever_the_case() {
        let a: EmailAddress = "Ana@example.org".parse().unwrap();
        assert!(a.is_same_mailbox(&"ana@EXAMPLE.org".parse().unwrap()));
        assert!(!a.is_same_mailbox(&"anb@example.org".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn what_we_print_parses_back(text in "\\PC{0,80}(@\\PC{0,60})?") {
            if let Ok(it) = text.parse::<EmailAddress>() {
                prop_assert_eq!(it.to_string().parse::<EmailAddress>(), Ok(it.clone()));
                prop_assert!(!it.as_str().bytes().any(|b| b < 0x20 || b == 0x7f));
            }
        }
    }
}
