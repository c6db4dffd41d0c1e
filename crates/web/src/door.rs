//! What a door is made of.

use std::time::Duration;

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
    /// How long a client may leave an answer unread before it is let go.
    pub unread_for: Duration,
    /// Whether every form carries a token that is checked. `Origin: null`, which a page without a referrer makes old browsers send,
    /// is refused by doors that have nothing else to go by.
    pub checks_forms: bool,
    /// Paths that are answered also when all connections are taken, for programs that watch. A few places are kept for them.
    pub always_open: &'static [&'static str],
}

impl WebDoor {
    /// Connections that a door for few people has.
    pub const FEW_CONNECTIONS: usize = 256;

    /// [`WebDoor::unread_for`] of a door that people use.
    pub const UNREAD_FOR: Duration = Duration::from_secs(20);

    /// Plain HTTP for this computer alone.
    #[must_use]
    pub const fn on_loopback(listener: Listener) -> Self {
        Self {
            listener,
            tls: None,
            reach: Reach::Loopback,
            trusted_proxies: Vec::new(),
            most_connections: Self::FEW_CONNECTIONS,
            unread_for: Self::UNREAD_FOR,
            checks_forms: false,
            always_open: &[],
        }
    }
}
