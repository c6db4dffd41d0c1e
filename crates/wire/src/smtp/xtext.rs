//! `xtext` (RFC 3461 §4) and its UTF-8 sister (RFC 6533 §3), the escapes of ENVID, ORCPT and AUTH.

use std::fmt::Write as _;

/// Undoes `+XX`. The result must be text without control characters: it is printed into notices later.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => {
                let (pair, tail) = rest.split_first_chunk::<2>()?;
                bytes.push(hex(pair[0])? << 4 | hex(pair[1])?);
                rest = tail;
            }
            b'!'..=b'<' | b'>'..=b'~' => bytes.push(*first),
            _ => return None,
        }
    }
    // RFC 3461 §4.2, §4.4: what is escaped is printable US-ASCII.
    bytes.iter().all(|b| matches!(b, b' '..=b'~')).then(|| String::from_utf8(bytes).ok())?
}

/// RFC 3461 §4: hexchar is `+` and two upper-case digits.
fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Escapes what may not stand in `xtext`. For printable ASCII, which is all that [`decode`] gives.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'+' | b'=' => _ = write!(out, "+{byte:02X}"),
            b'!'..=b'~' => out.push(char::from(byte)),
            _ => _ = write!(out, "+{byte:02X}"),
        }
    }
    out
}

/// Undoes `\x{…}` of `utf-8-addr-xtext`, and takes the plain UTF-8 of `utf-8-addr-unitext` (RFC 6533 §3).
pub(super) fn decode_utf8(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(tail) = rest.strip_prefix("\\x{") {
            let (digits, tail) = tail.split_once('}')?;
            let valid = (2..=6).contains(&digits.len()) && digits.bytes().all(|b| hex(b).is_some());
            out.push(char::from_u32(u32::from_str_radix(digits, 16).ok().filter(|_| valid)?)?);
            rest = tail;
        } else {
            if matches!(c, '\\' | '+' | '=') {
                return None;
            }
            out.push(c);
            rest = rest.get(c.len_utf8()..)?;
        }
    }
    (!out.chars().any(char::is_control)).then_some(out)
}

/// Escapes as `utf-8-addr-xtext`, which every server takes, with and without SMTPUTF8.
pub(super) fn encode_utf8(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '+' | '=' => _ = write!(out, "\\x{{{:02X}}}", u32::from(c)),
            '!'..='~' => out.push(c),
            _ => _ = write!(out, "\\x{{{:02X}}}", u32::from(c)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn xtext_is_taken_as_rfc_3461_has_it() {
        for (text, want) in [
            ("QQ314159", Some("QQ314159")),
            ("a+2Bb+3Dc", Some("a+b=c")),
            ("a+20b", Some("a b")),
            ("", Some("")),
            ("a+2bc", None), // Lower-case digits are not xtext.
            ("a+0Ab", None), // A line end must not come back to life in a notice.
            ("a+00b", None),
            ("a+FFb", None),
            ("a+2", None),
            ("a=b", None),
            ("a b", None),
            ("é", None),
        ] {
            assert_eq!(decode(text).as_deref(), want, "{text:?}");
        }
    }

    #[test]
    fn utf8_addresses_are_taken_as_rfc_6533_has_them() {
        for (text, want) in [
            ("j\\x{F6}rg@example.org", Some("jörg@example.org")),
            ("jörg@example.org", Some("jörg@example.org")),
            ("a\\x{2B}b", Some("a+b")),
            ("a\\x{0A}b", None),
            ("a\\x{D800}b", None),
            ("a\\x{110000}b", None),
            ("a\\x{}b", None),
            ("a\\x{41", None),
            ("a+b", None),
            ("a\\b", None),
        ] {
            assert_eq!(decode_utf8(text).as_deref(), want, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(text in "[ -~]{0,40}", wide in "\\PC{0,40}") {
            prop_assert_eq!(decode(&encode(&text)), Some(text));
            prop_assert!(encode_utf8(&wide).is_ascii());
            prop_assert_eq!(decode_utf8(&encode_utf8(&wide)), Some(wide));
        }
    }
}
