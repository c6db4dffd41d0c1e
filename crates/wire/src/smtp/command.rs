//! Commands: read by the server, written by the client.

mod error;
mod mail;
mod parameter;
mod path;
mod rcpt;
mod text;

use std::fmt;

use gatepost_core::{SecretBytes, printable};

use crate::sasl::base64;

pub use error::{CommandError, EnvelopeSide};
pub use mail::{BodyKind, DsnReturn, EnvelopeId, MailAuth, MailCommand};
pub use path::ReversePath;
pub use rcpt::{Notify, NotifyOn, OriginalRecipient, RcptCommand};
pub use text::ClientName;

use super::line_limit;
use text::argument_text;

/// One command of a client.
pub enum Command {
    /// EHLO with what the client calls itself.
    Ehlo(ClientName),
    /// HELO, from clients older than 1995.
    Helo(ClientName),
    /// Starts a transaction.
    Mail(MailCommand),
    /// Names one recipient.
    Rcpt(RcptCommand),
    /// The message follows, up to the dot.
    Data,
    /// That many octets of the message follow this line (RFC 3030).
    Bdat {
        /// Octets.
        size: u64,
        /// Whether the message ends with them.
        last: bool,
    },
    /// Drops the transaction.
    Rset,
    /// Does nothing; its argument is ignored.
    Noop,
    /// Ends the session.
    Quit,
    /// Turns on TLS (RFC 3207).
    StartTls,
    /// Signs in (RFC 4954).
    Auth {
        /// The mechanism's name in upper case, known to us or not.
        mechanism: String,
        /// The initial response, decoded; empty for `=`.
        initial: Option<SecretBytes>,
    },
    /// Asks whether a mailbox exists.
    Vrfy(String),
    /// Asks who is on a list.
    Expn(String),
    /// Asks for help, about one command or in general.
    Help(Option<String>),
}

impl Command {
    /// Reads one line, without its CRLF.
    ///
    /// Verbs and keywords are taken in any case (RFC 5321 §2.4), and blanks at the end of the line are ignored (§4.1.1).
    /// Everything else is as the grammar has it, with one exception for [`MailCommand`] and [`RcptCommand`].
    pub fn parse(line: &[u8]) -> Result<Self, CommandError> {
        if line.len() + 2 > line_limit(line) {
            return Err(CommandError::LineTooLong);
        }
        let (verb, argument) = split_verb(line);
        let upper = verb.to_ascii_uppercase();
        if !VERBS.contains(&upper.as_slice()) {
            // First, because a session counts these (SS-12), and a TLS handshake or a web request is one of them.
            let shown: String = printable(verb).to_string().chars().take(40).collect();
            return Err(CommandError::Unknown(shown));
        }
        // SS-16: no argument of any command may hold a control character; a tab is one.
        if argument.iter().any(u8::is_ascii_control) {
            return Err(CommandError::ControlCharacter);
        }
        match upper.as_slice() {
            b"EHLO" => ClientName::parse(argument).map(Self::Ehlo),
            b"HELO" => ClientName::parse(argument).map(Self::Helo),
            b"MAIL" => MailCommand::parse(argument).map(Self::Mail),
            b"RCPT" => RcptCommand::parse(argument).map(Self::Rcpt),
            b"DATA" => alone(argument, Self::Data),
            b"BDAT" => parse_bdat(argument),
            b"RSET" => alone(argument, Self::Rset),
            b"NOOP" => Ok(Self::Noop),
            b"QUIT" => alone(argument, Self::Quit),
            b"STARTTLS" => alone(argument, Self::StartTls),
            b"AUTH" => parse_auth(argument),
            b"VRFY" => argument_text(argument).map(Self::Vrfy).ok_or(CommandError::MissingArgument),
            b"EXPN" => argument_text(argument).map(Self::Expn).ok_or(CommandError::MissingArgument),
            b"HELP" => Ok(Self::Help(argument_text(argument))),
            _ => Err(CommandError::NotImplemented),
        }
    }

    /// Appends the command with its CRLF, as a client sends it. With [`Command::Auth`] the buffer then holds a secret and
    /// must be wiped by its owner.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ehlo(name) => push_words(out, &[b"EHLO", name.as_bytes()]),
            Self::Helo(name) => push_words(out, &[b"HELO", name.as_bytes()]),
            Self::Mail(mail) => push_words(out, &[mail.to_string().as_bytes()]),
            Self::Rcpt(rcpt) => push_words(out, &[rcpt.to_string().as_bytes()]),
            Self::Data => push_words(out, &[b"DATA"]),
            Self::Bdat { size, last: false } => push_words(out, &[b"BDAT", size.to_string().as_bytes()]),
            Self::Bdat { size, last: true } => {
                push_words(out, &[b"BDAT", size.to_string().as_bytes(), b"LAST"]);
            }
            Self::Rset => push_words(out, &[b"RSET"]),
            Self::Noop => push_words(out, &[b"NOOP"]),
            Self::Quit => push_words(out, &[b"QUIT"]),
            Self::StartTls => push_words(out, &[b"STARTTLS"]),
            Self::Auth { mechanism, initial: None } => push_words(out, &[b"AUTH", mechanism.as_bytes()]),
            Self::Auth { mechanism, initial: Some(response) } => {
                let encoded = base64::encode(response.reveal());
                let encoded = if encoded.reveal().is_empty() { "=" } else { encoded.reveal() };
                // One allocation at most, made before the secret is copied, so that no copy is left behind.
                out.reserve("AUTH  \r\n".len() + mechanism.len() + encoded.len());
                push_words(out, &[b"AUTH", mechanism.as_bytes(), encoded.as_bytes()]);
            }
            Self::Vrfy(name) => push_words(out, &[b"VRFY", name.as_bytes()]),
            Self::Expn(name) => push_words(out, &[b"EXPN", name.as_bytes()]),
            Self::Help(None) => push_words(out, &[b"HELP"]),
            Self::Help(Some(about)) => push_words(out, &[b"HELP", about.as_bytes()]),
        }
    }
}

