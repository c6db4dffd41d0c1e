//! The doors of the portal: plain HTTP on loopback, elsewhere TLS with the certificate of the mail doors.

use std::net::SocketAddr;
use std::sync::Arc;

use gatepost_gateway::OpenConnections;
use gatepost_identity::{People, SignIns};
use gatepost_notices::Notices;
use gatepost_portal::{MailDoors, Portal, PortalError, PortalSettings, Ports, PretendPhone, Rooms};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::certificate::Certificate;
use crate::app::{App, own_name, public_host};
use crate::control::Refusal;

/// All that listen, not yet to anybody: who connects waits.
pub(super) struct PortalDoors(Vec<Portal>);

/// What the pages say and use besides the rooms.
pub(super) struct Behind<'a> {
    pub(super) people: &'a People,
    pub(super) sign_ins: &'a SignIns,
    pub(super) certificate: &'a Certificate,
    /// Connections of browsers that this process can afford, on all doors together.
    pub(super) n_connections: u64,
    /// Those of the doors for SMTP, IMAP and POP3.
    pub(super) ports: [Ports; 3],
    /// What reads mailboxes.
    pub(super) open: &'a OpenConnections,
    /// The demo's.
    pub(super) phone: Option<Arc<dyn PretendPhone>>,
}

impl PortalDoors {
    pub(super) fn open(app: &App, behind: &Behind<'_>) -> Result<Self, Refusal> {
        let rooms = Rooms {
            identity: app.identity.clone(),
            people: behind.people.clone(),
            reports: behind.sign_ins.reports().clone(),
            accounts: app.accounts.clone(),
            reading: behind.open.clone(),
            reach: app.reach.clone(),
            outbox: app.outbox.clone(),
            store: app.store.clone(),
        };
        let n_doors = app.settings.portal.listen.len().max(1);
        let n_each = usize::try_from(behind.n_connections).unwrap_or(usize::MAX) / n_doors;
        let mut doors = Vec::new();
        for listen in &app.settings.portal.listen {
            let settings = settings(app, *listen, behind);
            let portal = Portal::bind(settings, rooms.clone()).map_err(|error| explain(&error))?;
            doors.push(portal.with_most_connections(n_each));
        }
        if let Some(first) = doors.first() {
            // The system may have chosen the port.
            let _ = app.portal_door.set(first.public_url().to_owned());
        }
        Ok(Self(doors))
    }

    /// Letters to our own people. Where no page can be opened their links would lead nowhere: they wait.
    pub(super) fn open_notices(app: &App) -> Option<Notices> {
        let url = app.portal_url()?;
        let notices = Notices::new(&app.store, &app.outbox, &app.accounts, &app.identity, &url);
        // Commands ring for what they have written down.
        let _ = app.notices.set(notices.clone());
        Some(notices)
    }

    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().map(Portal::address).collect()
    }

    /// Shows pages until `stop`. Each door is a task of `sessions`: the end waits until its last page is out.
    pub(super) fn serve(self, sessions: &TaskTracker, stop: &CancellationToken) {
        for portal in self.0 {
            sessions.spawn(portal.run(stop.clone()));
        }
    }
}

fn settings(app: &App, listen: SocketAddr, behind: &Behind<'_>) -> PortalSettings {
    let given = &app.settings.portal;
    // They open after the doors.
    let notices = app.notices.clone();
    let [smtp, imap, pop3] = behind.ports;
    let public = app.settings.public_url.as_deref().and_then(public_host).map(str::to_owned);
    PortalSettings {
        listen,
        tls: (!listen.ip().is_loopback()).then(|| behind.certificate.tls.clone()),
        public_url: app.settings.public_url.clone(),
        administration_networks: given.administration_networks.clone(),
        trusted_proxies: given.trusted_proxies.clone(),
        mail: MailDoors {
            host: public.unwrap_or_else(|| own_name(&app.settings).to_string()),
            smtp,
            imap,
            pop3,
            authority: behind.certificate.authority_text.clone(),
        },
        phone: behind.phone.clone(),
        ring: Some(Arc::new(move || {
            if let Some(notices) = notices.get() {
                notices.ring();
            }
        })),
    }
}

fn explain(error: &PortalError) -> Refusal {
    match error {
        PortalError::Bind(error) => super::doors::explain(error, "listen", "portal"),
        other => Refusal::new(other.to_string()),
    }
}
