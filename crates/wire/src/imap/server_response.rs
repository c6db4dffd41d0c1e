//! Responses that a server gives.

use std::fmt::Write as _;

use gatepost_core::{Timestamp, printable};

use super::{Capabilities, CommandError, Folder, Section, StatusItem, StatusKind};
use crate::sasl::SaslError;

/// One response of ours with its CRLF.
///
/// Text in it may quote what a peer sent: whatever it holds, the response stays one line of printable ASCII, so that nobody
/// can write a response of their own into ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerResponse(String);

/// Octets of free text.
const TEXT: usize = 500;

impl ServerResponse {
    /// A status response; untagged without a tag. `code` is a response code without its brackets, such as `TRYCREATE`.
    #[must_use]
    pub fn status(tag: Option<&str>, kind: StatusKind, code: Option<&str>, text: &str) -> Self {
        let word = match kind {
            StatusKind::Ok => "OK",
            StatusKind::No => "NO",
            StatusKind::Bad => "BAD",
            StatusKind::Bye => "BYE",
            StatusKind::PreAuth => "PREAUTH",
        };
        let mut line = format!("{} {word} ", tag.unwrap_or("*"));
        if let Some(code) = code {
            let safe = safe(code, 2_000).replace(']', "");
            _ = write!(line, "[{safe}] ");
        }
        // RFC 9051 §9: the text is not empty, and without a code it does not begin as one.
        let text = safe(text, TEXT);
        let text = if code.is_none() { text.trim_start_matches('[') } else { &text };
        line.push_str(if text.is_empty() { "-" } else { text });
        Self::line(line)
    }

    /// The greeting, with what the server can do.
    #[must_use]
    pub fn greeting(capabilities: &Capabilities, text: &str) -> Self {
        let code = format!("CAPABILITY {}", capabilities.to_words());
        Self::status(None, StatusKind::Ok, Some(&code), text)
    }

    /// Asks the client to go on; where it signs in, `text` is a challenge in base64.
    #[must_use]
    pub fn go_on(text: &str) -> Self {
        Self::line(format!("+ {}", safe(text, 2_000)))
    }

    /// The answer to something that is no command.
    #[must_use]
    pub fn for_command(tag: Option<&str>, error: CommandError) -> Self {
        let (kind, code, text) = match error {
            CommandError::TooLong => (StatusKind::Bye, None, "The command is too long"),
            // RFC 7888 §4: a server may close instead of reading on.
            CommandError::LiteralTooLarge => (StatusKind::Bye, Some("TOOBIG"), "The literal is too large"),
            CommandError::LiteralRefused => (StatusKind::No, Some("TOOBIG"), "The literal is too large"),
            CommandError::BareLineFeed => (StatusKind::Bye, None, "End each line with CRLF"),
            CommandError::NestedTooDeep => (StatusKind::Bad, None, "The command is nested too deep"),
            CommandError::NotACommand => {
                (StatusKind::Bad, None, "This command is not known here, or its arguments do not fit")
            }
        };
        Self::status(tag.filter(|_| kind != StatusKind::Bye), kind, code, text)
    }

    /// The answer to a sign-in that came to nothing.
    #[must_use]
    pub fn for_sasl(tag: &str, error: SaslError) -> Self {
        let (kind, code, text) = match error {
            SaslError::Cancelled => (StatusKind::Bad, None, "Sign-in cancelled"),
            SaslError::NotBase64 => (StatusKind::Bad, None, "The response is not base64"),
            SaslError::TooLong => (StatusKind::Bad, None, "The response is too long"),
            SaslError::Malformed | SaslError::UnexpectedChallenge => {
                (StatusKind::Bad, None, "The response does not have the form of its mechanism")
            }
            // AP-10: the same words as for a wrong password, because that is what it is.
            SaslError::Empty => (
                StatusKind::No,
                Some("AUTHENTICATIONFAILED"),
                "Sign-in refused: check user name and app password",
            ),
        };
        Self::status(Some(tag), kind, code, text)
    }

    /// What the server can do.
    #[must_use]
    pub fn capability(capabilities: &Capabilities) -> Self {
        Self::line(format!("* CAPABILITY {}", capabilities.to_words()))
    }

