//! The Message-ID, by which a message is found again (RFC 5322 §3.6.4).

/// A message's id without its angle brackets: 1 to 500 visible characters of ASCII, no bracket, quote or backslash, so that
/// it can be asked for in any protocol as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// Takes it with or without its angle brackets.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('<').and_then(|it| it.strip_suffix('>')).unwrap_or(text);
        let fits = (1..=500).contains(&inner.len())
            && inner.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"' | b'\\'));
        fits.then(|| Self(inner.to_owned()))
    }

    /// The id without brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a header says that it is this message's. Reads any header, however broken: it comes from a provider, and the
    /// only question is whether the message is ours. Takes time linear in it.
    #[must_use]
    pub fn is_in(&self, header: &[u8]) -> bool {
        let mut lines = header.split(|b| *b == b'\n').peekable();
        while let Some(line) = lines.next() {
            if line.trim_ascii().is_empty() {
                return false;
            }
            let Some((name, value)) = memchr::memchr(b':', line).and_then(|at| line.split_at_checked(at))
            else {
                continue;
            };
            if !name.trim_ascii_end().eq_ignore_ascii_case(b"message-id") {
                continue;
            }
            let mut text = value.get(1..).unwrap_or_default().to_vec();
            // A long name may stand on a line of its own (RFC 5322 §2.2.3).
            while let Some(more) = lines.next_if(|it| matches!(it.first(), Some(b' ' | b'\t'))) {
                text.extend_from_slice(more);
            }
            let id = text.trim_ascii();
            let id = id.strip_prefix(b"<").and_then(|it| it.strip_suffix(b">")).unwrap_or(id);
            if id == self.0.as_bytes() {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_can_be_asked_for_in_any_protocol() {
        assert_eq!(MessageId::new("<a.1@x.test>").unwrap().as_str(), "a.1@x.test");
        assert_eq!(MessageId::new("a.1@x.test").unwrap().as_str(), "a.1@x.test");
        for bad in ["", "<>", "a b", "a\r\nb", "a\"b", "a\\b", "<<a>>", "\u{f6}@x", &"x".repeat(501)] {
            assert_eq!(MessageId::new(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_message_is_known_by_its_header_however_it_is_written() {
        let id = MessageId::new("a.1@x.test").unwrap();
        for (header, want) in [
            (&b"Message-ID: <a.1@x.test>\r\n"[..], true),
            (b"From: a\r\nmessage-id:<a.1@x.test>\r\n\r\n", true),
            (b"MESSAGE-ID:\r\n <a.1@x.test>\r\nTo: b\r\n", true),
            (b"Message-ID: <a.1@x.test>\nTo: b\n", true),
            (b"Message-Id: a.1@x.test", true),
            (b"\xff\0\r\nMessage-Id : <a.1@x.test>", true),
            (b"Message-ID: <b@x>\r\nMessage-ID: <a.1@x.test>\r\n", true),
            (b"Message-ID: <A.1@x.test>\r\n", false),
            (b"Message-ID: <a.1@x.test> x\r\n", false),
            (b"In-Reply-To: <a.1@x.test>\r\n", false),
            (b"Subject: x\r\n Message-ID: <a.1@x.test>\r\n", false),
            (b"Subject: x\r\n\r\nMessage-ID: <a.1@x.test>\r\n", false),
            (b"", false),
        ] {
            assert_eq!(id.is_in(header), want, "{}", String::from_utf8_lossy(header));
        }
    }
}
