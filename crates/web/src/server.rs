//! The server: hyper with the limits of WP-11, which `axum::serve` cannot set.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use gatepost_net::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::guard::{Reach, guard};

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

/// Connections at once. More wait in the system's queue.
const MOST_CONNECTIONS: usize = 256;

/// How long requests may still run after the stop.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// Serves `router` until `stop`; then no connection is taken any more, and running requests are finished.
pub async fn serve(listener: Listener, router: Router, reach: Reach, stop: CancellationToken) {
    let router = router
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .layer(middleware::from_fn(limit_time))
        .layer(middleware::from_fn(move |request, next| guard(reach, request, next)));
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
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
            Ok((socket, _peer)) => {
                let (router, stop) = (router.clone(), stop.clone());
                connections.spawn(async move {
                    converse(socket, router, stop).await;
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

async fn converse(socket: TcpStream, router: Router, stop: CancellationToken) {
    // One answer, one segment: see docs on Nagle in `net`. A failure shows at the first write.
    let _ = socket.set_nodelay(true);
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
