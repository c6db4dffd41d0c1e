//! What every request must pass and every answer carries.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use gatepost_core::Network;

use crate::caller::caller;
use crate::server::{MOST_BODY_BYTES, Peer};

/// Under which names a door is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only as a name of this computer: `localhost`, `127.0.0.1`, `[::1]`. A web site whose name an attacker points at
    /// 127.0.0.1 (DNS rebinding) is a stranger in its own browser tab then, as it should be.
    Loopback,
    /// As this host too: a reverse proxy on this computer speaks plain HTTP to the door and HTTPS to the world.
    Named(String),
    /// Under any name.
    Any,
}

/// What the guard goes by.
pub(crate) struct Rules {
    pub(crate) reach: Reach,
    pub(crate) is_encrypted: bool,
    pub(crate) trusted_proxies: Vec<Network>,
}

/// A year, with subdomains (WP-7).
const STRICT_TRANSPORT_SECURITY: &str = "max-age=31536000; includeSubDomains";

/// Everything from here, nothing inline, no frames (WP-6).
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

pub(crate) async fn guard(
    State(rules): State<Arc<Rules>>,
    Extension(Peer(peer)): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = caller(peer, request.headers(), &rules.trusted_proxies);
    let refusal = if !is_named_rightly(&rules.reach, request.headers()) {
        Some((StatusCode::MISDIRECTED_REQUEST, "This address answers only to names of this computer.\n"))
    } else if !is_from_here(request.method(), request.headers()) {
        Some((StatusCode::FORBIDDEN, "This request came from a page of another site.\n"))
    } else if declares_too_much(request.headers()) {
        // At once, instead of reading a mebibyte first.
        Some((StatusCode::PAYLOAD_TOO_LARGE, "The request is too large.\n"))
    } else if caller.is_err() {
        Some((StatusCode::BAD_REQUEST, "The proxy named an address that cannot be read.\n"))
    } else {
        None
    };
    let mut response = match (refusal, caller) {
        (None, Ok(caller)) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        (Some(refusal), _) => refusal.into_response(),
        (None, Err(_)) => StatusCode::BAD_REQUEST.into_response(),
    };
    add_headers(response.headers_mut());
    if rules.is_encrypted || matches!(rules.reach, Reach::Named(_)) {
        response
            .headers_mut()
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT_TRANSPORT_SECURITY));
    }
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

fn is_named_rightly(reach: &Reach, headers: &HeaderMap) -> bool {
    let is_named = |is_right: &dyn Fn(&str) -> bool| host(headers).is_some_and(|it| is_right(it.host()));
    match reach {
        Reach::Any => true,
        Reach::Loopback => is_named(&is_loopback_name),
        Reach::Named(name) => is_named(&|it| it.eq_ignore_ascii_case(name) || is_loopback_name(it)),
    }
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