    /// What the server calls itself.
    #[must_use]
    pub fn id(name: &str, version: &str) -> Self {
        Self::line(format!(r#"* ID ("name" {} "version" {})"#, quoted(name), quoted(version)))
    }

    /// One personal namespace without a prefix.
    #[must_use]
    pub fn namespace(separator: char) -> Self {
        Self::line(format!(r#"* NAMESPACE (("" {})) NIL NIL"#, quoted(&separator.to_string())))
    }

    /// A folder, for LIST or LSUB.
    #[must_use]
    pub fn folder(folder: &Folder, is_lsub: bool) -> Self {
        let mut attributes = Vec::new();
        attributes.extend((!folder.is_selectable).then_some("\\Noselect"));
        attributes.extend(folder.special_use.map(|it| it.attribute()));
        let separator = folder.separator.map_or_else(|| "NIL".to_owned(), |it| quoted(&it.to_string()));
        let word = if is_lsub { "LSUB" } else { "LIST" };
        Self::line(format!("* {word} ({}) {separator} {}", attributes.join(" "), quoted(&folder.name)))
    }

    /// Figures of a folder.
    #[must_use]
    pub fn folder_status(name: &str, figures: &[(StatusItem, u32)]) -> Self {
        let figures: Vec<String> = figures
            .iter()
            .map(|(item, figure)| {
                let word = match item {
                    StatusItem::Messages => "MESSAGES",
                    StatusItem::Recent => "RECENT",
                    StatusItem::UidNext => "UIDNEXT",
                    StatusItem::UidValidity => "UIDVALIDITY",
                    StatusItem::Unseen => "UNSEEN",
                };
                format!("{word} {figure}")
            })
            .collect();
        Self::line(format!("* STATUS {} ({})", quoted(name), figures.join(" ")))
    }

    /// What SEARCH has found.
    #[must_use]
    pub fn search(numbers: &[u32]) -> Self {
        let mut line = "* SEARCH".to_owned();
        numbers.iter().for_each(|it| _ = write!(line, " {it}"));
        Self::line(line)
    }

    /// The flags of the open folder.
    #[must_use]
    pub fn flags(flags: &[&str]) -> Self {
        Self::line(format!("* FLAGS ({})", flag_list(flags)))
    }

    /// How many messages the open folder has.
    #[must_use]
    pub fn exists(n_messages: u32) -> Self {
        Self::line(format!("* {n_messages} EXISTS"))
    }

    /// How many of them nobody has seen arriving.
    #[must_use]
    pub fn recent(n_messages: u32) -> Self {
        Self::line(format!("* {n_messages} RECENT"))
    }

    /// A message is gone.
    #[must_use]
    pub fn expunge(number: u32) -> Self {
        Self::line(format!("* {number} EXPUNGE"))
    }

    fn line(mut text: String) -> Self {
        text.push_str("\r\n");
        Self(text)
    }

    /// The response as it goes on the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Writes data of one message piece by piece, so that its text can stream: what [`FetchWriter::take`] gives goes out, then
/// as many octets as were announced, then the rest.
#[derive(Debug)]
pub struct FetchWriter {
    out: String,
    has_items: bool,
}

impl FetchWriter {
    /// Begins the data of the message with this number.
    #[must_use]
    pub fn new(number: u32) -> Self {
        Self { out: format!("* {number} FETCH ("), has_items: false }
    }

    /// Its unique id.
    pub fn uid(&mut self, uid: u32) {
        self.item("UID", &uid.to_string());
    }

    /// Its flags.
    pub fn flags(&mut self, flags: &[&str]) {
        self.item("FLAGS", &format!("({})", flag_list(flags)));
    }

    /// When it arrived.
    pub fn arrived_at(&mut self, at: Timestamp) {
        self.item("INTERNALDATE", &format!("\"{}\"", date_time(at)));
    }

    /// Its size in octets.
    pub fn size(&mut self, n_bytes: u64) {
        self.item("RFC822.SIZE", &n_bytes.to_string());
    }

    /// An item whose value the caller has written as the grammar has it, such as ENVELOPE.
    pub fn item(&mut self, name: &str, value: &str) {
        if self.has_items {
            self.out.push(' ');
        }
        self.has_items = true;
        _ = write!(self.out, "{name} {value}");
    }

    /// Announces text of it: exactly so many octets follow. `from` is the first octet, where a part was asked for.
    pub fn text(&mut self, section: &Section, from: Option<u32>, n_bytes: u64) {
        let from = from.map(|it| format!("<{it}>")).unwrap_or_default();
        self.item(&format!("BODY[{section}]{from}"), &format!("{{{n_bytes}}}\r\n"));
    }

    /// Announces text of it under one of the names of RFC 1730.
    pub fn old_text(&mut self, name: &str, n_bytes: u64) {
        self.item(name, &format!("{{{n_bytes}}}\r\n"));
    }

    /// What is to be written before anything that was announced.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out).into_bytes()
    }

    /// The end.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.out.push_str(")\r\n");
        self.out.into_bytes()
    }
}

/// RFC 9051 §9, date-time: the day has two places.
fn date_time(at: Timestamp) -> String {
    // `Sat, 21 Nov 2026 12:00:00 +0000`, in UTC.
    let text = at.to_rfc5322();
    let mut words = text.split_ascii_whitespace().skip(1);
    let mut word = || words.next().unwrap_or_default();
    let (day, month, year, time) = (word(), word(), word(), word());
    format!("{day:>2}-{month}-{year} {time} +0000")
}

fn flag_list(flags: &[&str]) -> String {
    let is_flag = |it: &&&str| {
        let name = it.strip_prefix('\\').unwrap_or(it);
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && !b"(){%*\"\\]".contains(&b))
    };
    flags.iter().filter(is_flag).copied().collect::<Vec<_>>().join(" ")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", safe(text, 1_000).replace('\\', r"\\").replace('"', "\\\""))
}

/// As printable ASCII, cut to what fits.
fn safe(text: &str, at_most: usize) -> String {
    let mut out = String::new();
    for c in printable(text.as_bytes()).to_string().chars() {
        let room = at_most.saturating_sub(out.len());
        if c.is_ascii() && room > 0 {
            out.push(c);
        } else if room >= "\\u{10ffff}".len() {
            _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests;
