//! The server: hyper with the limits of WP-11, which `axum::serve` cannot set.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Router};
use gatepost_net::ServerTls;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::WebDoor;
use crate::guard::{Rules, guard};
use crate::reading::Reading;
use crate::source::Sources;

/// The largest body a request may have.
pub const MOST_BODY_BYTES: usize = 1 << 20;

/// How long the headers of a request may take, and how long a kept connection may be idle.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// Octets of all headers of one request.
const MOST_HEADER_BYTES: usize = 32 * 1024;

/// How many headers one request may have.
const MOST_HEADERS: usize = 100;

/// How long one request may take, its body included.
const REQUEST_WITHIN: Duration = Duration::from_secs(30);

/// How long a TLS handshake may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// How long a connection on a spare place may last: it is for one short answer.
const SPARE_WITHIN: Duration = Duration::from_secs(5);

/// Places that are kept for [`WebDoor::always_open`], at most.
const MOST_SPARE: usize = 16;

/// How long requests may still run after the stop.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// Serves `router` until `stop`; then no connection is taken any more, and running requests are finished.
pub async fn serve(door: WebDoor, router: Router, stop: CancellationToken) {
    let WebDoor {
        listener,
        tls,
        reach,
        trusted_proxies,
        most_connections,
        unread_for,
        checks_forms,
        always_open,
    } = door;
    let sources = Sources::new(most_connections, &trusted_proxies);
    let places = Places::new(most_connections, !always_open.is_empty());
    let is_encrypted = tls.is_some();
    let has_told = AtomicBool::new(false);
    let rules = Rules { is_encrypted, reach, trusted_proxies, checks_forms, always_open, has_told };
    let router = router
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .layer(middleware::from_fn(limit_time))
        .layer(middleware::from_fn_with_state(Arc::new(rules), guard));
    let serving = Serving { tls, router, unread_for, stop: stop.clone() };
    let connections = TaskTracker::new();
    loop {
        // What comes waits in the system's queue until it is taken; dropping this takes nothing.
        let Some(accepted) = stop.run_until_cancelled(listener.accept()).await else { break };
        match accepted {
            Ok((socket, peer)) => {
                let Some(seat) = sources.take(peer.ip()) else {
                    tracing::debug!(peer = %peer.ip(), "a web connection too many from there");
                    continue;
                };
                // Only now, when it is there: a place that was taken at a full moment would be a spare one for whoever comes later.
                let Some(place) = stop.run_until_cancelled(places.take()).await else { break };
                let peer = Peer { address: peer.ip(), is_spare: place.is_spare };
                let serving = serving.clone();
                connections.spawn(async move {
                    serving.receive(socket, peer).await;
                    drop((place, seat));
                });
            }
            Err(error) => {
                tracing::warn!(address = %listener.address(), %error, "cannot take connections in for now");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    // A browser that never finishes its request must not hold up the end.
    let _elapsed = tokio::time::timeout(STOP_WITHIN, connections.wait()).await;
}

/// The places of all connections.
struct Places {
    usual: Arc<Semaphore>,
    spare: Option<Arc<Semaphore>>,
}

/// The place of one connection, until it is dropped.
struct Place {
    /// Whether it is one of those that are kept for programs that watch.
    is_spare: bool,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    fn new(n: usize, keeps_some: bool) -> Self {
        let n_spare = if keeps_some { (n / 16).clamp(1, MOST_SPARE).min(n.saturating_sub(1)) } else { 0 };
        let semaphore = |n| Arc::new(Semaphore::new(n));
        Self { usual: semaphore(n - n_spare), spare: (n_spare > 0).then(|| semaphore(n_spare)) }
    }

    /// A usual place if one is free, else a spare one, else whichever is free first.
    async fn take(&self) -> Place {
        let spare = async {
            match &self.spare {
                Some(spare) => spare.clone().acquire_owned().await,
                None => std::future::pending().await,
            }
        };
        let (permit, is_spare) = tokio::select! {
            biased;
            permit = self.usual.clone().acquire_owned() => (permit, false),
            permit = spare => (permit, true),
        };
        Place { is_spare, _permit: permit.expect("the semaphore is never closed") }
    }
}

/// Whoever is at the other end of the connection.
#[derive(Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// Whether all usual places are taken, so that only programs that watch are answered.
    pub(crate) is_spare: bool,
}

/// How every connection of a door is served.
#[derive(Clone)]
struct Serving {
    tls: Option<ServerTls>,
    router: Router,
    unread_for: Duration,
    stop: CancellationToken,
}

impl Serving {
    async fn receive(mut self, socket: TcpStream, peer: Peer) {
        // One answer, one segment: see docs on Nagle in `net`. A failure shows at the first write.
        let _ = socket.set_nodelay(true);
        // What the system still holds for a client that was let go goes as soon as that (tcp(7)).
        let unread_for = u32::try_from(self.unread_for.as_millis()).unwrap_or(u32::MAX);
        let _ = rustix::net::sockopt::set_tcp_user_timeout(&socket, unread_for);
        self.router = self.router.layer(Extension(peer));
        if !peer.is_spare {
            return self.begin(socket, true).await;
        }
        if tokio::time::timeout(SPARE_WITHIN, self.begin(socket, false)).await.is_err() {
            tracing::debug!(peer = %peer.address, "a web connection on a spare place took too long");
        }
    }

    async fn begin(self, socket: TcpStream, is_kept: bool) {
        let Some(tls) = &self.tls else { return self.converse(socket, is_kept).await };
        // Nothing has been asked yet, so the stop may cut it off.
        let shaken = self.stop.run_until_cancelled(tls.accept(socket, &["http/1.1"], HANDSHAKE_WITHIN)).await;
        match shaken {
            Some(Ok(socket)) => self.converse(socket, is_kept).await,
            Some(Err(error)) => tracing::debug!(%error, "a web connection did not begin"),
            None => {}
        }
    }

    async fn converse<S>(self, socket: S, is_kept: bool)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = http1::Builder::new();
        // Without the timer hyper drops the deadline silently (WP-11).
        builder
            .timer(TokioTimer::new())
            .keep_alive(is_kept)
            .header_read_timeout(HEADERS_WITHIN)
            .max_buf_size(MOST_HEADER_BYTES)
            .max_headers(MOST_HEADERS);
        let socket = TokioIo::new(Reading::new(socket, self.unread_for));
        let connection = builder.serve_connection(socket, TowerToHyperService::new(self.router));
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a web connection ended early");
        }
    }
}

async fn limit_time(request: Request, next: Next) -> Result<Response, Infallible> {
    Ok(match tokio::time::timeout(REQUEST_WITHIN, next.run(request)).await {
        Ok(response) => response,
        Err(_elapsed) => (StatusCode::REQUEST_TIMEOUT, "The request took too long.\n").into_response(),
    })
}

#[cfg(test)]
mod tests;
