//! Lines and literals (RFC 9051 §4.3), found before anything is parsed: the one place that decides where a command or a
//! response ends.
//!
//! `imap-codec` has such a reader too. It is used in tests alone, to be compared with: its buffers cannot be wiped, and it
//! takes an announcement beyond 32 bits, `{4294967296+}`, for the end of a command, so that what the client sends as a
//! literal would be obeyed.

use zeroize::{Zeroize as _, Zeroizing};

/// A literal that a line announces at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Announcement {
    pub(super) n_bytes: u64,
    /// Whether the sender waits to be asked for it. `{n+}` does not (RFC 7888).
    pub(super) is_synchronising: bool,
    /// Where the brace stands, counted from the end of the line without its CRLF.
    pub(super) n_back: usize,
}

/// What a line ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineTail {
    /// Nothing: the command or response is complete.
    Plain,
    Literal(Announcement),
    /// Something that looks like an announcement with a figure that is beyond 64 bits. What follows cannot be told from
    /// commands, so nothing can go on.
    Absurd,
}

/// Looks at a line without its CRLF.
pub(super) fn tail(line: &[u8]) -> LineTail {
    let Some(inner) = line.strip_suffix(b"}") else { return LineTail::Plain };
    let (inner, is_synchronising) = match inner.strip_suffix(b"+") {
        Some(rest) => (rest, false),
        None => (inner, true),
    };
    let n_digits = inner.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let Some((before, digits)) = inner.split_at_checked(inner.len() - n_digits) else {
        return LineTail::Plain;
    };
    if digits.is_empty() || before.last() != Some(&b'{') {
        return LineTail::Plain;
    }
    match std::str::from_utf8(digits).ok().and_then(|it| it.parse().ok()) {
        Some(n_bytes) => LineTail::Literal(Announcement {
            n_bytes,
            is_synchronising,
            n_back: line.len() + 1 - before.len(),
        }),
        None => LineTail::Absurd,
    }
}

/// Collects what belongs together. Wiped, because commands hold passwords (VA-6).
#[derive(Default)]
pub(super) struct Frame {
    bytes: Zeroizing<Vec<u8>>,
    /// Where the line begins that is being read.
    line_start: usize,
    /// Octets of a literal that are still to come.
    literal_left: u64,
}

/// What [`Frame::take`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// All was taken, and more is needed.
    More,
    /// A line is complete, behind so many octets of the input.
    Line(usize),
    /// A line ended with LF alone.
    BareLineFeed,
}

impl Frame {
    /// Everything collected so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The line that was completed last, without its CRLF.
    pub(super) fn line(&self) -> &[u8] {
        let line = self.bytes.get(self.line_start..).unwrap_or_default();
        line.strip_suffix(b"\r\n").unwrap_or(line)
    }

    /// Takes up to the end of a line, or what a literal still lacks, and never a byte more: what follows STARTTLS is
    /// somebody else's. Gives how many octets it took.
    pub(super) fn take(&mut self, input: &[u8]) -> (usize, Taken) {
        if self.literal_left > 0 {
            let n_here = usize::try_from(self.literal_left).unwrap_or(usize::MAX).min(input.len());
            self.push(input.get(..n_here).unwrap_or_default());
            self.literal_left -= n_here as u64;
            if self.literal_left == 0 {
                self.line_start = self.bytes.len();
            }
            return (n_here, Taken::More);
        }
        match memchr::memchr(b'\n', input) {
            None => {
                self.push(input);
                (input.len(), Taken::More)
            }
            Some(at) => {
                self.push(input.get(..=at).unwrap_or_default());
                let is_whole = self.bytes.ends_with(b"\r\n") && self.bytes.len() >= self.line_start + 2;
                (at + 1, if is_whole { Taken::Line(at + 1) } else { Taken::BareLineFeed })
            }
        }
    }

    /// The announced literal follows and is kept.
    pub(super) fn expect_literal(&mut self, n_bytes: u64) {
        self.literal_left = n_bytes;
        self.line_start = self.bytes.len();
    }

    /// The announced literal is kept elsewhere: an empty string stands in its place.
    pub(super) fn cut_announcement(&mut self, announcement: Announcement) {
        let end = self.bytes.len().saturating_sub(2 + announcement.n_back);
        self.bytes.truncate(end);
        self.push(b"\"\"");
        self.line_start = self.bytes.len();
    }

    /// Begins the next command or response.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Grows without leaving copies of what may be a password behind.
    fn push(&mut self, bytes: &[u8]) {
        if self.bytes.capacity() - self.bytes.len() < bytes.len() {
            let mut larger = Vec::with_capacity((self.bytes.len() + bytes.len()).next_power_of_two());
            larger.extend_from_slice(&self.bytes);
            self.bytes.zeroize();
            *self.bytes = larger;
        }
        self.bytes.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_are_found_at_the_end_alone() {
        let literal = |n_bytes, is_synchronising| (n_bytes, is_synchronising);
        for (line, want) in [
            (&b"a LOGIN {5}"[..], Some(literal(5, true))),
            (b"a LOGIN {5+}", Some(literal(5, false))),
            (b"{0}", Some(literal(0, true))),
            (b"x ~{7}", Some(literal(7, true))),
            (b"{18446744073709551615}", Some(literal(u64::MAX, true))),
            (b"{}", None),
            (b"{+}", None),
            (b"5}", None),
            (b"{5} ", None),
            (b"{ 5}", None),
            (b"{-5}", None),
            (b"{5++}", None),
            (b"}", None),
            (b"", None),
        ] {
            let got = match tail(line) {
                LineTail::Literal(it) => Some((it.n_bytes, it.is_synchronising)),
                LineTail::Plain => None,
                LineTail::Absurd => panic!("{line:?}"),
            };
            assert_eq!(got, want, "{line:?}");
        }
        for absurd in [&b"a {18446744073709551616}"[..], b"a {99999999999999999999999+}"] {
            assert_eq!(tail(absurd), LineTail::Absurd);
        }
    }

    #[test]
    fn an_announcement_can_be_cut_out() {
        let mut frame = Frame::default();
        let (n_taken, taken) = frame.take(b"* 1 FETCH (BODY[] {10}\r\nrest");
        assert_eq!((n_taken, taken), (24, Taken::Line(24)));
        let LineTail::Literal(announced) = tail(frame.line()) else { panic!() };
        frame.cut_announcement(announced);
        assert_eq!(frame.bytes(), b"* 1 FETCH (BODY[] \"\"");
        assert_eq!(frame.take(b")\r\n"), (3, Taken::Line(3)));
        assert_eq!(frame.bytes(), b"* 1 FETCH (BODY[] \"\")\r\n");
    }
}
