//! Where the demo listens: on loopback alone (OP-14).

use std::net::SocketAddr;

use gatepost_net::Listener;

use crate::cli::{Demo, SandboxPorts};
use crate::control::Refusal;
use crate::sandbox::{busy, loopback};

/// All addresses; port 0 lets the system choose.
pub(super) struct Ports {
    pub(super) portal: SocketAddr,
    pub(super) submission_starttls: SocketAddr,
    pub(super) submission_tls: SocketAddr,
    pub(super) imap_starttls: SocketAddr,
    pub(super) imap_tls: SocketAddr,
    pub(super) pop3_starttls: SocketAddr,
    pub(super) pop3_tls: SocketAddr,
    pub(super) sandbox: SandboxPorts,
}

impl Ports {
    pub(super) fn of(given: &Demo) -> Self {
        let at = |port| loopback(port, given.free_ports);
        let SandboxPorts { sandbox_pages_port, sandbox_smtp_port, sandbox_imap_port, sandbox_pop3_port } =
            given.sandbox;
        Self {
            portal: at(given.portal_port),
            submission_starttls: at(given.submission_starttls_port),
            submission_tls: at(given.submission_tls_port),
            imap_starttls: at(given.imap_starttls_port),
            imap_tls: at(given.imap_tls_port),
            pop3_starttls: at(given.pop3_starttls_port),
            pop3_tls: at(given.pop3_tls_port),
            sandbox: SandboxPorts {
                sandbox_pages_port: at(sandbox_pages_port).port(),
                sandbox_smtp_port: at(sandbox_smtp_port).port(),
                sandbox_imap_port: at(sandbox_imap_port).port(),
                sandbox_pop3_port: at(sandbox_pop3_port).port(),
            },
        }
    }

    /// Whether the ports of the demo itself can be had; those of a sandbox that lives already are not asked for.
    pub(super) fn try_own(&self) -> Result<(), Refusal> {
        for (address, option) in [
            (self.portal, "--portal-port"),
            (self.submission_starttls, "--submission-starttls-port"),
            (self.submission_tls, "--submission-tls-port"),
            (self.imap_starttls, "--imap-starttls-port"),
            (self.imap_tls, "--imap-tls-port"),
            (self.pop3_starttls, "--pop3-starttls-port"),
            (self.pop3_tls, "--pop3-tls-port"),
        ] {
            Listener::bind(address).map_err(|error| busy(&error, option))?;
        }
        Ok(())
    }
}
