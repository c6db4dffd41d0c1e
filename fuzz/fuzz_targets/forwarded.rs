//! `X-Forwarded-For`: nobody but a trusted proxy says whom it brings, and what a caller writes in front changes nothing.
#![no_main]

use std::net::IpAddr;

use gatepost_core::Network;
use gatepost_web::fuzz::caller;
use http::HeaderValue;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, &[u8])| {
    let (is_proxy, said) = input;
    let proxies: Vec<Network> =
        ["10.0.0.0/8", "::1", "2001:db8::/32"].map(|it| it.parse().expect("a network")).into();
    let peer: IpAddr = if is_proxy { "10.0.0.1" } else { "192.0.2.1" }.parse().expect("an address");
    let Ok(lines) =
        said.split(|byte| *byte == b'\n').map(HeaderValue::from_bytes).collect::<Result<Vec<_>, _>>()
    else {
        return;
    };
    let found = caller(peer, &lines, &proxies);
    if !is_proxy {
        assert_eq!(found, Some(peer));
        return;
    }
    let Some(found) = found else { return };
    assert_eq!(found, found.to_canonical());
    if proxies.iter().any(|it| it.contains(found)) {
        return;
    }
    for forged in ["198.51.100.99", "rubbish", "", "10.0.0.2"] {
        let in_front =
            [HeaderValue::from_static(forged)].into_iter().chain(lines.clone()).collect::<Vec<_>>();
        assert_eq!(caller(peer, &in_front, &proxies), Some(found), "a caller chose its address");
    }
});
