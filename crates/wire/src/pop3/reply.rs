//! Replies that we receive: their first line.

use std::fmt;

use gatepost_core::printable;

use super::REPLY_LINE;

/// One status line of a provider, kept byte for byte. Its text is hostile until it has been escaped (SC-12).
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// What it says.
    pub kind: ReplyKind,
    /// The response code (RFC 2449 §8, RFC 3206) in upper case and without its brackets, such as `SYS/TEMP`.
    pub code: Option<String>,
    /// The line as it came, without its end.
    pub raw: Vec<u8>,
}

/// What a reply begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyKind {
    /// `+OK`.
    Ok,
    /// `-ERR`.
    Error,
    /// `+ ` during AUTH: go on (RFC 5034 §4).
    Continue,
}

/// Why what came is not a reply. The connection cannot be used any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The line begins with neither of the three.
    #[error("the server's answer is not a POP3 reply")]
    NotAReply,
    /// A line that is longer than a reply or a line of a listing may be, or a listing that is.
    #[error("the server's reply is longer than any honest one")]
    TooLong,
    /// A figure of STAT, LIST or UIDL that is none, or a line that lacks one.
    #[error("the server's figures cannot be read")]
    BadFigure,
    /// A line of a multi-line reply ends with LF alone (RFC 1939 §3), so its end could be read in two ways.
    #[error("the server ends lines with LF alone")]
    BareLineFeed,
}

impl Reply {
    /// Reads a status line, without its end.
    pub fn parse(line: &[u8]) -> Result<Self, ReplyError> {
        if line.len() + 2 > REPLY_LINE {
            return Err(ReplyError::TooLong);
        }
        let word = line.split(|b| *b == b' ').next().unwrap_or_default();
        // RFC 1939 §3 has them in upper case; some servers do not.
        let kind = match word {
            b"+" => ReplyKind::Continue,
            _ if word.eq_ignore_ascii_case(b"+OK") => ReplyKind::Ok,
            _ if word.eq_ignore_ascii_case(b"-ERR") => ReplyKind::Error,
            _ => return Err(ReplyError::NotAReply),
        };
        let mut reply = Self { kind, code: None, raw: line.to_vec() };
        if kind != ReplyKind::Continue {
            reply.code = code(reply.text());
        }
        Ok(reply)
    }

    /// What stands behind the first word; a response code is still in it.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        let at = memchr::memchr(b' ', &self.raw).map_or(self.raw.len(), |at| at + 1);
        self.raw.get(at..).unwrap_or_default()
    }
}

/// RFC 2449 §8: levels of printable characters without brackets, separated by slashes, right behind the first word.
fn code(text: &[u8]) -> Option<String> {
    let inner = text.strip_prefix(b"[")?;
    let name = inner.get(..memchr::memchr(b']', inner)?)?;
    let is_name = !name.is_empty() && name.len() <= 64 && name.iter().all(u8::is_ascii_graphic);
    is_name.then(|| String::from_utf8_lossy(name).to_ascii_uppercase())
}

/// The line as it came, escaped: for logs and terminals.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        printable(&self.raw).fmt(f)
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &[u8], want: Result<(ReplyKind, Option<&str>, &[u8]), ReplyError>) {
        let got = Reply::parse(line);
        let got = got.as_ref().map(|it| (it.kind, it.code.as_deref(), it.text())).map_err(|it| *it);
        assert_eq!(got, want, "{line:?}");
    }

    #[test]
    fn real_replies_are_understood() {
        use ReplyKind::{Continue, Error, Ok as Fine};
        for (line, kind, code, text) in [
            (&b"+OK"[..], Fine, None, &b""[..]),
            (
                b"+OK Gpop ready for requests from 192.0.2.1",
                Fine,
                None,
                b"Gpop ready for requests from 192.0.2.1",
            ),
            (b"+ok ready <1@host>", Fine, None, b"ready <1@host>"),
            (b"+ ", Continue, None, b""),
            (b"+", Continue, None, b""),
            (b"+ eyJzdGF0dXMiOiI0MDAifQ==", Continue, None, b"eyJzdGF0dXMiOiI0MDAifQ=="),
            (
                b"-ERR [AUTH] Username and password not accepted.",
                Error,
                Some("AUTH"),
                b"[AUTH] Username and password not accepted.",
            ),
            (b"-ERR [sys/temp] later", Error, Some("SYS/TEMP"), b"[sys/temp] later"),
            (b"-ERR [IN-USE]", Error, Some("IN-USE"), b"[IN-USE]"),
            (b"-ERR [] x", Error, None, b"[] x"),
            (b"-ERR [no end", Error, None, b"[no end"),
            (b"-ERR [two words] x", Error, None, b"[two words] x"),
            (b"-ERR see [AUTH]", Error, None, b"see [AUTH]"),
        ] {
            check(line, Ok((kind, code, text)));
        }
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for line in [
            &b""[..],
            b" +OK",
            b"OK",
            b"+OKAY",
            b"-ERROR",
            b"220 mail ESMTP",
            b"* OK IMAP4rev1",
            b"\x15\x03\x03",
        ] {
            check(line, Err(ReplyError::NotAReply));
        }
        check(&[b'+'; REPLY_LINE], Err(ReplyError::TooLong));
    }

    #[test]
    fn a_reply_is_shown_escaped() {
        assert_eq!(Reply::parse(b"-ERR \x1b[31m\xff").unwrap().to_string(), "-ERR \\u{1b}[31m\\xff");
    }
}
