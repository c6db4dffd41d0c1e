//! The endpoints that programs speak to; what people see is `pages::sign_in`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_core::SecretText;
use serde_json::json;
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::io::ReaderStream;

use super::exchange::{ClientHeader, ClientRequest, TokenError, describe};
use super::{Place, Trouble, TroubleKind};
use crate::SandboxError;
use crate::provider::Provider;

/// Octets of an answer that is too long.
const HUGE: usize = 2 << 20;

pub(crate) fn router(provider: Arc<Provider>) -> Router {
    Router::new()
        .route("/oauth2/token", post(token))
        .route("/oauth2/revoke", post(revoke))
        .route("/oauth2/userinfo", get(userinfo).post(userinfo))
        .with_state(provider)
}

async fn token(State(provider): State<Arc<Provider>>, headers: HeaderMap, body: Bytes) -> Response {
    let trouble = suffer(&provider, Place::Token).await;
    if let Some(answer) = trouble.as_ref().and_then(instead) {
        return answer;
    }
    let request = ClientRequest::read(&headers, &body);
    let is_by_header = !matches!(request.header, ClientHeader::Absent);
    let worked = provider.work(move |oauth| oauth.token(&request)).await;
    if trouble.is_some_and(|it| it.kind == TroubleKind::DropAfter) {
        return broken_off();
    }
    match worked {
        Ok(answer) => private(Json(answer).into_response()),
        Err(error) => refuse(&provider, error, is_by_header),
    }
}

async fn revoke(State(provider): State<Arc<Provider>>, headers: HeaderMap, body: Bytes) -> Response {
    let trouble = suffer(&provider, Place::Revoke).await;
    if let Some(answer) = trouble.as_ref().and_then(instead) {
        return answer;
    }
    let request = ClientRequest::read(&headers, &body);
    let is_by_header = !matches!(request.header, ClientHeader::Absent);
    let worked = provider.work(move |oauth| oauth.revoke(&request)).await;
    if let Ok(Some(account)) = &worked {
        provider.sessions.end(Some(account));
    }
    if trouble.is_some_and(|it| it.kind == TroubleKind::DropAfter) {
        return broken_off();
    }
    match worked {
        // RFC 7009 §2.2: also for a token that was never ours.
        Ok(_) => StatusCode::OK.into_response(),
        Err(error) => refuse(&provider, error, is_by_header),
    }
}

async fn userinfo(State(provider): State<Arc<Provider>>, headers: HeaderMap) -> Response {
    let trouble = suffer(&provider, Place::Userinfo).await;
    if let Some(answer) = trouble.as_ref().and_then(instead) {
        return answer;
    }
    let token = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    let token = token.and_then(|it| after_scheme(it, "Bearer")).map(|it| SecretText::new(it.to_owned()));
    let Some(token) = token else { return challenge(StatusCode::UNAUTHORIZED, "Bearer") };
    match provider.work(move |oauth| oauth.grants.use_access(&token)).await {
        Ok(Some(bearer)) => match describe(&bearer.account, &bearer.scopes) {
            Some(answer) => Json(answer).into_response(),
            None => challenge(StatusCode::FORBIDDEN, "Bearer error=\"insufficient_scope\", scope=\"openid\""),
        },
        Ok(None) => challenge(StatusCode::UNAUTHORIZED, "Bearer error=\"invalid_token\""),
        Err(error) => failed(&error),
    }
}

/// RFC 6750 §3.
fn challenge(status: StatusCode, words: &'static str) -> Response {
    (status, [(header::WWW_AUTHENTICATE, words)]).into_response()
}

