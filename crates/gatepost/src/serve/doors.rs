//! The listeners that applications connect to.

use std::net::SocketAddr;
use std::sync::Arc;

use gatepost_core::Network;
use gatepost_gateway::{Gateway, ImapDoor, Pop3Door};
use gatepost_net::{Admission, BindError, Door, Limits, Listener, Protocols, ServerTls, Service, serve};
use gatepost_portal::Ports;
use gatepost_submission::{APPLICATION_PROTOCOLS, Submission};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::choose::Chooser;
use crate::config::{ReadingSettings, Settings, SubmissionSettings};
use crate::control::Refusal;
use crate::process::Budget;

/// All that listen, not yet to anybody: who connects waits.
pub(super) struct Doors {
    pub(super) submission: Listeners,
    pub(super) imap: Listeners,
    pub(super) pop3: Listeners,
}

/// Those of one protocol.
pub(super) struct Listeners {
    starttls: Vec<Listener>,
    tls: Vec<Listener>,
    proxies: Vec<Network>,
    admission: Arc<Admission>,
}

/// What the configuration says of one protocol.
struct Given<'a> {
    section: &'static str,
    starttls: &'a [SocketAddr],
    tls: &'a [SocketAddr],
    per_source: u64,
    new_per_minute: u64,
    exempt: &'a [Network],
    proxies: &'a [Network],
}

/// What sessions run with.
#[derive(Clone, Copy)]
pub(super) struct Running<'a> {
    pub(super) tls: &'a ServerTls,
    pub(super) sessions: &'a TaskTracker,
    pub(super) tasks: &'a TaskTracker,
    pub(super) stop: &'a CancellationToken,
}

impl Doors {
    pub(super) fn open(settings: &Settings, budget: &Budget) -> Result<Self, Refusal> {
        let given = &settings.submission;
        let (imap, pop3) = (&settings.imap, &settings.pop3);
        let all = [&given.starttls, &given.tls, &imap.starttls, &imap.tls, &pop3.starttls, &pop3.tls];
        if all.into_iter().all(Vec::is_empty) {
            return Err(Refusal::new(format!(
                "{}: nothing listens. Add starttls = \"0.0.0.0:587\" or tls = \"0.0.0.0:465\" under [submission]; for reading, the \
                 same with ports of their own under [imap] or [pop3]",
                settings.config_file.display()
            )));
        }
        Ok(Self {
            submission: Listeners::open(&Given::from(given), budget.share(given.connections_total))?,
            imap: Listeners::open(
                &Given::of("imap", &settings.imap),
                budget.share(settings.imap.connections_total),
            )?,
            pop3: Listeners::open(
                &Given::of("pop3", &settings.pop3),
                budget.share(settings.pop3.connections_total),
            )?,
        })
    }

    /// What people are told: those for SMTP, IMAP and POP3.
    pub(super) fn ports(&self) -> [Ports; 3] {
        [&self.submission, &self.imap, &self.pop3].map(Listeners::ports)
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        [&self.submission, &self.imap, &self.pop3]
            .into_iter()
            .flat_map(|it| it.starttls_addresses().into_iter().chain(it.tls_addresses()))
    }

    /// Takes connections in until they are to stop, each in a task of its own.
    pub(super) fn serve(
        self,
        submission: &Arc<Submission<Chooser>>,
        gateway: &Arc<Gateway>,
        running: Running<'_>,
    ) {
        let imap = Arc::new(ImapDoor(Arc::clone(gateway)));
        let pop3 = Arc::new(Pop3Door(Arc::clone(gateway)));
        self.submission.serve(submission, APPLICATION_PROTOCOLS, running);
        self.imap.serve(&imap, ImapDoor::APPLICATION_PROTOCOLS, running);
        self.pop3.serve(&pop3, Pop3Door::APPLICATION_PROTOCOLS, running);
    }
}

impl<'a> From<&'a SubmissionSettings> for Given<'a> {
    fn from(it: &'a SubmissionSettings) -> Self {
        Self {
            section: "submission",
            starttls: &it.starttls,
            tls: &it.tls,
            per_source: it.connections_per_source,
            new_per_minute: it.new_connections_per_minute,
            exempt: &it.exempt_networks,
            proxies: &it.trusted_proxies,
        }
    }
}

impl<'a> Given<'a> {
    fn of(section: &'static str, it: &'a ReadingSettings) -> Self {
        Self {
            section,
            starttls: &it.starttls,
            tls: &it.tls,
            per_source: it.connections_per_source,
            new_per_minute: it.new_connections_per_minute,
            exempt: &it.exempt_networks,
            proxies: &it.trusted_proxies,
        }
    }
}

impl Listeners {
    fn open(given: &Given<'_>, n_connections: u64) -> Result<Self, Refusal> {
        let bind = |addresses: &[SocketAddr], key: &str| {
            let bound = addresses
                .iter()
                .map(|address| Listener::bind(*address).map_err(|error| explain(&error, key, given.section)));
            bound.collect::<Result<Vec<_>, Refusal>>()
        };
        let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let limits = Limits {
            open_per_source: count(given.per_source),
            new_per_minute: count(given.new_per_minute),
            open_in_all: count(n_connections),
            exempt: given.exempt.to_vec(),
        };
        Ok(Self {
            starttls: bind(given.starttls, "starttls")?,
            tls: bind(given.tls, "tls")?,
            proxies: given.proxies.to_vec(),
            admission: Admission::new(limits),
        })
    }

    /// The first of each kind.
    fn ports(&self) -> Ports {
        let first = |all: &[Listener]| all.first().map(|it| it.address().port());
        Ports { starttls: first(&self.starttls), tls: first(&self.tls) }
    }

    pub(super) fn starttls_addresses(&self) -> Vec<SocketAddr> {
        self.starttls.iter().map(Listener::address).collect()
    }

    pub(super) fn tls_addresses(&self) -> Vec<SocketAddr> {
        self.tls.iter().map(Listener::address).collect()
    }

    fn serve<S: Service>(self, service: &Arc<S>, protocols: Protocols, running: Running<'_>) {
        let Self { starttls, tls: implicit, proxies, admission } = self;
        let Running { tls, sessions, tasks, stop } = running;
        let in_the_clear = starttls.into_iter().map(|listener| (listener, None));
        let encrypted = implicit.into_iter().map(|listener| (listener, Some((tls.clone(), protocols))));
        for (listener, implicit_tls) in in_the_clear.chain(encrypted) {
            let door = Door { listener, implicit_tls, proxies: proxies.clone() };
            let (service, admission) = (Arc::clone(service), admission.clone());
            tasks.spawn(serve(door, service, admission, sessions.clone(), stop.clone()));
        }
    }
}

pub(super) fn explain(error: &BindError, key: &str, section: &str) -> Refusal {
    let cure = match error.source.kind() {
        std::io::ErrorKind::PermissionDenied => {
            "Give it (AmbientCapabilities= in the systemd unit, or setcap)"
        }
        _ => "Stop the program that uses it",
    };
    Refusal::new(format!("{error}. {cure}, or choose another address for {key} under [{section}]"))
}
