//! Figures and listings: STAT, LIST, UIDL and the lines behind `+OK`.

use super::command::decimal;
use super::{ReplyError, UNIQUE_ID};

/// The line that ends a listing.
pub const LISTING_END: &[u8] = b".\r\n";

/// What STAT says. Figures of a server count nothing of ours and size nothing (MP-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropSize {
    /// Messages in the mailbox.
    pub n_messages: u64,
    /// Their size together, as the server says.
    pub size_bytes: u64,
}

/// A message's unique id: 1 to 70 characters from `!` to `~` (RFC 1939 §7).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UniqueId(String);

impl UniqueId {
    /// Takes it if it is one.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=UNIQUE_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The content of a line of a listing, its dots as they were; none for the line that ends it (RFC 1939 §3).
#[must_use]
pub fn unstuff(line: &[u8]) -> Option<&[u8]> {
    match line.strip_prefix(b".") {
        Some(b"") => None,
        Some(rest) => Some(rest),
        None => Some(line),
    }
}

/// Appends one line of a listing. What could end the line early is left out of it.
pub fn push_line(out: &mut Vec<u8>, line: &str) {
    if line.starts_with('.') {
        out.push(b'.');
    }
    out.extend(line.bytes().filter(|b| !b.is_ascii_control()));
    out.extend_from_slice(b"\r\n");
}

/// Reads the text of the reply to STAT: `COUNT OCTETS`, and whatever follows (RFC 1939 §5).
pub fn parse_stat(text: &[u8]) -> Result<DropSize, ReplyError> {
    let (n_messages, size_bytes) = pair(text)?;
    Ok(DropSize { n_messages, size_bytes: decimal(size_bytes).ok_or(ReplyError::BadFigure)? })
}

/// Reads a line of LIST: `NUMBER OCTETS`, and whatever follows. Gives number and octets.
pub fn parse_scan(line: &[u8]) -> Result<(u64, u64), ReplyError> {
    let (message, octets) = pair(line)?;
    Ok((message, decimal(octets).ok_or(ReplyError::BadFigure)?))
}

/// Reads a line of UIDL: `NUMBER ID`.
pub fn parse_unique_id(line: &[u8]) -> Result<(u64, UniqueId), ReplyError> {
    let (message, id) = pair(line)?;
    let id = std::str::from_utf8(id).ok().and_then(UniqueId::new).ok_or(ReplyError::BadFigure)?;
    Ok((message, id))
}

fn pair(line: &[u8]) -> Result<(u64, &[u8]), ReplyError> {
    let mut words = line.split(|b| *b == b' ').filter(|it| !it.is_empty());
    let number = words.next().and_then(decimal).ok_or(ReplyError::BadFigure)?;
    Ok((number, words.next().ok_or(ReplyError::BadFigure)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn figures_are_read_as_64_bits() {
        for (text, want) in [
            (&b"2 320"[..], Ok((2, 320))),
            (b"0 0", Ok((0, 0))),
            (b"2 320 and words", Ok((2, 320))),
            (b"18446744073709551615 18446744073709551615", Ok((u64::MAX, u64::MAX))),
            (b"18446744073709551616 1", Err(ReplyError::BadFigure)),
            (b"-1 2", Err(ReplyError::BadFigure)),
            (b"1", Err(ReplyError::BadFigure)),
            (b"", Err(ReplyError::BadFigure)),
            (b"one two", Err(ReplyError::BadFigure)),
        ] {
            assert_eq!(parse_stat(text).map(|it| (it.n_messages, it.size_bytes)), want);
            assert_eq!(parse_scan(text), want);
        }
    }

    #[test]
    fn unique_ids_are_short_and_visible() {
        assert_eq!(
            parse_unique_id(b"1 whqtswO00WBw418f9t5JxYwZ").unwrap().1.as_str(),
            "whqtswO00WBw418f9t5JxYwZ"
        );
        for bad in [&b"1"[..], b"1 ", b"1 \xff", b"1 a\x7f", b"x a"] {
            assert_eq!(parse_unique_id(bad).unwrap_err(), ReplyError::BadFigure, "{bad:?}");
        }
        assert!(UniqueId::new(&"x".repeat(70)).is_some());
        assert!(UniqueId::new(&"x".repeat(71)).is_none());
    }

    #[test]
    fn a_listing_ends_at_its_dot_alone() {
        assert_eq!(unstuff(b"."), None);
        assert_eq!(unstuff(b".."), Some(&b"."[..]));
        assert_eq!(unstuff(b"..."), Some(&b".."[..]));
        assert_eq!(unstuff(b""), Some(&b""[..]));
        assert_eq!(unstuff(b"a."), Some(&b"a."[..]));
    }

    proptest! {
        #[test]
        fn lines_of_a_listing_come_back(line in "[ -~]{0,80}") {
            let mut out = Vec::new();
            push_line(&mut out, &line);
            let text = out.strip_suffix(b"\r\n").unwrap();
            prop_assert_eq!(unstuff(text), Some(line.as_bytes()));
        }

        #[test]
        fn no_line_of_a_listing_is_two(line: String) {
            let mut out = Vec::new();
            push_line(&mut out, &line);
            prop_assert_eq!(memchr::memchr_iter(b'\n', &out).count(), 1);
            prop_assert!(out.ends_with(b"\r\n") && out != LISTING_END);
        }
    }
}
