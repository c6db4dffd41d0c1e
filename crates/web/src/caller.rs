//! Where a request really comes from.

use std::net::IpAddr;

use axum::http::HeaderMap;
use gatepost_core::Network;

/// The address that a request comes from: in the extensions of every request. Behind trusted proxies it is the one they name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller(pub IpAddr);

/// A trusted proxy named somebody whose address cannot be read. Passing over it would let a caller choose an address
/// (CVE-2024-47070).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// The last entry that is not a proxy's counts: whatever stands before it was written by whoever asked.
pub(crate) fn caller(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> Result<Caller, Unreadable> {
    let is_proxy = |address: IpAddr| proxies.iter().any(|it| it.contains(address));
    let mut found = peer.to_canonical();
    if !is_proxy(found) {
        return Ok(Caller(found));
    }
    let mut said = Vec::new();
    for value in headers.get_all("x-forwarded-for") {
        said.extend(value.to_str().map_err(|_| Unreadable)?.split(','));
    }
    for entry in said.into_iter().rev() {
        found = address(entry.trim()).ok_or(Unreadable)?;
        if !is_proxy(found) {
            break;
        }
    }
    Ok(Caller(found))
}

/// An address, as some proxies write it with a port or in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|it| it.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    bare.or_else(with_port).or_else(in_brackets).map(|it| it.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(peer: &str, said: &[&str], want: Option<&str>) {
        let proxies = ["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for it in said {
            headers.append("x-forwarded-for", it.parse().unwrap());
        }
        let got = caller(peer.parse().unwrap(), &headers, &proxies).ok();
        assert_eq!(got, want.map(|it| Caller(it.parse().unwrap())), "{peer} {said:?}");
    }

    #[test]
    fn only_trusted_proxies_say_whom_they_bring() {
        check("192.0.2.1", &[], Some("192.0.2.1"));
        check("192.0.2.1", &["198.51.100.7"], Some("192.0.2.1"));
        check("192.0.2.1", &["rubbish"], Some("192.0.2.1"));
        check("10.0.0.1", &[], Some("10.0.0.1"));
        check("10.0.0.1", &["198.51.100.7"], Some("198.51.100.7"));
        check("::ffff:10.0.0.1", &["198.51.100.7"], Some("198.51.100.7"));
    }

    #[test]
    fn the_last_entry_that_is_no_proxy_counts() {
        check("10.0.0.1", &["1.1.1.1, 198.51.100.7, 10.0.0.2"], Some("198.51.100.7"));
        check("10.0.0.1", &["1.1.1.1", "198.51.100.7"], Some("198.51.100.7"));
        check("10.0.0.1", &["10.0.0.3"], Some("10.0.0.3"));
        check("::1", &["2001:db8::1"], Some("2001:db8::1"));
        check("::1", &["[2001:db8::1]:4711"], Some("2001:db8::1"));
        check("::1", &["192.0.2.9:80"], Some("192.0.2.9"));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_not_passed_over() {
        for said in
            ["rubbish", "", "unknown", "198.51.100.7,", "1.2.3", "198.51.100.7, _hidden", "1.1.1.1;2.2.2.2"]
        {
            check("10.0.0.1", &[said], None);
        }
        // What stands before the entry that counts is nobody's business.
        check("10.0.0.1", &["rubbish, 198.51.100.7"], Some("198.51.100.7"));
    }
}