/// RFC 6749 §5.2, in the words that clients compare.
fn refuse(provider: &Provider, error: TokenError, is_by_header: bool) -> Response {
    let (status, code, description) = match error {
        TokenError::InvalidRequest(why) => (StatusCode::BAD_REQUEST, "invalid_request", why),
        TokenError::InvalidClient => {
            (StatusCode::UNAUTHORIZED, "invalid_client", "The client or its secret is not known.")
        }
        TokenError::InvalidGrant(why) => (StatusCode::BAD_REQUEST, "invalid_grant", why),
        TokenError::Reused(account) => {
            provider.sessions.end(Some(&account));
            (StatusCode::BAD_REQUEST, "invalid_grant", "It was used before; the grant has been revoked.")
        }
        TokenError::UnsupportedGrantType => {
            (StatusCode::BAD_REQUEST, "unsupported_grant_type", "Use authorization_code or refresh_token.")
        }
        TokenError::InvalidScope => {
            (StatusCode::BAD_REQUEST, "invalid_scope", "More was asked for than was granted.")
        }
        TokenError::Failed(error) => return failed(&error),
    };
    let body = Json(json!({ "error": code, "error_description": description }));
    let mut response = private((status, body).into_response());
    if status == StatusCode::UNAUTHORIZED && is_by_header {
        let words = HeaderValue::from_static("Basic realm=\"sandbox\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, words);
    }
    response
}

fn failed(error: &SandboxError) -> Response {
    tracing::error!(%error, "a request failed");
    (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": "server_error" }))).into_response()
}

/// RFC 6749 §5.1.
fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

impl ClientRequest {
    fn read(headers: &HeaderMap, body: &Bytes) -> Self {
        let fields = url::form_urlencoded::parse(body).into_owned().collect();
        let header = match headers.get(header::AUTHORIZATION) {
            None => ClientHeader::Absent,
            Some(header) => header.to_str().ok().and_then(basic).unwrap_or(ClientHeader::Unreadable),
        };
        Self { fields, header }
    }
}

/// RFC 6749 §2.3.1: id and secret are form-encoded before they are joined.
fn basic(header: &str) -> Option<ClientHeader> {
    let bytes = STANDARD.decode(after_scheme(header, "Basic")?).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some(ClientHeader::Basic { id: form_decoded(id), secret: SecretText::new(form_decoded(secret)) })
}

fn form_decoded(text: &str) -> String {
    let first = url::form_urlencoded::parse(text.as_bytes()).next();
    first.map(|(it, _)| it.into_owned()).unwrap_or_default()
}

/// RFC 9110 §11.1: schemes are named in any case.
fn after_scheme<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let (named, rest) = header.split_once(' ')?;
    named.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// Waits if trouble says so.
async fn suffer(provider: &Provider, place: Place) -> Option<Trouble> {
    let trouble = provider.oauth.troubles.strike(place)?;
    tokio::time::sleep(trouble.wait).await;
    Some(trouble)
}

/// What is answered instead of doing anything.
fn instead(trouble: &Trouble) -> Option<Response> {
    let mut response = match trouble.kind {
        TroubleKind::Slow | TroubleKind::DropAfter => return None,
        TroubleKind::Answer => answer(trouble),
        TroubleKind::Garbage => {
            ([(header::CONTENT_TYPE, "text/html")], "<html><body>We'll be back soon</body></html>")
                .into_response()
        }
        TroubleKind::Huge => {
            let body = format!("{{\"access_token\":\"{}\"}}", "a".repeat(HUGE));
            ([(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        TroubleKind::Drop => broken_off(),
        TroubleKind::Redirect => {
            let location = [(header::LOCATION, trouble.location.clone())];
            (StatusCode::TEMPORARY_REDIRECT, location).into_response()
        }
    };
    if let Some(seconds) = trouble.retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    Some(response)
}

fn answer(trouble: &Trouble) -> Response {
    let status = StatusCode::from_u16(trouble.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    if let Some(body) = &trouble.body {
        let kind = if body.starts_with('{') { "application/json" } else { "text/html" };
        return (status, [(header::CONTENT_TYPE, kind)], body.clone()).into_response();
    }
    let mut body = json!({ "error": trouble.error });
    if !trouble.description.is_empty() {
        body["error_description"] = trouble.description.clone().into();
    }
    (status, Json(body)).into_response()
}

/// An answer whose body never comes: the connection ends within it.
fn broken_off() -> Response {
    let body = Body::from_stream(ReaderStream::new(Lost));
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Breaks when it is read.
struct Lost;

impl AsyncRead for Lost {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::Error::other("the connection was to break off here")))
    }
}
