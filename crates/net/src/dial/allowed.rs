//! Addresses the operator has opened by name.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use gatepost_core::{Network, NetworkError};

/// One entry of `allow_private_addresses`: `10.0.0.0/8`, `127.0.0.1/32:2587`, `[fd00::/8]:587`. Without a port, every port
/// of the block is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowedNetwork {
    network: Network,
    port: Option<u16>,
}

/// Why a text is not an [`AllowedNetwork`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllowedNetworkError {
    /// The block is wrong.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// What follows the block is no port.
    #[error("{0:?}: the port must be a number from 1 to 65535, as in 10.0.0.0/8:587 or [fd00::/8]:587")]
    BadPort(String),
    /// An opening bracket without its end.
    #[error("{0:?}: write an IPv6 block with a port as [fd00::/8]:587")]
    BadBrackets(String),
}

impl AllowedNetwork {
    /// Whether the entry names this address and port.
    #[must_use]
    pub fn names(&self, address: SocketAddr) -> bool {
        self.network.contains(address.ip()) && self.port.is_none_or(|port| port == address.port())
    }
}

impl FromStr for AllowedNetwork {
    type Err = AllowedNetworkError;

    fn from_str(text: &str) -> Result<Self, AllowedNetworkError> {
        let bad_port = || AllowedNetworkError::BadPort(text.to_owned());
        let (block, port) = if let Some(rest) = text.strip_prefix('[') {
            let (block, rest) =
                rest.split_once(']').ok_or_else(|| AllowedNetworkError::BadBrackets(text.to_owned()))?;
            match rest {
                "" => (block, None),
                _ => (block, Some(rest.strip_prefix(':').ok_or_else(bad_port)?)),
            }
        } else {
            match text.split_once(':') {
                // Two colons are an IPv6 block without brackets, which has no port.
                Some((_, rest)) if rest.contains(':') => (text, None),
                Some((block, port)) => (block, Some(port)),
                None => (text, None),
            }
        };
        let port = port.map(|digits| parse_port(digits).ok_or_else(bad_port)).transpose()?;
        Ok(Self { network: block.parse()?, port })
    }
}

fn parse_port(digits: &str) -> Option<u16> {
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| digits.parse().ok()).flatten().filter(|port| *port != 0)
}

impl fmt::Display for AllowedNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let block = self.network.to_string();
        match (self.port, block.contains(':')) {
            (None, _) => f.write_str(&block),
            (Some(port), false) => write!(f, "{block}:{port}"),
            (Some(port), true) => write!(f, "[{block}]:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str, named: &[&str], not_named: &[&str]) {
        let entry: AllowedNetwork = text.parse().unwrap();
        assert_eq!(entry.to_string(), shown);
        for address in named {
            assert!(entry.names(address.parse().unwrap()), "{text} names {address}");
        }
        for address in not_named {
            assert!(!entry.names(address.parse().unwrap()), "{text} does not name {address}");
        }
    }

    #[test]
    fn an_entry_names_a_block_and_perhaps_a_port() {
        check("10.0.0.0/8", "10.0.0.0/8", &["10.1.2.3:25", "10.1.2.3:65535"], &["11.0.0.1:25"]);
        check(
            "127.0.0.1:2587",
            "127.0.0.1/32:2587",
            &["127.0.0.1:2587"],
            &["127.0.0.1:2588", "127.0.0.2:2587"],
        );
        check("10.0.0.0/8:587", "10.0.0.0/8:587", &["10.9.9.9:587"], &["10.9.9.9:465"]);
        check("fd00::/8", "fd00::/8", &["[fd12::1]:1"], &["[fe80::1]:1"]);
        check("::1", "::1/128", &["[::1]:1"], &["127.0.0.1:1"]);
        check("[fd00::/8]:587", "[fd00::/8]:587", &["[fd00::1]:587"], &["[fd00::1]:588"]);
        check("[::1]", "::1/128", &["[::1]:9"], &[]);
    }

    #[test]
    fn what_is_no_entry_is_refused_with_the_cure() {
        for (text, cure) in [
            ("office", "such as 192.168.1.0/24"),
            ("10.0.0.0/8:", "from 1 to 65535"),
            ("10.0.0.0/8:0", "from 1 to 65535"),
            ("10.0.0.0/8:65536", "from 1 to 65535"),
            ("10.0.0.0/8:+25", "from 1 to 65535"),
            ("10.0.0.0/33", "0 to 32"),
            ("10.0.0.1/8", "10.0.0.0/8"),
            ("[fd00::/8", "[fd00::/8]:587"),
            ("[fd00::/8]587", "from 1 to 65535"),
            ("", "such as 192.168.1.0/24"),
        ] {
            let error = text.parse::<AllowedNetwork>().unwrap_err().to_string();
            assert!(error.contains(cure), "{text:?}: {error}");
        }
    }
}
