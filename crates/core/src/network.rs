//! Blocks of network addresses, as people write them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A block of addresses such as `192.168.1.0/24`, `2001:db8::/32` or a single address (RFC 4632 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

/// Why a text is not a [`Network`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The part before the slash is no address.
    #[error("{0:?} is not a network: write an address, or a block such as 192.168.1.0/24")]
    NotAnAddress(String),
    /// The part after the slash is no length for that kind of address.
    #[error("{0:?} is not a network: the length after the slash must be 0 to {1}")]
    BadLength(String, u8),
    /// Bits are set behind the length: the writer probably meant something else.
    #[error("{0:?} is not a network: the block that holds this address is {1}")]
    HostBits(String, Network),
}

impl Network {
    /// Whether `address` lies in the block. An IPv4 address that comes mapped into IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(it)) => {
                let shift = 32 - u32::from(self.prefix);
                shift == 32 || base.to_bits() >> shift == it.to_bits() >> shift
            }
            (IpAddr::V6(base), IpAddr::V6(it)) => {
                let shift = 128 - u32::from(self.prefix);
                shift == 128 || base.to_bits() >> shift == it.to_bits() >> shift
            }
            _ => false,
        }
    }

    /// The block of `prefix` bits that holds `address`. A longer prefix than the address has means the address alone.
    #[must_use]
    pub fn around(address: IpAddr, prefix: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(it) => {
                let prefix = prefix.min(32);
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                Self { base: IpAddr::V4((it.to_bits() & mask).into()), prefix }
            }
            IpAddr::V6(it) => {
                let prefix = prefix.min(128);
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                Self { base: IpAddr::V6((it.to_bits() & mask).into()), prefix }
            }
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
        let address: IpAddr = address.parse().map_err(|_| NetworkError::NotAnAddress(text.to_owned()))?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match length {
            None => longest,
            Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|n| *n <= longest)
                .ok_or_else(|| NetworkError::BadLength(text.to_owned(), longest))?,
            Some(_) => return Err(NetworkError::BadLength(text.to_owned(), longest)),
        };
        let block = Self::around(address, prefix);
        if block.base == address.to_canonical() && block.prefix == prefix {
            Ok(block)
        } else {
            Err(NetworkError::HostBits(text.to_owned(), block))
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, inside: &[&str], outside: &[&str]) {
        let block: Network = text.parse().unwrap();
        for it in inside {
            assert!(block.contains(it.parse().unwrap()), "{it} is in {text}");
        }
        for it in outside {
            assert!(!block.contains(it.parse().unwrap()), "{it} is not in {text}");
        }
    }

    #[test]
    fn a_block_holds_its_addresses_and_no_others() {
        check(
            "192.168.1.0/24",
            &["192.168.1.0", "192.168.1.255", "::ffff:192.168.1.7"],
            &["192.168.2.0", "::1"],
        );
        check("0.0.0.0/0", &["1.2.3.4"], &["::1"]);
        check("::/0", &["::1"], &["1.2.3.4"]);
        check("2001:db8::/32", &["2001:db8:ffff::1"], &["2001:db9::"]);
        check("10.1.2.3", &["10.1.2.3"], &["10.1.2.4"]);
    }

    #[test]
    fn what_is_no_block_is_refused_with_the_cure() {
        let fails = |text: &str| text.parse::<Network>().unwrap_err().to_string();
        assert!(fails("office").contains("write an address"));
        assert!(fails("10.0.0.0/33").contains("0 to 32"));
        assert!(fails("10.0.0.0/+8").contains("0 to 32"));
        assert!(fails("10.1.2.3/8").contains("is 10.0.0.0/8"));
    }
}
