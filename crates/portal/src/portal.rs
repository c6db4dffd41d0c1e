//! The door.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use gatepost_core::World;
use gatepost_net::Listener;
use gatepost_web::{Asset, BASE_STYLE, Reach, Zone};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::page::{self, Frame};
use crate::{AccountView, PortalError, SubmissionView};

/// Letters that one page shows.
const LETTERS_AT_MOST: usize = 25;

/// Tells the status page what there is to show.
pub trait StatusSource: Send + Sync + 'static {
    /// All mail accounts, in the order in which they are shown; those that need somebody first.
    fn accounts(&self) -> impl Future<Output = Result<Vec<AccountView>, StatusUnavailable>> + Send;

    /// The newest letters, newest first, at most `at_most`.
    fn outbox(
        &self,
        at_most: usize,
    ) -> impl Future<Output = Result<Vec<SubmissionView>, StatusUnavailable>> + Send;
}

/// The status cannot be read now. The source of it goes to the log, not to the page.
#[derive(Debug, thiserror::Error)]
#[error("the status cannot be read")]
pub struct StatusUnavailable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// A portal that listens, not yet to anybody.
pub struct Portal<S> {
    listener: Listener,
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    source: S,
    style: Asset,
    zone: Zone,
    world: World,
}

#[derive(Deserialize)]
struct StatusQuery {
    /// Present where somebody wants to read without the page being renewed.
    still: Option<String>,
}

impl<S: StatusSource> Portal<S> {
    /// Takes the port, which must be on loopback; 0 lets the system choose. Must be called inside the runtime.
    pub fn bind(listen: SocketAddr, source: S, world: &World) -> Result<Self, PortalError> {
        if !listen.ip().is_loopback() {
            return Err(PortalError::NotLoopback(listen));
        }
        let style = Asset::new("text/css; charset=utf-8", &[BASE_STYLE, include_str!("page/portal.css")]);
        let shared = Shared { source, style, zone: Zone::of_this_computer(), world: world.clone() };
        Ok(Self { listener: Listener::bind(listen)?, shared: Arc::new(shared) })
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Serves until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let router = Router::new()
            .route("/", get(status::<S>))
            .route("/style.css", get(style::<S>))
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(ready::<S>))
            .fallback(async || page::not_found())
            .with_state(self.shared);
        gatepost_web::serve(self.listener, router, Reach::Loopback, stop).await;
    }
}

async fn status<S: StatusSource>(
    State(shared): State<Arc<Shared<S>>>,
    Query(query): Query<StatusQuery>,
) -> Response {
    let read = async {
        Ok::<_, StatusUnavailable>((
            shared.source.accounts().await?,
            shared.source.outbox(LETTERS_AT_MOST).await?,
        ))
    };
    let frame = Frame { zone: &shared.zone, now: shared.world.now(), is_still: query.still.is_some() };
    match read.await {
        Ok((accounts, letters)) => page::status(&frame, &accounts, &letters),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the status page cannot be shown");
            page::unavailable(&frame)
        }
    }
}

async fn style<S: StatusSource>(State(shared): State<Arc<Shared<S>>>, headers: HeaderMap) -> Response {
    shared.style.respond(&headers)
}

/// Ready once what the page shows can be read, which takes the database.
async fn ready<S: StatusSource>(State(shared): State<Arc<Shared<S>>>) -> Response {
    match shared.source.accounts().await {
        Ok(_) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
        }
    }
}

#[cfg(test)]
mod tests;
