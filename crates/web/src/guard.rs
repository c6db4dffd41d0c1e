//! What every request must pass and every answer carries.

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::server::MOST_BODY_BYTES;

/// Under which names a door is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only as a name of this computer: `localhost`, `127.0.0.1`, `[::1]`. A web site whose name an attacker points at
    /// 127.0.0.1 (DNS rebinding) is a stranger in its own browser tab then, as it should be.
    Loopback,
    /// Under any name.
    Any,
}

/// Everything from here, nothing inline, no frames (WP-6).
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

pub(crate) async fn guard(reach: Reach, request: Request, next: Next) -> Response {
    let refusal = if !is_named_rightly(reach, request.headers()) {
        Some((StatusCode::MISDIRECTED_REQUEST, "This address answers only to names of this computer.\n"))
    } else if !is_from_here(request.method(), request.headers()) {
        Some((StatusCode::FORBIDDEN, "This request came from a page of another site.\n"))
    } else if declares_too_much(request.headers()) {
        // At once, instead of reading a mebibyte first.
        Some((StatusCode::PAYLOAD_TOO_LARGE, "The request is too large.\n"))
    } else {
        None
    };
    let mut response = match refusal {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    };
    add_headers(response.headers_mut());
    response
}

/// A handler may be stricter, so what it has set stays.
fn add_headers(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

fn declares_too_much(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    length.is_some_and(|it| it > MOST_BODY_BYTES as u64)
}

fn is_named_rightly(reach: Reach, headers: &HeaderMap) -> bool {
    reach == Reach::Any || host(headers).is_some_and(|it| is_loopback_name(it.host()))
}

fn host(headers: &HeaderMap) -> Option<Authority> {
    headers.get(header::HOST)?.to_str().ok()?.parse().ok()
}

fn is_loopback_name(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback())
}

/// WP-5: what changes something must come from a page of ours. Browsers say where a request comes from; programs send
/// neither header and pass.
fn is_from_here(method: &Method, headers: &HeaderMap) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    if let Some(site) = headers.get("sec-fetch-site") {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let origin = origin.to_str().ok().and_then(|it| it.split_once("://")).and_then(|(_, it)| it.parse().ok());
    origin.is_some_and(|origin: Authority| host(headers) == Some(origin))
}