/// As the client would write it, escaped; an initial response is left out.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Auth { mechanism, initial } = self {
            let shown = if initial.is_some() { " [secret]" } else { "" };
            return write!(f, "AUTH {}{shown}", printable(mechanism.as_bytes()));
        }
        let mut line = Vec::new();
        self.write_to(&mut line);
        printable(line.trim_ascii_end()).fmt(f)
    }
}

/// Every verb that gets an answer of its own. SEND, SOML, SAML and TURN are obsolete (RFC 5321 Appendix F).
const VERBS: [&[u8]; 18] = [
    b"EHLO",
    b"HELO",
    b"MAIL",
    b"RCPT",
    b"DATA",
    b"BDAT",
    b"RSET",
    b"NOOP",
    b"QUIT",
    b"STARTTLS",
    b"AUTH",
    b"VRFY",
    b"EXPN",
    b"HELP",
    b"SEND",
    b"SOML",
    b"SAML",
    b"TURN",
];

/// Whether a line begins as a web browser's request does. Then a web page is made to talk to us in somebody's name, and
/// the connection ends at once (SS-12; ALPACA).
#[must_use]
pub fn is_http_verb(line: &[u8]) -> bool {
    const HTTP: [&[u8]; 11] = [
        b"GET",
        b"HEAD",
        b"POST",
        b"PUT",
        b"DELETE",
        b"CONNECT",
        b"OPTIONS",
        b"TRACE",
        b"PATCH",
        b"PRI",
        b"PROPFIND",
    ];
    HTTP.contains(&split_verb(line).0.to_ascii_uppercase().as_slice())
}

/// The first word, and the rest behind one space without the blanks at its end.
fn split_verb(line: &[u8]) -> (&[u8], &[u8]) {
    let line = trim_end_blanks(line);
    match memchr::memchr(b' ', line).and_then(|at| line.split_at_checked(at)) {
        Some((verb, rest)) => (verb, rest.get(1..).unwrap_or_default()),
        None => (line, &[]),
    }
}

/// RFC 5321 §4.1.1: receivers should tolerate white space before the line end.
fn trim_end_blanks(line: &[u8]) -> &[u8] {
    let n_blanks = line.iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count();
    line.get(..line.len() - n_blanks).unwrap_or_default()
}

/// RFC 5321 §4.1.1.4, §4.1.1.5, §4.1.1.10 and RFC 3207 §4: these take no argument.
fn alone(argument: &[u8], command: Command) -> Result<Command, CommandError> {
    if argument.is_empty() { Ok(command) } else { Err(CommandError::UnexpectedArgument) }
}

/// RFC 3030 §2: `BDAT` size, and perhaps `LAST`.
fn parse_bdat(argument: &[u8]) -> Result<Command, CommandError> {
    let mut words = argument.split(|b| *b == b' ');
    let size = words.next().and_then(parameter::decimal).ok_or(CommandError::BadArgument)?;
    let last = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case(b"LAST") => true,
        Some(_) => return Err(CommandError::BadArgument),
    };
    if words.next().is_some() {
        return Err(CommandError::BadArgument);
    }
    Ok(Command::Bdat { size, last })
}

/// RFC 4954 §4: a mechanism, and perhaps an initial response in base64, where `=` is an empty one.
fn parse_auth(argument: &[u8]) -> Result<Command, CommandError> {
    let (name, response) = split_verb(argument);
    // RFC 4422 §3.1: upper-case letters, digits, hyphens, underscores, at most 20; clients write lower case too.
    let is_name = (1..=20).contains(&name.len())
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !is_name {
        return Err(if name.is_empty() { CommandError::MissingArgument } else { CommandError::BadArgument });
    }
    let initial = match response {
        b"" => None,
        b"=" => Some(SecretBytes::new(Vec::new())),
        text => Some(base64::decode(text).ok_or(CommandError::NotBase64)?),
    };
    Ok(Command::Auth { mechanism: String::from_utf8_lossy(name).to_ascii_uppercase(), initial })
}

fn push_words(out: &mut Vec<u8>, words: &[&[u8]]) {
    for (nth, word) in words.iter().enumerate() {
        if nth > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests;
