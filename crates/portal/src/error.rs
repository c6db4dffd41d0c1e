//! What can keep the portal from opening.

use std::net::SocketAddr;

use gatepost_net::BindError;

/// Why the portal cannot start. The operator's to cure.
#[derive(Debug, thiserror::Error)]
pub enum PortalError {
    /// Passwords would cross a network in the clear.
    #[error(
        "the portal would listen on {0} without TLS: give it a certificate, or let it listen on 127.0.0.1 behind a proxy that has one"
    )]
    NotEncrypted(SocketAddr),
    /// The address that people know.
    #[error("public_url {0:?} is not an address such as https://mail.practice.example")]
    BadPublicUrl(String),
    /// Browsers would send passwords and cookies in the clear, or not keep the cookies at all.
    #[error(
        "public_url {0:?} says http, and others reach it: browsers keep the portal's cookies only for https, or for http on this computer"
    )]
    PlainPublicUrl(String),
    /// The port cannot be had.
    #[error(transparent)]
    Bind(#[from] BindError),
}
