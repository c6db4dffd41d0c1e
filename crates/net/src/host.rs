//! Names and addresses of hosts, in one strict spelling.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A host to dial or to make a certificate for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A DNS name, lower-cased, without a dot at its end.
    Name(String),
    /// An address written as such.
    Address(IpAddr),
}

/// Why a text is not a [`Host`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Neither a name nor an address.
    #[error("{0:?} is not a host: write a name such as smtp.example.org, or an address")]
    NotAHost(String),
    /// A number or an old spelling of an address, which programs read in different ways: the guard must see what is
    /// dialled.
    #[error("{0:?} is not a host: write the address as four numbers from 0 to 255, such as 192.0.2.1")]
    OddAddress(String),
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(inner) = bare {
            let address: Ipv6Addr = inner.parse().map_err(|_| HostError::NotAHost(text.to_owned()))?;
            return Ok(Self::Address(address.into()));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        // A name whose last label is a number is an IPv4 address to some programs (`127.1`, `0x7f.1`, `2130706433`;
        // WHATWG URL §3.5). None is a real name: no top-level domain is a number (RFC 3696 §2).
        if name.rsplit('.').next().is_some_and(is_number) {
            return Err(HostError::OddAddress(text.to_owned()));
        }
        let is_name = !name.is_empty() && name.len() <= 253 && name.split('.').all(is_label);
        if is_name {
            Ok(Self::Name(name.to_ascii_lowercase()))
        } else {
            Err(HostError::NotAHost(text.to_owned()))
        }
    }
}

/// RFC 1123 §2.1, with the underscore that real hosts have. Internationalised names are given as `xn--`.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn is_number(label: &str) -> bool {
    let hex = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    match hex {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// As it is written before a colon and a port: IPv6 addresses in brackets (RFC 3986 §3.2.2).
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Self::Address(address)
    }
}

impl From<Ipv4Addr> for Host {
    fn from(address: Ipv4Addr) -> Self {
        Self::Address(address.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Option<&str>) {
        assert_eq!(text.parse::<Host>().ok().map(|host| host.to_string()).as_deref(), want, "{text:?}");
    }

    #[test]
    fn names_and_addresses_have_one_spelling() {
        check("SMTP.Example.org", Some("smtp.example.org"));
        check("smtp.example.org.", Some("smtp.example.org"));
        check("localhost", Some("localhost"));
        check("mail_1.example.org", Some("mail_1.example.org"));
        check("xn--bcher-kva.example", Some("xn--bcher-kva.example"));
        check("192.0.2.1", Some("192.0.2.1"));
        check("2001:DB8::1", Some("[2001:db8::1]"));
        check("[2001:db8::1]", Some("[2001:db8::1]"));
    }

    #[test]
    fn old_spellings_of_addresses_are_no_hosts() {
        for odd in [
            "127.1",
            "0x7f.1",
            "0x7f000001",
            "2130706433",
            "017700000001",
            "127.0.0.01",
            "127.0.0.0x1",
            "0",
            "1.2.3.4.5",
        ] {
            assert_eq!(odd.parse::<Host>(), Err(HostError::OddAddress(odd.into())), "{odd}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let long = "a".repeat(64);
        for bad in [
            "",
            ".",
            "..",
            "a..b",
            "-a.b",
            "a-.b",
            "a b",
            "a\0b",
            "a\r\nb",
            "a/b",
            "a@b",
            "a:25",
            "[1.2.3.4]",
            "[::1",
            "::1%lo",
            &long,
        ] {
            assert!(bad.parse::<Host>().is_err(), "{bad:?}");
        }
    }
}
