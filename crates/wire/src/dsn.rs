//! Notices to the sender (RFC 3464): what became of a letter that could not be delivered, or that was handed on to a server
//! which gives no notices itself.
//!
//! A bounce returns the header of the letter and never its text (SC-10), because the text may be confidential and the
//! sender has it. Whatever a provider or a header holds, it stays inside its own line and its own part.

use std::fmt::Write as _;

use gatepost_core::{EmailAddress, Timestamp, printable};

use crate::fold::{push_field, push_paragraph};
use crate::message::WrittenMessage;
use crate::smtp::{EnhancedCode, EnvelopeId, OriginalRecipient};

/// What a bounce tells. [`Bounce::write`] makes the message.
#[derive(Clone, Copy, Debug)]
pub struct Bounce<'a> {
    /// Our own address, in the manner of `mailer-daemon@example.org`; the envelope's reverse path is null (RFC 3464 §2).
    pub from: &'a EmailAddress,
    /// The reverse path of the letter.
    pub to: &'a EmailAddress,
    /// Message-ID of the bounce, with its angle brackets.
    pub message_id: &'a str,
    /// Random, from [`gatepost_core::World`] (API-4): the header of the letter must not be able to hold the boundary.
    pub boundary: [u8; 16],
    /// When the bounce is made.
    pub at: Timestamp,
    /// Our host name.
    pub reporting_host: &'a str,
    /// When the letter was accepted.
    pub arrived_at: Timestamp,
    /// ENVID of the letter.
    pub envelope_id: Option<&'a EnvelopeId>,
    /// The recipients it is about, at least one.
    pub recipients: &'a [ReportedRecipient<'a>],
    /// The header of the letter without its empty line, CRLF only, as it was stored.
    pub header: &'a [u8],
}

/// What became of a recipient (RFC 3464 §2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The letter could not be delivered.
    Failed,
    /// It was handed on to a server that gives no notices of its own (RFC 3461 §5.2.6).
    Relayed,
}

/// One recipient and what became of it.
#[derive(Clone, Copy, Debug)]
pub struct ReportedRecipient<'a> {
    /// What became of it.
    pub action: Action,
    /// The recipient.
    pub recipient: &'a EmailAddress,
    /// ORCPT of the recipient.
    pub original: Option<&'a OriginalRecipient>,
    /// The provider's enhanced status code, or one of ours such as 4.4.7 (RFC 3463: delivery time expired).
    pub status: EnhancedCode,
    /// The provider's reply, byte for byte, if the provider said anything.
    pub reply: Option<&'a [u8]>,
    /// Cause and cure, in the reader's words.
    pub explanation: &'a str,
}

impl Action {
    const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Relayed => "relayed",
        }
    }
}

