//! The certificate of the local authority, for applications that must be told whom to trust. It is no secret.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::frame::{App, Problem};

pub(super) async fn authority(State(app): State<App>) -> Response {
    let Some(text) = app.settings.mail.authority.clone() else { return Problem::NotFound.into_response() };
    let headers = [
        (header::CONTENT_TYPE, "application/x-pem-file"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"gatepost-authority.pem\""),
    ];
    (headers, text).into_response()
}
