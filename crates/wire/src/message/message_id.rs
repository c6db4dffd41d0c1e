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
        any_value(header, b"message-id", |value| {
            let id = value.trim_ascii();
            id.strip_prefix(b"<").and_then(|it| it.strip_suffix(b">")).unwrap_or(id) == self.0.as_bytes()
        })
    }
}

/// A message that is looked for: by its id, and perhaps by a word in its subject, because some providers give what they send
/// an id of their own (Outlook.com does).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    id: MessageId,
    word: Option<String>,
}

impl Sought {
    /// By its id alone.
    #[must_use]
    pub const fn by_id(id: MessageId) -> Self {
        Self { id, word: None }
    }

    /// By its id or by a word of its subject: 8 to 64 letters and digits of ASCII, which no provider folds or encodes.
    #[must_use]
    pub fn by_id_or_word(id: MessageId, word: &str) -> Option<Self> {
        let fits = (8..=64).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| Self { id, word: Some(word.to_owned()) })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &MessageId {
        &self.id
    }

    /// The word in its subject.
    #[must_use]
    pub fn word(&self) -> Option<&str> {
        self.word.as_deref()
    }

    /// Whether a header is this message's, as [`MessageId::is_in`] reads it.
    #[must_use]
    pub fn is_in(&self, header: &[u8]) -> bool {
        let has_word =
            |value: &[u8]| self.word().is_some_and(|it| memchr::memmem::find(value, it.as_bytes()).is_some());
        self.id.is_in(header) || any_value(header, b"subject", has_word)
    }
}

/// Whether any field of this name (in lower case) has a value that `fits`; lines of a value are joined.
fn any_value(header: &[u8], wanted: &[u8], fits: impl Fn(&[u8]) -> bool) -> bool {
    let mut lines = header.split(|b| *b == b'\n').peekable();
    while let Some(line) = lines.next() {
        if line.trim_ascii().is_empty() {
            return false;
        }
        let Some((name, value)) = memchr::memchr(b':', line).and_then(|at| line.split_at_checked(at)) else {
            continue;
        };
        if !name.trim_ascii_end().eq_ignore_ascii_case(wanted) {
            continue;
        }
        let mut text = value.get(1..).unwrap_or_default().to_vec();
        // A long value may stand on lines of its own (RFC 5322 §2.2.3).
        while let Some(more) = lines.next_if(|it| matches!(it.first(), Some(b' ' | b'\t'))) {
            text.extend_from_slice(more);
        }
        if fits(&text) {
            return true;
        }
    }
    false
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

    #[test]
    fn a_message_whose_id_was_replaced_is_known_by_a_word_of_its_subject() {
        let id = MessageId::new("a.1@x.test").unwrap();
        let sought = Sought::by_id_or_word(id.clone(), "k7Gq2mZx").unwrap();
        for (header, want) in [
            (&b"Message-ID: <other@y>\r\nSubject: Gatepost test\r\n letter k7Gq2mZx\r\n"[..], true),
            (b"Message-ID: <a.1@x.test>\r\nSubject: x\r\n", true),
            (b"Message-ID: <other@y>\r\nSubject: x\r\nX-Subject: k7Gq2mZx\r\n", false),
            (b"Subject: x\r\n\r\nSubject: k7Gq2mZx\r\n", false),
        ] {
            assert_eq!(sought.is_in(header), want, "{}", String::from_utf8_lossy(header));
        }
        assert!(!Sought::by_id(id.clone()).is_in(b"Subject: k7Gq2mZx\r\n"));
        for bad in ["", "short", "two words", "with\"quote", "gr\u{fc}ngelb"] {
            assert_eq!(Sought::by_id_or_word(id.clone(), bad), None, "{bad:?}");
        }
    }
}
