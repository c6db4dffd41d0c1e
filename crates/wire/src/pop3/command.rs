//! Commands: read by the server, written by the client.

use gatepost_core::{SecretBytes, SecretText, printable};

use super::line_limit;
use crate::sasl::base64;

/// One command of a client.
pub enum Command {
    /// Who signs in, in the form that is older than AUTH.
    User(Argument),
    /// With which password. It is the whole rest of the line, spaces included (RFC 1939 §7).
    Pass(SecretText),
    /// Signs in (RFC 5034).
    Auth {
        /// The mechanism's name in upper case, known to us or not.
        mechanism: String,
        /// The initial response, decoded; empty for `=`.
        initial: Option<SecretBytes>,
    },
    /// Turns on TLS (RFC 2595 §4).
    Stls,
    /// Asks what the server can do (RFC 2449 §5).
    Capa,
    /// How many messages, and how large together.
    Stat,
    /// Size of one message or of each.
    List(Option<u64>),
    /// Unique id of one message or of each.
    Uidl(Option<u64>),
    /// A message.
    Retr(u64),
    /// The header of a message and so many lines of its body.
    Top {
        /// Which message.
        message: u64,
        /// Lines of the body.
        lines: u64,
    },
    /// Marks a message as deleted.
    Dele(u64),
    /// Takes all marks back.
    Rset,
    /// Does nothing.
    Noop,
    /// Deletes what is marked, and ends the session.
    Quit,
}

/// Text that fits on one line: not empty, no control character, no blank at its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument(String);

impl Argument {
    /// Takes it if it fits.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && text.trim_matches(' ') == text && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a line is not a command. All of them are the client's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Longer than [`line_limit`] allows.
    #[error("the command line is too long")]
    LineTooLong,
    /// Ended with LF alone. The session's reader finds it, because a command is parsed without its end.
    #[error("the command line ends with LF alone")]
    BareLineFeed,
    /// A verb that is none, or one that nobody should use any more; escaped, at most 40 characters.
    #[error("unknown command {0}")]
    Unknown(String),
    /// SS-16.
    #[error("the command holds a control character")]
    ControlCharacter,
    /// The command needs an argument, or one more.
    #[error("the command lacks its argument")]
    MissingArgument,
    /// The command takes none, or fewer.
    #[error("the command takes no such argument")]
    UnexpectedArgument,
    /// The argument does not have the command's form.
    #[error("the argument does not have the form of this command")]
    BadArgument,
    /// The initial response of AUTH is not base64.
    #[error("the response is not base64")]
    NotBase64,
}

impl Command {
    /// Reads one line, without its CRLF. Keywords are taken in any case (RFC 1939 §3).
    pub fn parse(line: &[u8]) -> Result<Self, CommandError> {
        if line.len() + 2 > line_limit(line) {
            return Err(CommandError::LineTooLong);
        }
        let (verb, argument) = match memchr::memchr(b' ', line).and_then(|at| line.split_at_checked(at)) {
            Some((verb, rest)) => (verb, rest.get(1..).unwrap_or_default()),
            None => (line, &[][..]),
        };
        let upper = verb.to_ascii_uppercase();
        // First, because a session counts these, and a TLS handshake or a web request is one of them.
        if !VERBS.contains(&upper.as_slice()) {
            return Err(CommandError::Unknown(printable(verb).to_string().chars().take(40).collect()));
        }
        if argument.iter().any(u8::is_ascii_control) {
            return Err(CommandError::ControlCharacter);
        }
        match upper.as_slice() {
            b"USER" => {
                let name =
                    std::str::from_utf8(argument.trim_ascii()).map_err(|_| CommandError::BadArgument)?;
                Argument::new(name).map(Self::User).ok_or(CommandError::MissingArgument)
            }
            b"PASS" if argument.is_empty() => Err(CommandError::MissingArgument),
            b"PASS" => SecretBytes::new(argument.to_vec())
                .into_text()
                .filter(|it| !it.reveal().chars().any(char::is_control))
                .map(Self::Pass)
                .ok_or(CommandError::BadArgument),
            b"AUTH" => parse_auth(argument),
            b"STLS" => numbers(argument, 0, 0).map(|_| Self::Stls),
            b"CAPA" => numbers(argument, 0, 0).map(|_| Self::Capa),
            b"STAT" => numbers(argument, 0, 0).map(|_| Self::Stat),
            b"RSET" => numbers(argument, 0, 0).map(|_| Self::Rset),
            b"NOOP" => numbers(argument, 0, 0).map(|_| Self::Noop),
            b"QUIT" => numbers(argument, 0, 0).map(|_| Self::Quit),
            b"LIST" => numbers(argument, 0, 1)?.message_or_all().map(Self::List),
            b"UIDL" => numbers(argument, 0, 1)?.message_or_all().map(Self::Uidl),
            b"RETR" => numbers(argument, 1, 1)?.message().map(Self::Retr),
            b"DELE" => numbers(argument, 1, 1)?.message().map(Self::Dele),
            _ => {
                let found = numbers(argument, 2, 2)?;
                Ok(Self::Top { message: found.message()?, lines: found.0[1].unwrap_or(0) })
            }
        }
    }

