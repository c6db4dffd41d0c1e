//! The servers of an account. A secret may be sent to these and to no other (OC-9).

use std::fmt;

use gatepost_core::TlsMode;
use gatepost_net::Host;
use gatepost_store::{Row, StoreError, Value};

use crate::error::Invalid;

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// A name such as `smtp.example.org`, or an IP address (IPv6 in brackets).
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
    /// How encryption begins there.
    pub tls: TlsMode,
}

/// `smtp.example.org:587 (starttls)`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ({})", self.host, self.port, self.tls.word())
    }
}

impl Endpoint {
    /// The same server in the one spelling that is stored, or what is wrong with it.
    pub(crate) fn checked(self) -> Result<Self, Invalid> {
        let host: Host = self.host.trim().parse()?;
        if self.port == 0 { Err(Invalid::Port) } else { Ok(Self { host: host.to_string(), ..self }) }
    }

    /// As it is dialled.
    pub(crate) fn dialled(&self) -> Result<gatepost_upstream::Endpoint, Invalid> {
        Ok(gatepost_upstream::Endpoint { host: self.host.parse()?, port: self.port, tls: self.tls })
    }
}

/// All servers of an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoints {
    /// Where letters go out.
    pub smtp: Endpoint,
    /// Where mail is read by IMAP.
    pub imap: Option<Endpoint>,
    /// Where mail is read by POP3.
    pub pop3: Option<Endpoint>,
}

impl Endpoints {
    /// Whether there is a server to read from.
    #[must_use]
    pub const fn can_be_read(&self) -> bool {
        self.imap.is_some() || self.pop3.is_some()
    }

    pub(crate) fn checked(self) -> Result<Self, Invalid> {
        Ok(Self {
            smtp: self.smtp.checked()?,
            imap: self.imap.map(Endpoint::checked).transpose()?,
            pop3: self.pop3.map(Endpoint::checked).transpose()?,
        })
    }

    /// Bytes that differ whenever any host, port or TLS mode does: the sealing of the secret is bound to them. Lengths stand
    /// in front, so that no two lists of servers share their bytes.
    pub(crate) fn binding(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(160);
        for endpoint in [Some(&self.smtp), self.imap.as_ref(), self.pop3.as_ref()] {
            let Some(Endpoint { host, port, tls }) = endpoint else {
                bytes.push(0);
                continue;
            };
            bytes.push(1);
            for part in [host.as_bytes(), &port.to_be_bytes(), tls.word().as_bytes()] {
                let length = u64::try_from(part.len()).expect("a length in memory fits 64 bits");
                bytes.extend_from_slice(&length.to_be_bytes());
                bytes.extend_from_slice(part);
            }
        }
        bytes
    }

    /// The nine columns: host, port and TLS mode of SMTP, IMAP and POP3.
    pub(crate) fn columns(&self) -> [Value<'_>; 9] {
        let [a, b, c] = columns(Some(&self.smtp));
        let [d, e, f] = columns(self.imap.as_ref());
        let [g, h, i] = columns(self.pop3.as_ref());
        [a, b, c, d, e, f, g, h, i]
    }

    /// The nine columns from `first` on, read back.
    pub(crate) fn read(row: &Row, first: usize) -> Result<Self, StoreError> {
        Ok(Self {
            smtp: read(row, first)?,
            imap: read_optional(row, first + 3)?,
            pop3: read_optional(row, first + 6)?,
        })
    }
}

fn columns(endpoint: Option<&Endpoint>) -> [Value<'_>; 3] {
    [
        endpoint.map(|it| it.host.as_str()).into(),
        endpoint.map(|it| it.port).into(),
        endpoint.map(|it| it.tls.word()).into(),
    ]
}

fn read(row: &Row, first: usize) -> Result<Endpoint, StoreError> {
    Ok(Endpoint {
        host: row.get(first)?,
        port: row.get(first + 1)?,
        tls: row.parse(first + 2, "a TLS mode")?,
    })
}

fn read_optional(row: &Row, first: usize) -> Result<Option<Endpoint>, StoreError> {
    match row.get::<Option<String>>(first)? {
        Some(_) => read(row, first).map(Some),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn endpoint(host: &str, port: u16) -> Endpoint {
        Endpoint { host: host.to_owned(), port, tls: TlsMode::StartTls }
    }

    #[test]
    fn a_server_has_one_spelling() {
        for (given, stored) in [
            ("SMTP.Example.org", "smtp.example.org"),
            ("smtp.example.org.", "smtp.example.org"),
            (" localhost ", "localhost"),
            ("192.0.2.1", "192.0.2.1"),
            ("[2001:DB8::1]", "[2001:db8::1]"),
            ("2001:db8::1", "[2001:db8::1]"),
        ] {
            assert_eq!(endpoint(given, 587).checked().unwrap().host, stored, "{given}");
        }
        assert_eq!(endpoint("2001:db8::1", 25).checked().unwrap().to_string(), "[2001:db8::1]:25 (starttls)");
    }

    #[test]
    fn what_is_no_server_is_refused_with_the_cure() {
        for host in
            ["", "smtp://x", "smtp.example.org:587", "a b", "a\r\nb", "b\u{fc}cher.example", "[smtp]", "a/b"]
        {
            let refused = endpoint(host, 587).checked().unwrap_err().to_string();
            assert!(refused.contains("such as smtp.example.org"), "{host}: {refused}");
        }
        assert!(endpoint("smtp.example.org", 0).checked().unwrap_err().to_string().contains("1 to 65535"));
    }

    fn any_endpoint() -> impl Strategy<Value = Endpoint> {
        let tls = prop_oneof![Just(TlsMode::Implicit), Just(TlsMode::StartTls), Just(TlsMode::None)];
        ("[a-c.]{0,3}", 1_u16..4, tls).prop_map(|(host, port, tls)| Endpoint { host, port, tls })
    }

    fn any_endpoints() -> impl Strategy<Value = Endpoints> {
        (any_endpoint(), prop::option::of(any_endpoint()), prop::option::of(any_endpoint()))
            .prop_map(|(smtp, imap, pop3)| Endpoints { smtp, imap, pop3 })
    }

    proptest! {
        #[test]
        fn different_servers_bind_differently(a in any_endpoints(), b in any_endpoints()) {
            prop_assert_eq!(a == b, a.binding() == b.binding());
        }
    }
}
