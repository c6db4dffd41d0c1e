//! The way to a server, and what lies along it.

use gatepost_net::{ClientTls, Dialer};

use crate::deadlines::Deadlines;

/// How a server is reached, for whoever wants to see how far it has come.
pub struct Way<'a> {
    /// Dials, under the address guard.
    pub dialer: &'a Dialer,
    /// Verifies.
    pub tls: &'a ClientTls,
    /// How long the server may take.
    pub deadlines: &'a Deadlines,
    /// Is told each milestone once it is reached.
    pub reached: &'a mut (dyn FnMut(Milestone) + Send),
}

/// What is reached before anybody signs in; in the order of the endpoint's TLS mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Milestone {
    /// The name was found, and somebody answers there.
    Connected,
    /// The server has greeted us and said what it can do.
    Greeted,
    /// TLS has begun, with a certificate for the server's name.
    Encrypted,
}
