//! Status responses: what a server says about itself and about a command (RFC 9051 §7.1).

use std::fmt;

use gatepost_core::printable;

/// One status response, kept byte for byte. Its text is hostile until it has been escaped (SC-12), and is never shown as our
/// own words: also not where the server says ALERT (MP-3).
#[derive(Clone, PartialEq, Eq)]
pub struct Status {
    /// The tag of the command that it answers; none for `*`.
    pub tag: Option<String>,
    /// What it says.
    pub kind: StatusKind,
    /// Its response code, if it has one.
    pub code: Option<Code>,
    /// The line as it came, without its CRLF.
    pub raw: Vec<u8>,
}

/// What a status response begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusKind {
    /// OK.
    Ok,
    /// NO: refused.
    No,
    /// BAD: not understood.
    Bad,
    /// BYE: the server closes.
    Bye,
    /// PREAUTH: a greeting of a server that takes us for signed in.
    PreAuth,
}

/// A response code (RFC 9051 §7.1, RFC 5530).
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    /// Its name in upper case, such as `AUTHENTICATIONFAILED`.
    pub name: String,
    /// What stands behind it, as it came.
    pub argument: Vec<u8>,
}

impl Status {
    /// Reads a line without its CRLF; none if it is no status response.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let (first, rest) = split_word(line);
        let (word, text) = split_word(rest);
        let tag = match first {
            b"*" => None,
            // RFC 9051 §9: astring-char without `+`.
            _ => Some(String::from_utf8(first.to_vec()).ok().filter(|it| {
                (1..=64).contains(&it.len())
                    && it.bytes().all(|b| b.is_ascii_graphic() && !b"(){%*\"\\+".contains(&b))
            })?),
        };
        let kind = match word.to_ascii_uppercase().as_slice() {
            b"OK" => StatusKind::Ok,
            b"NO" => StatusKind::No,
            b"BAD" => StatusKind::Bad,
            b"BYE" if tag.is_none() => StatusKind::Bye,
            b"PREAUTH" if tag.is_none() => StatusKind::PreAuth,
            _ => return None,
        };
        Some(Self { tag, kind, code: Code::parse(text), raw: line.to_vec() })
    }

    /// What stands behind the word; a response code is still in it.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        split_word(split_word(&self.raw).1).1
    }

    /// Whether it has the response code of this name, given in upper case.
    #[must_use]
    pub fn has_code(&self, name: &str) -> bool {
        self.code.as_ref().is_some_and(|it| it.name == name)
    }
}

impl Code {
    fn parse(text: &[u8]) -> Option<Self> {
        let inner = text.strip_prefix(b"[")?;
        let inner = inner.get(..memchr::memchr(b']', inner)?)?;
        let (name, argument) = split_word(inner);
        let is_name = (1..=64).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic);
        let name = String::from_utf8_lossy(name).to_ascii_uppercase();
        is_name.then(|| Self { name, argument: argument.to_vec() })
    }

    /// The argument as a figure.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        let text = std::str::from_utf8(&self.argument).ok()?;
        text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
    }
}

/// The first word, and what stands behind one space.
pub(super) fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', line).and_then(|at| line.split_at_checked(at)) {
        Some((word, rest)) => (word, rest.get(1..).unwrap_or_default()),
        None => (line, &[]),
    }
}

/// The line as it came, escaped, without its tag: for logs and terminals.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        printable(split_word(&self.raw).1).fmt(f)
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Status({self})")
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({} {})", printable(self.name.as_bytes()), printable(&self.argument))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tag, kind, code and text.
    type Cut<'a> = (Option<&'a str>, StatusKind, Option<&'a str>, &'a [u8]);

    #[track_caller]
    fn check(line: &[u8], want: Option<Cut<'_>>) {
        let got = Status::parse(line);
        let got = got.as_ref().map(|it| {
            (it.tag.as_deref(), it.kind, it.code.as_ref().map(|code| code.name.as_str()), it.text())
        });
        assert_eq!(got, want, "{line:?}");
    }

    #[test]
    fn real_statuses_are_cut_and_kept() {
        use StatusKind::{Bad, Bye, No, Ok, PreAuth};
        for (line, tag, kind, code, text) in [
            (&b"* OK Gimap ready for requests"[..], None, Ok, None, &b"Gimap ready for requests"[..]),
            (
                b"* OK [CAPABILITY IMAP4rev1 SASL-IR] hi",
                None,
                Ok,
                Some("CAPABILITY"),
                b"[CAPABILITY IMAP4rev1 SASL-IR] hi",
            ),
            (b"* PREAUTH come in", None, PreAuth, None, b"come in"),
            (b"* BYE", None, Bye, None, b""),
            (b"a1 ok", Some("a1"), Ok, None, b""),
            (
                b"a1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
                Some("a1"),
                No,
                Some("AUTHENTICATIONFAILED"),
                b"[AUTHENTICATIONFAILED] Invalid credentials (Failure)",
            ),
            (
                b"* NO [WEBALERT https://accounts.google.com/x?a=b] Web login required.",
                None,
                No,
                Some("WEBALERT"),
                b"[WEBALERT https://accounts.google.com/x?a=b] Web login required.",
            ),
            (b"A5 NO [ALERT] \xff\x1b[31m{5}", Some("A5"), No, Some("ALERT"), b"[ALERT] \xff\x1b[31m{5}"),
            (
                b"a1 BAD User is authenticated but not connected.",
                Some("a1"),
                Bad,
                None,
                b"User is authenticated but not connected.",
            ),
            (b"* OK [no end", None, Ok, None, b"[no end"),
        ] {
            check(line, Some((tag, kind, code, text)));
        }
        for line in [
            &b"* 5 EXISTS"[..],
            b"* CAPABILITY IMAP4rev1",
            b"+ OK",
            b"a1 BYE x",
            b"a1 PREAUTH x",
            b"OK",
            b"",
            b"220 OKAY",
            b"(a) OK x",
            b"+OK POP3 ready",
        ] {
            check(line, None);
        }
    }

    #[test]
    fn figures_of_codes_are_64_bits() {
        let number = |line: &[u8]| Status::parse(line).unwrap().code.unwrap().number();
        assert_eq!(number(b"* OK [UIDVALIDITY 1723] x"), Some(1723));
        assert_eq!(number(b"* OK [UIDNEXT 18446744073709551615]"), Some(u64::MAX));
        assert_eq!(number(b"* OK [UIDNEXT 18446744073709551616]"), None);
        assert_eq!(number(b"* OK [UIDNEXT -1]"), None);
        assert_eq!(number(b"* OK [UIDNEXT]"), None);
    }
}
