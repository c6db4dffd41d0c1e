//! The header block, found and cut into fields while the message streams by.

use std::borrow::Cow;
use std::ops::Range;

use crate::smtp::ServerReply;

/// The longest header, in octets (SS-17).
pub const HEADER_BYTES: usize = 256 * 1024;
/// The most fields of one header (SS-17).
pub const HEADER_FIELDS: usize = 1_000;

/// Collects the header of a message from pieces split anywhere.
#[derive(Debug, Default)]
pub struct HeaderScanner {
    block: HeaderBlock,
    /// Start of the line that is being read.
    line_start: usize,
    /// Lines that are complete.
    n_lines: usize,
}

/// How far [`HeaderScanner::push`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderProgress {
    /// All of the input belongs to the header, and more follows.
    More,
    /// The empty line has come; the body begins behind this many octets of the input.
    Complete {
        /// Octets of this input, the empty line included.
        consumed: usize,
    },
}

/// A whole header: its bytes without the empty line, and where its fields are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderBlock {
    bytes: Vec<u8>,
    fields: Vec<Place>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// All lines of the field, CRLFs included.
    all: Range<usize>,
    /// Where the name ends.
    colon: usize,
}

/// One field of a header.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    raw: &'a [u8],
    colon: usize,
}

/// Why a header is refused (SS-15, SS-17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// More octets than [`HEADER_BYTES`].
    #[error("the header is longer than {HEADER_BYTES} octets")]
    TooLong,
    /// More fields than [`HEADER_FIELDS`].
    #[error("the header has more than {HEADER_FIELDS} fields")]
    TooManyFields,
    /// A NUL.
    #[error("line {0} of the header holds a NUL")]
    Nul(usize),
    /// A CR or LF that stands alone.
    #[error("line {0} of the header holds a line end that is not CRLF")]
    BareLineEnd(usize),
    /// A line that is neither `name: value` nor the continuation of one. The number counts from 1.
    #[error("line {0} of the header is not a field")]
    NotAField(usize),
}

impl HeaderError {
    /// What the client is told.
    #[must_use]
    pub fn reply(self) -> ServerReply {
        match self {
            Self::TooLong => ServerReply::new(552, (5, 3, 4), "The header is longer than 256 KiB"),
            Self::TooManyFields => ServerReply::new(554, (5, 6, 0), "The header has more than 1000 fields"),
            Self::Nul(line) => {
                ServerReply::new(554, (5, 6, 0), format!("Line {line} of the header holds a NUL"))
            }
            Self::BareLineEnd(line) => {
                let text = format!("Line {line} of the header holds a line end that is not CRLF");
                ServerReply::new(550, (5, 5, 2), text)
            }
            Self::NotAField(line) => {
                let text = format!("Line {line} of the header is not a field such as \"Subject: Hello\"");
                ServerReply::new(554, (5, 6, 0), text)
            }
        }
    }
}

impl HeaderScanner {
    /// At the start of a message.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the message. Once complete or refused, of no more use but for [`HeaderScanner::finish`].
    pub fn push(&mut self, input: &[u8]) -> Result<HeaderProgress, HeaderError> {
        let mut n_taken = 0;
        while let Some(rest) = input.get(n_taken..).filter(|it| !it.is_empty()) {
            let end = memchr::memchr(b'\n', rest).map(|at| at + 1);
            let piece = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            // The empty line may still follow a block of the greatest length.
            if self.block.bytes.len() + piece.len() > HEADER_BYTES + 2 {
                return Err(HeaderError::TooLong);
            }
            self.block.bytes.extend_from_slice(piece);
            n_taken += piece.len();
            if end.is_some() && self.take_line()? {
                return Ok(HeaderProgress::Complete { consumed: n_taken });
            }
        }
        Ok(HeaderProgress::More)
    }

    /// Gives the header. A message without an empty line is all header; a last line without CRLF gets one.
    pub fn finish(mut self) -> Result<HeaderBlock, HeaderError> {
        if self.line_start < self.block.bytes.len() {
            self.block.bytes.extend_from_slice(b"\r\n");
            self.take_line()?;
        }
        Ok(self.block)
    }

