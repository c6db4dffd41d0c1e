//! The door.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, RwLock};

use gatepost_net::Listener;
use gatepost_web::{Reach, WebDoor, Zone};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::frame::{
    Alerts, App, Assets, Cookies, KeptForms, Proofs, Route, Shared, ShowOnce, Texts, Thens, router,
};
use crate::page::app_passwords::Listeners;
use crate::page::connect::Proving;
use crate::routes::{routes, table};
use crate::{PortalError, PortalSettings, Rooms};

/// Connections at once: a thousand people who sign in at the same moment leave room for those who watch.
const MOST_CONNECTIONS: usize = 2_000;

/// What is answered also when all connections are taken.
const ALWAYS_OPEN: [&str; 2] = ["/healthz", "/readyz"];

/// A portal that listens, not yet to anybody.
pub struct Portal {
    door: WebDoor,
    app: App,
}

impl Portal {
    /// Takes the port; 0 lets the system choose. Must be called inside the runtime.
    pub fn bind(settings: PortalSettings, rooms: Rooms) -> Result<Self, PortalError> {
        let is_loopback = settings.listen.ip().is_loopback();
        if !is_loopback && settings.tls.is_none() {
            return Err(PortalError::NotEncrypted(settings.listen));
        }
        let named = settings.public_url.as_deref().map(checked_url).transpose()?;
        let listener = Listener::bind(settings.listen)?;
        let own_scheme = if settings.tls.is_some() { "https" } else { "http" };
        let (public_url, host) = named.unwrap_or_else(|| {
            let host = if is_loopback { "localhost".to_owned() } else { settings.listen.ip().to_string() };
            (format!("{own_scheme}://{host}:{}", listener.address().port()), host)
        });
        // The address that people know decides, not the socket: a proxy on this computer speaks plain HTTP.
        let is_https = public_url.starts_with("https://");
        if !is_https && (settings.tls.is_some() || !is_loopback || !is_this_machine(&host)) {
            return Err(PortalError::PlainPublicUrl(public_url));
        }
        let cookies = Cookies::of(&public_url);
        let reach = match (is_https, &settings.public_url) {
            (true, Some(_)) => Reach::Named(public_url.clone()),
            (true, None) => Reach::Any,
            (false, _) => Reach::Loopback,
        };
        let door = WebDoor {
            listener,
            tls: settings.tls.clone(),
            reach,
            trusted_proxies: settings.trusted_proxies.clone(),
            most_connections: MOST_CONNECTIONS,
            unread_for: WebDoor::UNREAD_FOR,
            checks_forms: true,
            always_open: &ALWAYS_OPEN,
        };
        let app = Arc::new(Shared {
            rooms,
            settings,
            public_url,
            zone: Zone::of_this_computer(),
            t: Texts::english(),
            cookies,
            assets: Assets::new(),
            thens: Thens::of(&routes()),
            alerts: Alerts::default(),
            kept_forms: KeptForms::default(),
            proofs: Proofs::default(),
            made_passwords: ShowOnce::default(),
            handed_links: ShowOnce::default(),
            recovery_codes: ShowOnce::default(),
            doubted: ShowOnce::default(),
            proving: Proving::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            tally: crate::page::home::Tally::default(),
            pages: RwLock::default(),
            listeners: Listeners::default(),
            checks: crate::page::accounts::Checks::default(),
        });
        Ok(Self { door, app })
    }

    /// Takes in no more connections at once than this process can afford.
    #[must_use]
    pub fn with_most_connections(mut self, n: usize) -> Self {
        self.door.most_connections = n.min(MOST_CONNECTIONS);
        self
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.door.listener.address()
    }

    /// The address that people know, without a slash at its end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.app.public_url
    }

    /// Serves until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        self.run_rows(table(), stop).await;
    }

    pub(crate) async fn run_rows(self, rows: Vec<Route>, stop: CancellationToken) {
        let router = router(&self.app, rows);
        let streams = self.app.stop.clone();
        let end_streams = async {
            stop.cancelled().await;
            streams.cancel();
        };
        tokio::join!(gatepost_web::serve(self.door, router, stop.clone()), end_streams);
        self.app.listeners.end().await;
        self.app.checks.end().await;
        self.app.tasks.close();
        self.app.tasks.wait().await;
        self.app.forget_pages();
    }
}

/// Whether only this computer's own browsers get anywhere with this host.
fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
}

/// Scheme and host, perhaps a port; and the host alone.
fn checked_url(text: &str) -> Result<(String, String), PortalError> {
    let bad = || PortalError::BadPublicUrl(text.to_owned());
    let uri: axum::http::Uri = text.trim_end_matches('/').parse().map_err(|_| bad())?;
    let host = uri.host().filter(|it| !it.is_empty()).ok_or_else(bad)?;
    let scheme = uri.scheme_str().filter(|it| matches!(*it, "https" | "http")).ok_or_else(bad)?;
    let authority = uri.authority().filter(|it| !it.as_str().contains('@')).ok_or_else(bad)?;
    if uri.path_and_query().is_some_and(|it| it.as_str() != "/") {
        return Err(bad());
    }
    Ok((format!("{scheme}://{authority}"), host.to_owned()))
}

#[cfg(test)]
mod tests;
