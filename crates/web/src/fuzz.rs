//! What `fuzz/` feeds with rubbish.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue};
use gatepost_core::Network;

/// Where a request comes from whose connection is `peer`'s and whose lines of `X-Forwarded-For` are these; none if it is refused.
#[must_use]
pub fn caller(peer: IpAddr, lines: &[HeaderValue], proxies: &[Network]) -> Option<IpAddr> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("x-forwarded-for", line.clone());
    }
    crate::caller::caller(peer, &headers, proxies).ok().map(|it| it.0)
}
