//! The PROXY header, versions 1 and 2, by which a trusted proxy says whom it brings
//! (haproxy.org, proxy-protocol.txt, 2020/03/05).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::time::Instant;

use crate::connection::{Connection, ReadError};

/// §2.2: what every version 2 header begins with.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// §2.1: the longest version 1 header, with its CRLF.
const LONGEST_V1: usize = 107;

/// Most additional data of version 2 that is read (and not looked at).
const LONGEST_V2: usize = 16 + 2048;

/// Why a header was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyError {
    #[error("the proxy did not begin with a PROXY header")]
    Malformed,
    #[error("no PROXY header came")]
    Read(#[from] ReadError),
}

/// What a buffer begins with.
#[derive(Debug, PartialEq, Eq)]
enum Parsed {
    /// A header of this many bytes; the client's address unless the proxy speaks for itself.
    Header(Option<SocketAddr>, usize),
    /// Too short to tell.
    Incomplete,
    /// No header.
    Malformed,
}

/// Reads the header, and not a byte more.
pub(super) async fn read(
    connection: &mut Connection,
    deadline: Instant,
) -> Result<Option<SocketAddr>, ProxyError> {
    loop {
        match parse(connection.buffered()) {
            Parsed::Header(client, length) => {
                connection.consume(length);
                return Ok(client);
            }
            Parsed::Malformed => return Err(ProxyError::Malformed),
            Parsed::Incomplete => connection.fill_more(deadline).await?,
        };
    }
}

fn parse(bytes: &[u8]) -> Parsed {
    let could_be = |start: &[u8]| bytes.iter().zip(start).all(|(a, b)| a == b);
    if could_be(SIGNATURE) {
        if bytes.len() < 16 { Parsed::Incomplete } else { parse_v2(bytes) }
    } else if could_be(b"PROXY ") {
        parse_v1(bytes)
    } else {
        Parsed::Malformed
    }
}

/// §2.1: `PROXY TCP4 192.0.2.1 192.0.2.2 56324 587` and CRLF.
fn parse_v1(bytes: &[u8]) -> Parsed {
    let window = bytes.get(..LONGEST_V1.min(bytes.len())).unwrap_or_default();
    let Some(end) = window.windows(2).position(|pair| pair == b"\r\n") else {
        return if window.len() < LONGEST_V1 { Parsed::Incomplete } else { Parsed::Malformed };
    };
    let text = window.get(..end).and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
    let words: Vec<&str> = text.split(' ').collect();
    let client = match words.as_slice() {
        ["PROXY", "UNKNOWN", ..] => return Parsed::Header(None, end + 2),
        ["PROXY", "TCP4", from, to, port, to_port] => {
            address::<Ipv4Addr>(from, to).zip(both_ports(port, to_port))
        }
        ["PROXY", "TCP6", from, to, port, to_port] => {
            address::<Ipv6Addr>(from, to).zip(both_ports(port, to_port))
        }
        _ => None,
    };
    client.map_or(Parsed::Malformed, |client| Parsed::Header(Some(client.into()), end + 2))
}

fn address<A: std::str::FromStr + Into<IpAddr>>(from: &str, to: &str) -> Option<IpAddr> {
    to.parse::<A>().ok()?;
    from.parse::<A>().ok().map(Into::into)
}

fn both_ports(from: &str, to: &str) -> Option<u16> {
    let is_plain = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    (is_plain(from) && is_plain(to) && to.parse::<u16>().is_ok()).then(|| from.parse().ok()).flatten()
}

/// §2.2: signature, version and command, family and protocol, length, addresses.
fn parse_v2(bytes: &[u8]) -> Parsed {
    let [version_command, family, high, low] = [12, 13, 14, 15].map(|at| bytes.get(at).copied().unwrap_or(0));
    let length = 16 + usize::from(u16::from_be_bytes([high, low]));
    if length > LONGEST_V2 {
        return Parsed::Malformed;
    }
    let Some(addresses) = bytes.get(16..length) else { return Parsed::Incomplete };
    match (version_command, family) {
        // LOCAL: the proxy's own check; addresses are to be ignored.
        (0x20, _) => Parsed::Header(None, length),
        // PROXY, TCP over IPv4 and IPv6.
        (0x21, 0x11) => socket_address::<4>(addresses, length),
        (0x21, 0x21) => socket_address::<16>(addresses, length),
        _ => Parsed::Malformed,
    }
}

/// Source address, destination address, source port, destination port.
fn socket_address<const N: usize>(addresses: &[u8], length: usize) -> Parsed
where
    [u8; N]: Into<IpAddr>,
{
    let ip = addresses.first_chunk::<N>();
    let port = addresses.get(2 * N..2 * N + 2).and_then(|port| port.first_chunk::<2>());
    let is_whole = addresses.len() >= 2 * N + 4;
    match (ip, port) {
        (Some(ip), Some(port)) if is_whole => {
            Parsed::Header(Some(SocketAddr::new((*ip).into(), u16::from_be_bytes(*port))), length)
        }
        _ => Parsed::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn v2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let length = u16::try_from(addresses.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, addresses].concat()
    }

    fn headers() -> Vec<(Vec<u8>, Option<&'static str>)> {
        vec![
            (b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 587\r\n".to_vec(), Some("192.0.2.1:56324")),
            (b"PROXY TCP6 2001:db8::1 2001:db8::2 65535 465\r\n".to_vec(), Some("[2001:db8::1]:65535")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(), None),
            (v2(0x21, 0x11, &[192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 0x04, 2, 75]), Some("192.0.2.1:56324")),
            (
                v2(0x21, 0x11, &[192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 0x04, 2, 75, 3, 0, 1, 9]),
                Some("192.0.2.1:56324"),
            ),
            (v2(0x20, 0x00, &[]), None),
        ]
    }

    #[test]
    fn headers_are_taken_however_they_are_cut() {
        for (header, client) in headers() {
            let client = client.map(|text| text.parse().unwrap());
            let with_more = [&header[..], b"EHLO x\r\n"].concat();
            assert_eq!(parse(&with_more), Parsed::Header(client, header.len()), "{header:?}");
            for cut in 0..header.len() {
                assert_eq!(parse(&header[..cut]), Parsed::Incomplete, "{header:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn anything_else_is_no_header() {
        let too_long = [b"PROXY TCP4 ".as_slice(), &[b'1'; 200]].concat();
        for bad in [
            &b"EHLO client\r\n"[..],
            b"proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
            b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
            b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
            b"PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
            b"PROXY TCP4 ::1 ::1 1 2\r\n",
            b"PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n",
            b"PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
            b"PROXY TCP4 127.1 1.2.3.4 1 2\r\n",
            b"PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
            &too_long,
            &v2(0x31, 0x11, &[0; 12]),
            &v2(0x22, 0x11, &[0; 12]),
            &v2(0x21, 0x12, &[0; 12]),
            &v2(0x21, 0x11, &[0; 11]),
            &v2(0x21, 0x21, &[0; 35]),
            &v2(0x21, 0x11, &[0; 4096]),
        ] {
            assert_eq!(parse(bad), Parsed::Malformed, "{:?}", String::from_utf8_lossy(bad));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(tail in prop::collection::vec(any::<u8>(), 0..64), which in 0usize..7, keep in 0usize..40) {
            let (header, _) = headers().swap_remove(which);
            let mut bytes = header[..keep.min(header.len())].to_vec();
            bytes.extend_from_slice(&tail);
            if let Parsed::Header(_, length) = parse(&bytes) {
                prop_assert!(length <= bytes.len());
            }
        }
    }
}
