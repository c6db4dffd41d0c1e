//! What a door is made of.

use gatepost_core::Network;
use gatepost_net::{Listener, ServerTls};

use crate::Reach;

/// A listener and the rules of its door.
pub struct WebDoor {
    /// Where connections arrive.
    pub listener: Listener,
    /// TLS from the first byte; none for plain HTTP.
    pub tls: Option<ServerTls>,
    /// Under which names it is spoken to.
    pub reach: Reach,
    /// Who may say in `X-Forwarded-For` whom they bring (WP-10). From anybody else the header counts for nothing.
    pub trusted_proxies: Vec<Network>,
    /// Connections at once. More wait in the system's queue.
    pub most_connections: usize,
}

impl WebDoor {
    /// Connections that a door for few people has.
    pub const FEW_CONNECTIONS: usize = 256;

    /// Plain HTTP for this computer alone.
    #[must_use]
    pub const fn on_loopback(listener: Listener) -> Self {
        Self {
            listener,
            tls: None,
            reach: Reach::Loopback,
            trusted_proxies: Vec::new(),
            most_connections: Self::FEW_CONNECTIONS,
        }
    }
}
