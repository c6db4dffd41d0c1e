//! What every request must pass and every answer carries.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

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
    /// As the host of this address, such as `https://mail.practice.example`, whatever the socket: a proxy on this computer speaks
    /// plain HTTP to the door and HTTPS to the world, and may pass a name of this computer. With a certificate of its own the door
    /// answers to a bare address too, which no attacker can point elsewhere.
    Named(String),
    /// Under any name.
    Any,
}

/// What the guard goes by.
pub(crate) struct Rules {
    pub(crate) reach: Reach,
    /// Whether the door speaks TLS itself.
    pub(crate) is_encrypted: bool,
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) checks_forms: bool,
    pub(crate) always_open: &'static [&'static str],
    /// Whether the log has told of a proxy that is not listed.
    pub(crate) has_told: AtomicBool,
}

impl Rules {
    /// Whether browsers come by HTTPS: the address that they know says so, not the socket.
    fn is_https(&self) -> bool {
        match &self.reach {
            Reach::Named(url) => url.starts_with("https://"),
            Reach::Loopback | Reach::Any => self.is_encrypted,
        }
    }

    /// Whoever runs the proxy should know that it is not believed; once, for anybody can send the header.
    pub(crate) fn tell_of_proxy(&self, peer: IpAddr, headers: &HeaderMap) {
        let is_proxy = self.trusted_proxies.iter().any(|it| it.contains(peer));
        if headers.contains_key("x-forwarded-for") && !is_proxy && !self.has_told.swap(true, Relaxed) {
            tracing::warn!(
                %peer,
                "X-Forwarded-For counts for nothing from an address that is not among the trusted proxies; if that is your proxy, list it"
            );
        }
    }
}

/// A year, with subdomains (WP-7).
const STRICT_TRANSPORT_SECURITY: &str = "max-age=31536000; includeSubDomains";

/// Everything from here, nothing inline, no frames (WP-6).
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

pub(crate) async fn guard(
    State(rules): State<Arc<Rules>>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = caller(peer.address, request.headers(), &rules.trusted_proxies);
    rules.tell_of_proxy(peer.address.to_canonical(), request.headers());
    let refusal = if peer.is_spare && !rules.always_open.contains(&request.uri().path()) {
        Some((
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many people are here at this moment. Try again in a few seconds.\n",
        ))
    } else if !is_named_rightly(&rules, request.headers()) {
        Some((StatusCode::MISDIRECTED_REQUEST, "This address answers only to its own names.\n"))
    } else if !is_from_here(&rules, request.method(), request.headers()) {
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
    if response.status() == StatusCode::SERVICE_UNAVAILABLE && peer.is_spare {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("3"));
    }
    if rules.is_https() {
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

fn is_named_rightly(rules: &Rules, headers: &HeaderMap) -> bool {
    let is_named = |is_right: &dyn Fn(&str) -> bool| host(headers).is_some_and(|it| is_right(it.host()));
    match &rules.reach {
        Reach::Any => true,
        Reach::Loopback => is_named(&is_loopback_name),
        Reach::Named(url) => {
            let own = authority(url);
            is_named(&|it| {
                own.as_ref().is_some_and(|own| own.host().eq_ignore_ascii_case(it))
                    || is_loopback_name(it)
                    || (rules.is_encrypted && address(it).is_some())
            })
        }
    }
}

fn host(headers: &HeaderMap) -> Option<Authority> {
    headers.get(header::HOST)?.to_str().ok()?.parse().ok()
}

fn is_loopback_name(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || address(host).is_some_and(|it| it.is_loopback())
}

fn address(host: &str) -> Option<IpAddr> {
    host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host).parse().ok()
}

/// The host and port of an origin such as `https://mail.practice.example`, without a port that its scheme means anyhow.
fn authority(origin: &str) -> Option<Authority> {
    let (scheme, rest) = origin.split_once("://")?;
    let meant = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    rest.strip_suffix(meant).unwrap_or(rest).parse().ok()
}

/// WP-5: what changes something must come from a page of ours. Browsers say where a request comes from; programs send
/// neither header and pass.
fn is_from_here(rules: &Rules, method: &Method, headers: &HeaderMap) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    if let Some(site) = headers.get("sec-fetch-site") {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(origin) = headers.get(header::ORIGIN).map(|it| it.to_str().unwrap_or_default()) else {
        return true;
    };
    if origin == "null" {
        return rules.checks_forms;
    }
    // A proxy may pass another name than the one in the browser.
    let is_public = matches!(&rules.reach, Reach::Named(url)
        if scheme(url).eq_ignore_ascii_case(scheme(origin)) && authority(url) == authority(origin));
    let bare = origin.split_once("://").and_then(|(_, it)| it.parse::<Authority>().ok());
    bare.is_some_and(|it| is_public || host(headers) == Some(it))
}

fn scheme(origin: &str) -> &str {
    origin.split_once("://").map_or("", |(scheme, _)| scheme)
}