    /// Appends the command with its CRLF, as a client sends it. With [`Command::Pass`] and [`Command::Auth`] the buffer then
    /// holds a secret and must be wiped by its owner. A password with a control character is never written: see
    /// [`Command::is_writable`].
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let number = |verb: &str, number: &Option<u64>| match number {
            Some(it) => format!("{verb} {it}"),
            None => verb.to_owned(),
        };
        let text = match self {
            Self::User(name) => format!("USER {}", name.as_str()),
            Self::Pass(password) => {
                if self.is_writable() {
                    out.extend_from_slice(b"PASS ");
                    out.extend_from_slice(password.reveal().as_bytes());
                    out.extend_from_slice(b"\r\n");
                }
                return;
            }
            Self::Auth { mechanism, initial } => {
                out.extend_from_slice(b"AUTH ");
                out.extend_from_slice(mechanism.as_bytes());
                match initial {
                    None => {}
                    // RFC 5034 §4: an empty initial response is one equals sign.
                    Some(response) if response.reveal().is_empty() => out.extend_from_slice(b" ="),
                    Some(response) => {
                        out.push(b' ');
                        out.extend_from_slice(base64::encode(response.reveal()).reveal().as_bytes());
                    }
                }
                out.extend_from_slice(b"\r\n");
                return;
            }
            Self::Stls => "STLS".to_owned(),
            Self::Capa => "CAPA".to_owned(),
            Self::Stat => "STAT".to_owned(),
            Self::List(which) => number("LIST", which),
            Self::Uidl(which) => number("UIDL", which),
            Self::Retr(which) => format!("RETR {which}"),
            Self::Top { message, lines } => format!("TOP {message} {lines}"),
            Self::Dele(which) => format!("DELE {which}"),
            Self::Rset => "RSET".to_owned(),
            Self::Noop => "NOOP".to_owned(),
            Self::Quit => "QUIT".to_owned(),
        };
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(b"\r\n");
    }

    /// Whether the command can be said at all: no password with a line end could be, or it would be two commands.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        match self {
            Self::Pass(it) => !it.reveal().is_empty() && !it.reveal().chars().any(char::is_control),
            _ => true,
        }
    }
}

/// APOP is left out: a digest with MD5 that needs the password in the clear on the server.
const VERBS: [&[u8]; 14] = [
    b"USER", b"PASS", b"AUTH", b"STLS", b"CAPA", b"STAT", b"LIST", b"UIDL", b"RETR", b"TOP", b"DELE",
    b"RSET", b"NOOP", b"QUIT",
];

/// Up to two numbers.
struct Numbers([Option<u64>; 2]);

impl Numbers {
    /// RFC 1939 §2: messages are numbered from 1.
    fn message(&self) -> Result<u64, CommandError> {
        self.0[0].filter(|it| *it > 0).ok_or(CommandError::BadArgument)
    }

    fn message_or_all(&self) -> Result<Option<u64>, CommandError> {
        if self.0[0].is_none() { Ok(None) } else { self.message().map(Some) }
    }
}

fn numbers(argument: &[u8], at_least: usize, at_most: usize) -> Result<Numbers, CommandError> {
    let mut found = Numbers([None; 2]);
    let mut n_found = 0;
    for word in argument.split(|b| *b == b' ').filter(|it| !it.is_empty()) {
        if n_found >= at_most {
            return Err(CommandError::UnexpectedArgument);
        }
        let number = decimal(word).ok_or(CommandError::BadArgument)?;
        if let Some(slot) = found.0.get_mut(n_found) {
            *slot = Some(number);
        }
        n_found += 1;
    }
    if n_found < at_least { Err(CommandError::MissingArgument) } else { Ok(found) }
}

/// Digits alone, at most what 64 bits hold.
pub(super) fn decimal(word: &[u8]) -> Option<u64> {
    if word.is_empty() || !word.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// RFC 5034 §4: a mechanism, and perhaps an initial response in base64, where `=` is an empty one.
fn parse_auth(argument: &[u8]) -> Result<Command, CommandError> {
    let argument = argument.trim_ascii();
    let (name, response) = match memchr::memchr(b' ', argument).and_then(|at| argument.split_at_checked(at)) {
        Some((name, rest)) => (name, rest.trim_ascii()),
        None => (argument, &[][..]),
    };
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

#[cfg(test)]
mod tests;
