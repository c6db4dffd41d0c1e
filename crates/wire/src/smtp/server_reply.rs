//! Replies that we give.

use std::borrow::Cow;
use std::fmt::Write as _;

use gatepost_core::printable;

use super::EnhancedCode;

/// One reply of ours, of one line or several.
///
/// Its text may quote what a peer sent: whatever it holds, each line stays one line of printable ASCII of at most 512
/// octets (RFC 5321 §4.5.3.1.5), so that nobody can write a reply of their own into ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerReply {
    code: u16,
    enhanced: Option<EnhancedCode>,
    lines: Vec<Cow<'static, str>>,
}

/// Octets of text that fit behind `550 5.7.509 ` and before CRLF.
const TEXT: usize = 512 - 4 - 12 - 2;

impl ServerReply {
    /// A reply of one line with an enhanced status code (RFC 2034), which every reply but those to EHLO, to the connection,
    /// and those of the 3yz class has.
    ///
    /// `code` is 200 to 599, and its first digit is also the first of `enhanced`.
    #[must_use]
    pub fn new(code: u16, enhanced: EnhancedCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, enhanced: Some(enhanced), lines: vec![text.into()] }
    }

    /// A reply of one line without an enhanced status code: the greeting, EHLO, 334 and 354.
    #[must_use]
    pub fn plain(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, enhanced: None, lines: vec![text.into()] }
    }

    /// One more line, as EHLO has them.
    #[must_use]
    pub fn line(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.lines.push(text.into());
        self
    }

    /// The reply code, 200 to 599.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced status code, if it has one.
    #[must_use]
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        self.enhanced
    }

    /// The text of its first line, as it was given, not yet made safe.
    #[must_use]
    pub fn text(&self) -> &str {
        self.lines.first().map_or("", |it| it)
    }

    /// Appends the reply as it goes on the wire.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let mut text = String::new();
        for (nth, line) in self.lines.iter().enumerate() {
            // RFC 5321 §4.2.1: a hyphen says that more lines follow. The space stays even before an empty text, because
            // RFC 4954 §4 wants it behind 334.
            let mark = if nth + 1 < self.lines.len() { '-' } else { ' ' };
            _ = write!(text, "{:03}{mark}", self.code.min(999));
            if let Some((class, subject, detail)) = self.enhanced {
                // RFC 2034 §4: the code stands on every line.
                _ = write!(text, "{class}.{subject}.{detail} ");
            }
            push_safe(&mut text, line);
            text.push_str("\r\n");
        }
        out.extend_from_slice(text.as_bytes());
    }

    /// The reply as it goes on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_to(&mut out);
        out
    }
}

/// Appends `line` as printable ASCII, cut to what fits.
///
/// RFC 6531 §3.7.4: UTF-8 in a reply is only for clients that asked for it, so letters beyond ASCII are escaped too.
fn push_safe(text: &mut String, line: &str) {
    let start = text.len();
    for c in printable(line.as_bytes()).to_string().chars() {
        let room = TEXT.saturating_sub(text.len() - start);
        if c.is_ascii() && room > 0 {
            text.push(c);
        } else if room >= "\\u{10ffff}".len() {
            _ = write!(text, "\\u{{{:x}}}", u32::from(c));
        } else {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::smtp::ReplyParser;

    #[track_caller]
    fn check(reply: &ServerReply, want: &str) {
        assert_eq!(String::from_utf8(reply.to_bytes()).unwrap(), want);
    }

    #[test]
    fn replies_are_written_as_rfc_5321_has_them() {
        check(&ServerReply::new(250, (2, 1, 0), "OK"), "250 2.1.0 OK\r\n");
        check(&ServerReply::plain(334, ""), "334 \r\n");
        check(
            &ServerReply::plain(250, "mail.example").line("SIZE 1000").line("DSN"),
            "250-mail.example\r\n250-SIZE 1000\r\n250 DSN\r\n",
        );
        check(&ServerReply::new(550, (5, 7, 509), "a").line("b"), "550-5.7.509 a\r\n550 5.7.509 b\r\n");
    }

    #[test]
    fn a_quoted_line_end_cannot_start_a_reply_of_its_own() {
        let reply = ServerReply::new(550, (5, 7, 1), "x\r\n250 2.0.0 OK\u{7}\u{f6}".to_owned());
        check(&reply, "550 5.7.1 x\\u{d}\\u{a}250 2.0.0 OK\\u{7}\\u{f6}\r\n");
    }

    proptest! {
        #[test]
        fn every_reply_is_short_ascii_lines_that_parse_back(
            code in 200_u16..600,
            enhanced in proptest::option::of((prop_oneof![Just(2_u16), Just(4), Just(5)], 0_u16..1000, 0_u16..1000)),
            lines in proptest::collection::vec(any::<String>(), 1..5),
        ) {
            let mut reply = match enhanced {
                Some(it) => ServerReply::new(code, it, lines[0].clone()),
                None => ServerReply::plain(code, lines[0].clone()),
            };
            for line in &lines[1..] {
                reply = reply.line(line.clone());
            }
            let bytes = reply.to_bytes();
            let mut parser = ReplyParser::new();
            let mut parsed = Vec::new();
            for line in bytes.split_inclusive(|b| *b == b'\n') {
                prop_assert!(line.len() <= 512 && line.ends_with(b"\r\n"));
                let text = &line[..line.len() - 2];
                prop_assert!(text.iter().all(|b| matches!(b, b' '..=b'~')));
                parsed.extend(parser.push(text).unwrap());
            }
            prop_assert_eq!(parsed.len(), 1);
            prop_assert_eq!(parsed[0].code, code);
            prop_assert_eq!(parsed[0].lines().count(), lines.len());
            if enhanced.is_some() {
                prop_assert_eq!(parsed[0].enhanced, enhanced);
            }
        }
    }
}
