//! Letters of plain text that Gatepost writes itself.
//!
//! Names and subjects may hold what a person or a stranger has typed. They stay inside their own field, paragraphs inside the
//! text (API-4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_core::{EmailAddress, Timestamp, printable};

use crate::fold::{push_field, push_paragraph};

/// The most octets that one encoded word can carry: RFC 2047 §2 allows it 75 characters in all.
const ENCODED_OCTETS: usize = 45;

/// A letter from one mailbox to one address. [`Letter::write`] makes the message.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// The author's name; may be empty.
    pub author: &'a str,
    /// The author's address.
    pub from: &'a EmailAddress,
    /// Whom it is shown as being for; others are recipients of the envelope alone.
    pub to: &'a EmailAddress,
    /// The subject.
    pub subject: &'a str,
    /// When it was written.
    pub at: Timestamp,
    /// Its Message-ID, with the angle brackets.
    pub message_id: &'a str,
    /// Its text. A line end in a paragraph begins a new line of it; every other control character is escaped.
    pub paragraphs: &'a [String],
}

/// A message ready to be stored and sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenMessage {
    /// The message, CRLF only.
    pub bytes: Vec<u8>,
    /// Whether MAIL needs BODY=8BITMIME.
    pub is_8bit: bool,
    /// Whether MAIL needs SMTPUTF8, because the header is not ASCII.
    pub is_smtputf8: bool,
}

impl Letter<'_> {
    /// Writes the message.
    #[must_use]
    pub fn write(&self) -> WrittenMessage {
        let mut text = String::new();
        for paragraph in self.paragraphs {
            let (before, last) = paragraph.rsplit_once('\n').unwrap_or(("", paragraph));
            for line in before.lines() {
                push_paragraph(&mut text, line);
                // Its empty line belongs behind the last line alone.
                text.truncate(text.len() - "\r\n".len());
            }
            push_paragraph(&mut text, last);
        }
        let encoding = if text.is_ascii() { "7bit" } else { "8bit" };
        let fields = [
            ("From", mailbox(self.author, self.from)),
            ("To", self.to.to_string()),
            ("Subject", unstructured(self.subject)),
            ("Date", self.at.to_rfc5322()),
            ("Message-ID", self.message_id.to_owned()),
            // RFC 3834 §5: so that nobody answers it by machine.
            ("Auto-Submitted", "auto-generated".to_owned()),
            ("MIME-Version", "1.0".to_owned()),
            ("Content-Type", "text/plain; charset=utf-8".to_owned()),
            ("Content-Transfer-Encoding", encoding.to_owned()),
        ];
        let mut message = String::new();
        for (name, value) in fields {
            push_field(&mut message, name, &value);
        }
        let is_smtputf8 = !message.is_ascii();
        message.push_str("\r\n");
        message.push_str(text.trim_end_matches("\r\n"));
        message.push_str("\r\n");
        WrittenMessage { is_8bit: !message.is_ascii(), is_smtputf8, bytes: message.into_bytes() }
    }
}

/// RFC 5322 §3.4 mailbox. A name is quoted whatever it holds, or encoded where it is not ASCII (RFC 2047 §5).
fn mailbox(name: &str, address: &EmailAddress) -> String {
    let name = printable(name.trim().as_bytes()).to_string();
    if name.is_empty() {
        return address.to_string();
    }
    if !name.is_ascii() {
        return format!("{} <{address}>", encoded_words(&name));
    }
    // RFC 5322 §3.2.4.
    let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{quoted}\" <{address}>")
}

/// What a field without a form of its own holds (RFC 5322 §2.2.1). `=?` is encoded too, or it would be read as an encoded word.
fn unstructured(text: &str) -> String {
    let text = printable(text.as_bytes()).to_string();
    if text.is_ascii() && !text.contains("=?") { text } else { encoded_words(&text) }
}

/// RFC 2047 §2, with whole characters in each word (§5), a blank between two; readers drop it.
fn encoded_words(text: &str) -> String {
    let mut pieces = vec![String::new()];
    for c in text.chars() {
        if let Some(piece) = pieces.last_mut().filter(|it| it.len() + c.len_utf8() <= ENCODED_OCTETS) {
            piece.push(c);
        } else {
            pieces.push(c.to_string());
        }
    }
    let words: Vec<_> = pieces.iter().map(|it| format!("=?utf-8?B?{}?=", STANDARD.encode(it))).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests;
