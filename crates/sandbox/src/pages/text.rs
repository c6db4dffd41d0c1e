//! Small texts.

use std::fmt::Write as _;

/// A text as one segment of a path (RFC 3986 §2.1): everything but unreserved characters is escaped.
pub(crate) fn path_segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'@') {
            segment.push(char::from(byte));
        } else {
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}

/// `812 bytes`, `4.1 KB`, `30.0 MB`.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{}.{} KB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// `1 letter`, `2 letters`.
pub(super) fn count(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(
            [0, 1, 999, 1_000, 4_199, 30_000_000].map(size),
            ["0 bytes", "1 byte", "999 bytes", "1.0 KB", "4.1 KB", "30.0 MB"]
        );
        assert_eq!([0, 1, 2].map(|n| count(n, "letter")), ["0 letters", "1 letter", "2 letters"]);
    }

    #[test]
    fn an_address_becomes_one_segment() {
        assert_eq!(path_segment("a/b?c#d+e@x.test"), "a%2Fb%3Fc%23d%2Be@x.test");
        assert_eq!(path_segment("\"a b\"@x.test"), "%22a%20b%22@x.test");
    }
}
