//! What the portal is given.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use gatepost_accounts::{Accounts, Reach};
use gatepost_core::{Network, SecretText};
use gatepost_delivery::Outbox;
use gatepost_gateway::OpenConnections;
use gatepost_identity::{DoorReports, Identity, People};
use gatepost_net::ServerTls;
use gatepost_store::Store;

/// Where the portal listens and by which rules.
pub struct PortalSettings {
    /// Where it listens. Off loopback only with `tls`.
    pub listen: SocketAddr,
    /// The certificate of this installation; none for plain HTTP on loopback.
    pub tls: Option<ServerTls>,
    /// The address that people know, such as `https://mail.practice.example`; for links. Without one it is the door's own.
    pub public_url: Option<String>,
    /// From where administrators may rule; empty: from anywhere (WP-14).
    pub administration_networks: Vec<Network>,
    /// Who may say in `X-Forwarded-For` whom they bring (WP-10).
    pub trusted_proxies: Vec<Network>,
    /// What applications need to know of the mail doors.
    pub mail: MailDoors,
    /// The demo's pretend telephone.
    pub phone: Option<Arc<dyn PretendPhone>>,
    /// Rung after forms that were carried out: they may have written a notice, which leaves at once then.
    pub ring: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// Where applications connect to.
#[derive(Clone, Debug, Default)]
pub struct MailDoors {
    /// The host name that is typed into applications.
    pub host: String,
    /// For letters.
    pub smtp: Ports,
    /// For reading.
    pub imap: Ports,
    /// For reading, too.
    pub pop3: Ports,
    /// The local authority's certificate in PEM, where the certificate of the doors is one of ours.
    pub authority: Option<String>,
}

/// Where one protocol is spoken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// The port with STARTTLS.
    pub starttls: Option<u16>,
    /// The port with TLS from the first byte.
    pub tls: Option<u16>,
}

impl Ports {
    /// Whether it is spoken at all.
    pub(crate) const fn is_open(self) -> bool {
        self.starttls.is_some() || self.tls.is_some()
    }
}

/// The rooms behind the pages. Cheap to clone.
#[derive(Clone)]
pub struct Rooms {
    /// Organisations, locations, people, logins, app passwords.
    pub identity: Identity,
    /// The door for people.
    pub people: People,
    /// What happens at the doors of this node.
    pub reports: DoorReports,
    /// Mail accounts.
    pub accounts: Accounts,
    /// What reads mailboxes at this moment.
    pub reading: OpenConnections,
    /// How providers are reached, for checks.
    pub reach: Reach,
    /// Letters.
    pub outbox: Outbox,
    /// For readiness, time and randomness.
    pub store: Store,
}

/// A telephone on a web page, for those who try Gatepost without one. In the demo alone.
pub trait PretendPhone: Send + Sync {
    /// Hands it the `otpauth://` address that a real one would read from the QR code.
    fn enrol<'a>(
        &'a self,
        uri: &'a SecretText,
    ) -> Pin<Box<dyn Future<Output = Result<(), PhoneAway>> + Send + 'a>>;

    /// Where its page is.
    fn page(&self) -> String;
}

/// The pretend telephone does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the pretend telephone does not answer")]
pub struct PhoneAway;
