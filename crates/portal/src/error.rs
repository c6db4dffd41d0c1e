//! What can keep the portal from opening.

use std::net::SocketAddr;

use gatepost_net::BindError;

/// Why the portal cannot start. The operator's to cure.
#[derive(Debug, thiserror::Error)]
pub enum PortalError {
    /// OP-14: there is no sign-in yet.
    #[error("the status page listens on loopback only, and {0} is not: use 127.0.0.1")]
    NotLoopback(SocketAddr),
    /// The port cannot be had.
    #[error(transparent)]
    Bind(#[from] BindError),
}