impl Bounce<'_> {
    /// Writes the message.
    #[must_use]
    pub fn write(&self) -> WrittenMessage {
        let people = self.for_people();
        let status = self.for_programs();
        let boundary = self.boundary.iter().fold("=_gatepost_".to_owned(), |mut text, byte| {
            _ = write!(text, "{byte:02x}");
            text
        });
        // RFC 6533 §4: with UTF-8 in them, the second and third part have types of their own.
        let is_utf8_status = !status.is_ascii();
        let (status_type, header_type) = (
            if is_utf8_status { "message/global-delivery-status" } else { "message/delivery-status" },
            if !self.header.is_ascii() && std::str::from_utf8(self.header).is_ok() {
                "message/global-headers"
            } else {
                "text/rfc822-headers"
            },
        );
        let mut bytes = self.top(&boundary).into_bytes();
        part(&mut bytes, &boundary, "text/plain; charset=utf-8", people.as_bytes());
        part(&mut bytes, &boundary, status_type, status.as_bytes());
        part(&mut bytes, &boundary, header_type, self.header);
        bytes.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        WrittenMessage {
            is_8bit: !bytes.is_ascii(),
            is_smtputf8: !self.from.is_ascii() || !self.to.is_ascii() || !self.subject().is_ascii(),
            bytes,
        }
    }

    /// The bounce's own header.
    fn top(&self, boundary: &str) -> String {
        let fields = [
            ("From", format!("Gatepost <{}>", self.from)),
            ("To", self.to.to_string()),
            ("Subject", self.subject()),
            ("Date", self.at.to_rfc5322()),
            ("Message-ID", self.message_id.to_owned()),
            // RFC 3834 §5: so that nobody answers it by machine.
            ("Auto-Submitted", "auto-replied".to_owned()),
            ("MIME-Version", "1.0".to_owned()),
            (
                "Content-Type",
                format!("multipart/report; report-type=delivery-status; boundary=\"{boundary}\""),
            ),
        ];
        let mut top = String::new();
        for (name, value) in fields {
            push_field(&mut top, name, &value);
        }
        top.push_str("\r\nThis is a message in several parts, in the form of RFC 3464.\r\n");
        top
    }

    fn subject(&self) -> String {
        let (words, about) = match self.of(Action::Failed).next() {
            Some(_) => ("Not delivered", Action::Failed),
            None => ("Handed on", Action::Relayed),
        };
        let first = self.of(about).next().map_or("", |it| it.recipient.as_str());
        match self.of(about).count() {
            0 | 1 => format!("{words}: {first}"),
            n => format!("{words}: {first} and {} more", n - 1),
        }
    }

    fn of(&self, action: Action) -> impl Iterator<Item = &ReportedRecipient<'_>> {
        self.recipients.iter().filter(move |it| it.action == action)
    }

    /// The part that people read.
    fn for_people(&self) -> String {
        let mut text = String::new();
        let letter = format!(
            "The letter that was handed to {} on {}",
            self.reporting_host,
            self.arrived_at.to_rfc5322()
        );
        if self.of(Action::Failed).next().is_some() {
            push_paragraph(&mut text, &format!("{letter} could not be delivered to:"));
        }
        for failure in self.of(Action::Failed) {
            push_paragraph(&mut text, failure.recipient.as_str());
            if let Some(reply) = failure.reply {
                push_paragraph(&mut text, &format!("The mail provider said: {}", one_line(reply)));
            }
            push_paragraph(&mut text, failure.explanation);
        }
        if self.of(Action::Relayed).next().is_some() {
            push_paragraph(
                &mut text,
                &format!("{letter} was handed on to a mail provider that gives no notices of delivery, for:"),
            );
        }
        for relayed in self.of(Action::Relayed) {
            push_paragraph(&mut text, relayed.recipient.as_str());
        }
        push_paragraph(
            &mut text,
            "Nothing else needs to be done: any other recipients of this letter are not affected. The header of the letter \
             is below.",
        );
        text
    }

    /// The part that programs read. RFC 3464 §2.2, §2.3.
    fn for_programs(&self) -> String {
        let mut text = String::new();
        if let Some(id) = self.envelope_id {
            push_field(&mut text, "Original-Envelope-Id", id.as_str());
        }
        push_field(&mut text, "Reporting-MTA", &format!("dns; {}", self.reporting_host));
        push_field(&mut text, "Arrival-Date", &self.arrived_at.to_rfc5322());
        for reported in self.recipients {
            let (class, subject, detail) = reported.status;
            text.push_str("\r\n");
            if let Some(original) = reported.original {
                push_field(
                    &mut text,
                    "Original-Recipient",
                    &format!("{}; {}", original.kind(), original.address()),
                );
            }
            // RFC 6533 §3: the type of an address beyond ASCII.
            let kind = if reported.recipient.is_ascii() { "rfc822" } else { "utf-8" };
            push_field(&mut text, "Final-Recipient", &format!("{kind}; {}", reported.recipient));
            push_field(&mut text, "Action", reported.action.word());
            push_field(&mut text, "Status", &format!("{class}.{subject}.{detail}"));
            if let Some(reply) = reported.reply {
                push_field(&mut text, "Diagnostic-Code", &format!("smtp; {}", one_line(reply)));
            }
        }
        text
    }
}

/// A reply as one line of visible characters: its own line ends become blanks, all else that could do harm is escaped.
fn one_line(reply: &[u8]) -> String {
    let lines: Vec<_> = reply.split(|b| *b == b'\n').map(|it| it.strip_suffix(b"\r").unwrap_or(it)).collect();
    printable(&lines.join(&b' ')).to_string()
}

fn part(bytes: &mut Vec<u8>, boundary: &str, content_type: &str, content: &[u8]) {
    let encoding = if content.is_ascii() { "7bit" } else { "8bit" };
    let head = format!(
        "\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    );
    bytes.extend_from_slice(head.as_bytes());
    bytes.extend_from_slice(content);
}

#[cfg(test)]
mod tests;
