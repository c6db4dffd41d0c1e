//! The listeners of the submission server.

use std::net::SocketAddr;
use std::sync::Arc;

use gatepost_core::Network;
use gatepost_net::{Admission, BindError, Door, Limits, Listener, ServerTls, serve};
use gatepost_submission::{APPLICATION_PROTOCOLS, Submission};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::choose::Chooser;
use crate::config::Settings;
use crate::control::Refusal;

/// All that listen, not yet to anybody: who connects waits.
pub(super) struct Doors {
    starttls: Vec<Listener>,
    tls: Vec<Listener>,
    proxies: Vec<Network>,
    admission: Arc<Admission>,
}

impl Doors {
    pub(super) fn open(settings: &Settings, n_connections: u64) -> Result<Self, Refusal> {
        let given = &settings.submission;
        if given.starttls.is_empty() && given.tls.is_empty() {
            return Err(Refusal::new(format!(
                "{}: nothing listens. Add starttls = \"0.0.0.0:587\" or tls = \"0.0.0.0:465\" under [submission]",
                settings.config_file.display()
            )));
        }
        let bind = |addresses: &[SocketAddr], key: &str| {
            let bound = addresses
                .iter()
                .map(|address| Listener::bind(*address).map_err(|error| explain(&error, key, "submission")));
            bound.collect::<Result<Vec<_>, Refusal>>()
        };
        let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let limits = Limits {
            open_per_source: count(given.connections_per_source),
            new_per_minute: count(given.new_connections_per_minute),
            open_in_all: count(n_connections),
            exempt: given.exempt_networks.clone(),
        };
        Ok(Self {
            starttls: bind(&given.starttls, "starttls")?,
            tls: bind(&given.tls, "tls")?,
            proxies: given.trusted_proxies.clone(),
            admission: Admission::new(limits),
        })
    }

    pub(super) fn starttls_addresses(&self) -> Vec<SocketAddr> {
        self.starttls.iter().map(Listener::address).collect()
    }

    pub(super) fn tls_addresses(&self) -> Vec<SocketAddr> {
        self.tls.iter().map(Listener::address).collect()
    }

    /// Takes connections in until `stop`, each in a task of `sessions`.
    pub(super) fn serve(
        self,
        submission: &Arc<Submission<Chooser>>,
        tls: &ServerTls,
        sessions: &TaskTracker,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) {
        let Self { starttls, tls: implicit, proxies, admission } = self;
        let in_the_clear = starttls.into_iter().map(|listener| (listener, None));
        let encrypted =
            implicit.into_iter().map(|listener| (listener, Some((tls.clone(), APPLICATION_PROTOCOLS))));
        for (listener, implicit_tls) in in_the_clear.chain(encrypted) {
            let door = Door { listener, implicit_tls, proxies: proxies.clone() };
            let (submission, admission) = (submission.clone(), admission.clone());
            tasks.spawn(serve(door, submission, admission, sessions.clone(), stop.clone()));
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
