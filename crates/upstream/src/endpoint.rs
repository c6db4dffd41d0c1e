//! Where a provider's server is, and how TLS begins there.

use std::fmt;

use gatepost_core::TlsMode;
use gatepost_net::Host;

/// One server of a mail account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Its name, for which its certificate must be.
    pub host: Host,
    /// Its port.
    pub port: u16,
    /// How TLS begins.
    pub tls: TlsMode,
}

/// `smtp.example.org:587`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_shown_with_brackets_where_needed() {
        let shown = |host: &str| {
            Endpoint { host: host.parse().unwrap(), port: 465, tls: TlsMode::Implicit }.to_string()
        };
        assert_eq!(shown("smtp.example.org"), "smtp.example.org:465");
        assert_eq!(shown("2001:db8::1"), "[2001:db8::1]:465");
    }
}