    /// Looks at the line that has just been completed; `true` if it is the empty one.
    fn take_line(&mut self) -> Result<bool, HeaderError> {
        let all = self.line_start..self.block.bytes.len();
        self.n_lines += 1;
        let n_line = self.n_lines;
        let raw = self.block.bytes.get(all.clone()).unwrap_or_default();
        let line = raw.strip_suffix(b"\r\n").ok_or(HeaderError::BareLineEnd(n_line))?;
        if line.is_empty() {
            self.block.bytes.truncate(all.start);
            return Ok(true);
        }
        if all.end > HEADER_BYTES {
            return Err(HeaderError::TooLong);
        }
        match memchr::memchr2(0, b'\r', line).and_then(|at| line.get(at)) {
            Some(0) => return Err(HeaderError::Nul(n_line)),
            Some(_) => return Err(HeaderError::BareLineEnd(n_line)),
            None => {}
        }
        self.line_start = all.end;
        if matches!(line.first(), Some(b' ' | b'\t')) {
            // RFC 5322 §2.2.3: a line that begins with white space goes on with the field before it.
            let field = self.block.fields.last_mut().ok_or(HeaderError::NotAField(n_line))?;
            field.all.end = all.end;
            return Ok(false);
        }
        let colon = name_length(line).ok_or(HeaderError::NotAField(n_line))?;
        if self.block.fields.len() == HEADER_FIELDS {
            return Err(HeaderError::TooManyFields);
        }
        self.block.fields.push(Place { all, colon });
        Ok(false)
    }
}

/// RFC 5322 §2.2: a name is printable ASCII up to the colon. Space before the colon (§4.5) is refused: some readers would
/// see a field there that others do not.
fn name_length(line: &[u8]) -> Option<usize> {
    let colon = memchr::memchr(b':', line)?;
    let name = line.get(..colon)?;
    (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(colon)
}

impl HeaderBlock {
    /// Reads a header that is at hand as a whole.
    pub fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        let mut scanner = HeaderScanner::new();
        scanner.push(bytes)?;
        scanner.finish()
    }

    /// All fields with their line ends, as they came, without the empty line.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The fields in their order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        self.fields.iter().map(|place| Field {
            raw: self.bytes.get(place.all.clone()).unwrap_or_default(),
            colon: place.colon,
        })
    }

    /// The fields of this name, in any case.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Field<'a>> {
        self.fields().filter(move |it| it.is(name))
    }

    /// The header without the fields of these names, as submission stores it without Bcc (SS-15; RFC 5322 §3.6.3).
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Vec<u8> {
        let mut kept = Vec::with_capacity(self.bytes.len());
        for field in self.fields().filter(|field| !names.iter().any(|name| field.is(name))) {
            kept.extend_from_slice(field.raw);
        }
        kept
    }
}

impl<'a> Field<'a> {
    /// The name, in the case in which it came.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.raw.get(..self.colon).and_then(|it| std::str::from_utf8(it).ok()).unwrap_or_default()
    }

    /// Whether it has this name; case does not matter (RFC 5322 §1.2.2).
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }

    /// Its lines with their ends, as they came.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// What is behind the colon, still folded, without the last CRLF.
    #[must_use]
    pub fn raw_value(&self) -> &'a [u8] {
        let value = self.raw.get(self.colon + 1..).unwrap_or_default();
        value.strip_suffix(b"\r\n").unwrap_or(value)
    }

    /// The value on one line, without blanks around it. RFC 5322 §2.2.3: unfolding takes out each CRLF. It may hold bytes
    /// that are not UTF-8, because old applications write Latin-1.
    #[must_use]
    pub fn value(&self) -> Cow<'a, [u8]> {
        let value = self.raw_value().trim_ascii();
        if memchr::memchr(b'\n', value).is_none() {
            return Cow::Borrowed(value);
        }
        Cow::Owned(value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect())
    }
}

#[cfg(test)]
mod tests;
