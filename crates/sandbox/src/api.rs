//! JSON for tests.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /api/mailboxes` | `[{"address","messages"}]` |
//! | `PUT /api/mailboxes/ADDRESS` | sets `password`, `app_password`, `token`, `security`, each optional |
//! | `GET /api/mailboxes/ADDRESS/messages` | `[{"id","from","to","subject","message_id","size","received_at","raw_url"}]`, oldest first |
//! | `GET /api/mailboxes/ADDRESS/messages/ID/raw` | the message as it was kept |
//! | `GET /api/phone` | texts and calls sent |
//! | `GET /api/phone/authenticators` | `[{"issuer","account","code","seconds_left"}]` |
//! | `PUT /api/phone/authenticators` | reads `uri`, `otpauth://totp/…`, from a QR code; the same account again replaces |
//! | `DELETE /api/phone/authenticators?issuer=ISSUER&account=ACCOUNT` | removes one |
//! | `GET /api/oauth`, `PUT /api/oauth` | `access_lifetime_s`, `rotation` (`lenient`, `strict`, `none`), `narrow_scopes`, `outage`; each optional |
//! | `POST /api/oauth/grants` | `{"account","client_id","scopes"}` as if consent had been given; answers with tokens |
//! | `POST /api/oauth/clients` | `{"name","redirects","has_secret"}`; answers with `client_id` and `client_secret` |
//! | `GET /api/tokens` | grants: `[{"id","account","client_id","scopes","n_refreshes","is_access_good",…}]` |
//! | `PUT /api/tokens` | `{"account","action"}`, `expire` or `revoke`; sessions of the account end |
//! | `GET /api/faults`, `PUT /api/faults` | the faults that are on |
//!
//! `security` is `{"second_step","needs_approval","forbids_app_passwords","is_advanced"}`; `second_step` is `off`, `codes` or `keys`, and
//! what is left out is off. `outage` is trouble at an endpoint: a status for the token endpoint, or `{"at","kind","status","error",
//! "description","body","location","retry_after_s","milliseconds","times"}`, where `at` is `authorize`, `token`, `revoke` or `userinfo` and `kind`
//! is `answer`, `slow`, `garbage`, `huge`, `drop`, `drop_after` (when the tokens were rotated) or `redirect`; null ends all.
//!
//! A fault may name a `door`, `smtp`, `imap` or `pop3`, and then its `text` is a reply of that door: `NO [CODE] words` without a tag,
//! `-ERR [CODE] words`. Without one it strikes at all of them, in the words of each.
//!
//! What cannot be done is answered with `{"error": SENTENCE}`.

mod fault;
mod mailbox;
mod oauth;
mod phone;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use crate::SandboxError;
use crate::provider::Provider;

/// What every handler needs.
#[derive(Clone)]
struct Api {
    provider: Arc<Provider>,
    /// Where our own pages are, for addresses in answers.
    own: SocketAddr,
}

pub(crate) fn router(provider: Arc<Provider>, own: SocketAddr) -> Router {
    Router::new()
        .route("/api/mailboxes", get(mailbox::list))
        .route("/api/mailboxes/{address}", axum::routing::put(mailbox::set))
        .route("/api/mailboxes/{address}/messages", get(mailbox::messages))
        .route("/api/mailboxes/{address}/messages/{id}/raw", get(mailbox::raw))
        .route("/api/phone", get(phone::messages))
        .route("/api/phone/authenticators", get(phone::codes).put(phone::add).delete(phone::remove))
        .route("/api/oauth", get(oauth::show).put(oauth::set))
        .route("/api/oauth/grants", post(oauth::grant))
        .route("/api/oauth/clients", post(oauth::register))
        .route("/api/tokens", get(oauth::grants).put(oauth::end))
        .route("/api/faults", get(fault::list).put(fault::set))
        .route("/healthz", get(async || "ok\n"))
        .with_state(Api { provider, own })
}

/// Why a request is not answered.
#[derive(Debug)]
enum Refusal {
    /// The tester's mistake, in a sentence.
    BadRequest(String),
    NotFound,
    /// Ours, or the disk's.
    Failed(SandboxError),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, sentence) = match self {
            Self::BadRequest(sentence) => (StatusCode::BAD_REQUEST, sentence),
            Self::NotFound => (StatusCode::NOT_FOUND, "There is no such message or account.".to_owned()),
            Self::Failed(error) => {
                tracing::error!(%error, "a request failed");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "The sandbox could not do this; its log says why.".to_owned(),
                )
            }
        };
        (status, Json(json!({ "error": sentence }))).into_response()
    }
}

#[cfg(test)]
mod tests;
