//! The server: hyper with the limits of WP-11, which `axum::serve` cannot set.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
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
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::WebDoor;
use crate::guard::{Rules, guard};

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

/// How long requests may still run after the stop.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// Serves `router` until `stop`; then no connection is taken any more, and running requests are finished.
pub async fn serve(door: WebDoor, router: Router, stop: CancellationToken) {
    let WebDoor { listener, tls, reach, trusted_proxies, most_connections } = door;
    let rules = Arc::new(Rules { is_encrypted: tls.is_some(), reach, trusted_proxies });
    let router = router
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .layer(middleware::from_fn(limit_time))
        .layer(middleware::from_fn_with_state(rules, guard));
    let places = Arc::new(Semaphore::new(most_connections));
    let connections = TaskTracker::new();
    loop {
        // Both may be dropped while they wait: nothing has been taken yet.
        let (place, accepted) = tokio::select! {
            () = stop.cancelled() => break,
            both = async {
                let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
                (place, listener.accept().await)
            } => both,
        };
        match accepted {
            Ok((socket, peer)) => {
                let router = router.clone().layer(Extension(Peer(peer.ip())));
                let (tls, stop) = (tls.clone(), stop.clone());
                connections.spawn(async move {
                    receive(socket, tls, router, stop).await;
                    drop(place);
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

/// Whoever is at the other end of the connection.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

async fn receive(socket: TcpStream, tls: Option<ServerTls>, router: Router, stop: CancellationToken) {
    // One answer, one segment: see docs on Nagle in `net`. A failure shows at the first write.
    let _ = socket.set_nodelay(true);
    let Some(tls) = tls else { return converse(socket, router, stop).await };
    // Nothing has been asked yet, so the stop may cut it off.
    let shaken = stop.run_until_cancelled(tls.accept(socket, &["http/1.1"], HANDSHAKE_WITHIN)).await;
    match shaken {
        Some(Ok(socket)) => converse(socket, router, stop).await,
        Some(Err(error)) => tracing::debug!(%error, "a web connection did not begin"),
        None => {}
    }
}

async fn converse<S>(socket: S, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    // Without the timer hyper drops the deadline silently (WP-11).
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(MOST_HEADER_BYTES)
        .max_headers(MOST_HEADERS);
    let connection = builder.serve_connection(TokioIo::new(socket), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a web connection ended early");
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
