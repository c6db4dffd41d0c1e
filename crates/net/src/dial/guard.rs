//! The address guard: which addresses may be dialled (WH-2, WH-3).
//!
//! Whoever may enter a host name could otherwise make this program knock at the doors of the network it runs in, or at its
//! own. The guard judges addresses, never names, and the address it judged is the one that is dialled.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{PoisonError, RwLock};

use super::allowed::AllowedNetwork;

/// What is dialled for, which decides the ports that may be dialled without being listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Sending and reading mail.
    Mail,
    /// Asking a web service, such as one that gives tokens.
    Web,
}

impl Errand {
    const fn ports(self) -> &'static [u16] {
        match self {
            Self::Mail => &[110, 143, 465, 587, 993, 995],
            Self::Web => &[443],
        }
    }

    const fn service(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Web => "web",
        }
    }
}

/// Decides about addresses. Shared by all dialling of one process.
#[derive(Debug, Default)]
pub struct Guard {
    allowed: Vec<AllowedNetwork>,
    own_listeners: RwLock<Vec<SocketAddr>>,
}

/// Why an address is not dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Not a public address.
    #[error("{address} is {kind}: add it to allow_private_addresses if it is meant")]
    NotPublic {
        /// The address.
        address: IpAddr,
        /// What kind of address, in words.
        kind: &'static str,
    },
    /// A public address, but no port of such a service.
    #[error("port {} is not a port of a {service} service: add {address} to allow_private_addresses if it is meant", address.port())]
    Port {
        /// Address and port.
        address: SocketAddr,
        /// Which kind of service was looked for, in words.
        service: &'static str,
    },
    /// Letters would go round in circles.
    #[error("{address} is this Gatepost itself")]
    OwnListener {
        /// Address and port.
        address: SocketAddr,
    },
}

/// A verdict in favour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Public, and a port of such a service.
    Public,
    /// Named by the operator. Only such an address may be spoken to without TLS (SC-1).
    Listed,
}

impl Guard {
    /// A guard that lets these addresses through besides the public ones.
    #[must_use]
    pub fn new(allowed: Vec<AllowedNetwork>) -> Self {
        Self { allowed, own_listeners: RwLock::default() }
    }

    /// Makes an address known that this process listens on, so that it is never dialled, listed or not.
    pub fn add_own_listener(&self, address: SocketAddr) {
        self.own_listeners.write().unwrap_or_else(PoisonError::into_inner).push(address);
    }

    /// Whether this very address may be dialled for mail.
    pub fn check(&self, address: SocketAddr) -> Result<Permit, Forbidden> {
        self.check_for(Errand::Mail, address)
    }

    /// Whether this very address may be dialled.
    pub fn check_for(&self, errand: Errand, address: SocketAddr) -> Result<Permit, Forbidden> {
        if self.is_own_listener(address) {
            return Err(Forbidden::OwnListener { address });
        }
        if self.allowed.iter().any(|entry| entry.names(address)) {
            return Ok(Permit::Listed);
        }
        if let Some(kind) = kind_unless_public(address.ip()) {
            return Err(Forbidden::NotPublic { address: address.ip(), kind });
        }
        if errand.ports().contains(&address.port()) {
            Ok(Permit::Public)
        } else {
            Err(Forbidden::Port { address, service: errand.service() })
        }
    }

    fn is_own_listener(&self, address: SocketAddr) -> bool {
        let listeners = self.own_listeners.read().unwrap_or_else(PoisonError::into_inner);
        let ip = address.ip().to_canonical();
        listeners.iter().filter(|own| own.port() == address.port()).any(|own| {
            let own_ip = own.ip().to_canonical();
            own_ip == ip || (own_ip.is_unspecified() && is_of_this_computer(ip)) || ip.is_unspecified()
        })
    }
}

/// Whether the system would leave from `address` itself in order to reach it, which it does only for its own addresses.
/// Connecting a datagram socket chooses the way and sends nothing.
fn is_of_this_computer(address: IpAddr) -> bool {
    // Of the many loopback addresses only one is ever left from.
    if address.is_loopback() {
        return true;
    }
    let any: IpAddr =
        if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let chosen = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((address, 9))?;
        socket.local_addr()
    });
    chosen.is_ok_and(|own| own.ip() == address)
}

/// What kind of address it is, unless it is an ordinary public one.
fn kind_unless_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(it) => kind_of_v4(it),
        IpAddr::V6(it) => kind_of_v6(it),
    }
}

/// The IANA registry of special-purpose IPv4 addresses (RFC 6890).
fn kind_of_v4(address: Ipv4Addr) -> Option<&'static str> {
    let kind = match address.octets() {
        [0, ..] => "an address of this network (0.0.0.0/8)",
        [127, ..] => "a loopback address",
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => "a private address",
        [169, 254, ..] => "a link-local address",
        [100, 64..=127, ..] => "an address shared by a carrier (100.64.0.0/10)",
        [192, 0, 0, _] => "an address for protocol assignments (192.0.0.0/24)",
        [192, 88, 99, _] => "a 6to4 relay address",
        [198, 18..=19, ..] => "an address for benchmarks (198.18.0.0/15)",
        [224..=239, ..] => "a multicast address",
        [240..=255, ..] => "a reserved address (240.0.0.0/4)",
        _ => return None,
    };
    Some(kind)
}

/// The IANA registry of special-purpose IPv6 addresses (RFC 6890), and everything outside 2000::/3, which alone is public
/// (RFC 4291 §2.4). Forms that carry an IPv4 address are refused whatever that address is: no mail provider is reached
/// through them, and each is a second spelling of something the guard has judged.
fn kind_of_v6(address: Ipv6Addr) -> Option<&'static str> {
    let kind = match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => "the unspecified address",
        [0, 0, 0, 0, 0, 0, 0, 1] => "a loopback address",
        [0, 0, 0, 0, 0, 0xffff, ..] => "an IPv4 address inside an IPv6 address",
        [0, 0, 0, 0, 0, 0, ..] => "an IPv4-compatible address",
        [0x64, 0xff9b, ..] => "a NAT64 address",
        [0x2001, 0, ..] => "a Teredo address",
        [0x2001, 0x1..=0x1ff, ..] => "an address for protocol assignments (2001::/23)",
        [0x2002, ..] => "a 6to4 address",
        [0xfc00..=0xfdff, ..] => "a private address",
        [0xfe80..=0xfebf, ..] => "a link-local address",
        [0xfec0..=0xfeff, ..] => "a site-local address",
        [0xff00..=0xffff, ..] => "a multicast address",
        [0x2000..=0x3fff, ..] => return None,
        _ => "not a public address",
    };
    Some(kind)
}

#[cfg(test)]
mod tests;
