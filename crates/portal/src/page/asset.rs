//! Style, script and icon.

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};

use crate::frame::{Access, App, Problem, Route};

pub(crate) fn rows() -> Vec<Route> {
    vec![
        Route::get("/assets/{file}", Access::Public, asset).plain(),
        // Browsers ask for it whatever a page says.
        Route::get("/favicon.ico", Access::Public, icon).plain(),
    ]
}

async fn asset(State(app): State<App>, uri: Uri) -> Response {
    match app.assets.find(uri.path()) {
        Some(asset) => asset.respond_for_good(),
        None => Problem::NotFound.into_response(),
    }
}

async fn icon(State(app): State<App>) -> Response {
    let icon = app.assets.find(app.assets.icon());
    icon.map_or_else(|| Problem::NotFound.into_response(), gatepost_web::Asset::respond_for_good)
}
