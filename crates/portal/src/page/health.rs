//! For programs that watch this one.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::frame::{Access, App, Route};

pub(crate) fn rows() -> Vec<Route> {
    vec![
        Route::get("/healthz", Access::Public, async || "ok\n").plain(),
        Route::get("/readyz", Access::Public, ready).plain(),
    ]
}

/// Ready once pages can be made, which takes the database.
async fn ready(State(app): State<App>) -> Response {
    match app.rooms.identity.list_organisations().await {
        Ok(_) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
        }
    }
}
