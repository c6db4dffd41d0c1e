//! Replies that we receive.

use std::fmt;

use gatepost_core::printable;

use super::{EnhancedCode, REPLY_BYTES, REPLY_LINE, REPLY_LINES, enhanced};

/// One reply of a provider, kept byte for byte. Its text is hostile until it has been escaped (SC-12).
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The reply code, 200 to 599.
    pub code: u16,
    /// The enhanced status code of its first line, if it has one.
    pub enhanced: Option<EnhancedCode>,
    /// All lines as they came, joined by CRLF, without the last CRLF.
    pub raw: Vec<u8>,
}

/// The first digit of a reply code. RFC 5321 §4.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyClass {
    /// 2yz: done.
    Completed,
    /// 3yz: go on.
    Intermediate,
    /// 4yz: not now.
    Transient,
    /// 5yz: not at all.
    Permanent,
}

/// Why what came is not a reply. The connection cannot be used any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The line does not begin with three digits from 200 to 599 and then a space, a hyphen or its end.
    #[error("the server's answer is not an SMTP reply")]
    NotAReply,
    /// RFC 5321 §4.2.1: each line of a reply has the same code.
    #[error("the lines of the server's reply have different codes")]
    CodesDiffer,
    /// SC-6.
    #[error(
        "the server's reply is longer than {REPLY_LINE} octets a line, {REPLY_LINES} lines or {REPLY_BYTES} octets"
    )]
    TooLong,
}

impl Reply {
    /// What the first digit says.
    #[must_use]
    pub fn class(&self) -> ReplyClass {
        match self.code {
            0..=299 => ReplyClass::Completed,
            300..=399 => ReplyClass::Intermediate,
            400..=499 => ReplyClass::Transient,
            500.. => ReplyClass::Permanent,
        }
    }

    /// The texts behind the reply code, line by line; an enhanced status code is still in them.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = Some(self.raw.as_slice());
        std::iter::from_fn(move || {
            let here = rest?;
            let (line, tail) = match memchr::memmem::find(here, b"\r\n") {
                Some(end) => (here.get(..end)?, here.get(end + 2..)),
                None => (here, None),
            };
            rest = tail;
            Some(line.get(4..).unwrap_or_default())
        })
    }

    /// All lines as one, `CODE ENHANCED text text …`, for matching: providers break sentences anywhere and repeat the codes
    /// on each line. Bytes that are not UTF-8 become U+FFFD. Not yet escaped.
    #[must_use]
    pub fn text_joined(&self) -> String {
        let mut joined = format!("{:03}", self.code);
        if let Some((class, subject, detail)) = self.enhanced {
            joined.push_str(&format!(" {class}.{subject}.{detail}"));
        }
        for line in self.lines() {
            let text = match enhanced::split(line) {
                Some((code, text)) if Some(code) == self.enhanced => text,
                _ => line,
            };
            let text = String::from_utf8_lossy(text);
            if !text.trim().is_empty() {
                joined.push(' ');
                joined.push_str(text.trim());
            }
        }
        joined
    }
}

/// The reply as it came, escaped, lines separated by ` / `: for logs and terminals.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, line) in self.lines().enumerate() {
            if nth == 0 {
                write!(f, "{:03} {}", self.code, printable(line))?;
            } else {
                write!(f, " / {}", printable(line))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({self})")
    }
}

/// Puts lines together to replies. One for each connection; of no use after an error.
#[derive(Debug, Default)]
pub struct ReplyParser {
    code: Option<u16>,
    raw: Vec<u8>,
    n_lines: usize,
}

impl ReplyParser {
    /// A parser at the start of a reply.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one line without its CRLF; gives the reply when this was its last line.
    pub fn push(&mut self, line: &[u8]) -> Result<Option<Reply>, ReplyError> {
        self.n_lines += 1;
        if line.len() + 2 > REPLY_LINE
            || self.n_lines > REPLY_LINES
            || self.raw.len() + line.len() + 2 > REPLY_BYTES
        {
            return Err(ReplyError::TooLong);
        }
        let (code, is_last) = split_code(line).ok_or(ReplyError::NotAReply)?;
        match self.code {
            None => self.code = Some(code),
            Some(first) if first == code => self.raw.extend_from_slice(b"\r\n"),
            Some(_) => return Err(ReplyError::CodesDiffer),
        }
        self.raw.extend_from_slice(line);
        if !is_last {
            return Ok(None);
        }
        let mut reply = Reply { code, enhanced: None, raw: std::mem::take(self).raw };
        let found = reply.lines().next().and_then(enhanced::split).map(|(code, _)| code);
        reply.enhanced = found;
        Ok(Some(reply))
    }
}

/// The code of a line, and whether it is the last of its reply. RFC 5321 §4.2: clients must also take a code alone.
fn split_code(line: &[u8]) -> Option<(u16, bool)> {
    let (digits, rest) = line.split_first_chunk::<3>()?;
    let valid = matches!(digits[0], b'2'..=b'5') && digits.iter().all(u8::is_ascii_digit);
    let code = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit.wrapping_sub(b'0')));
    match rest.first() {
        None | Some(b' ') if valid => Some((code, true)),
        Some(b'-') if valid => Some((code, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
