//! Replies that we give: their first line.

use std::borrow::Cow;
use std::fmt::Write as _;

use gatepost_core::printable;

use super::{CommandError, REPLY_LINE};
use crate::sasl::SaslError;

/// Response codes that say why something was refused (RFC 2449 §8.1, RFC 3206 §4).
pub mod code {
    /// The credential was wrong; nothing else was.
    pub const AUTH: &str = "AUTH";
    /// Another session has the mailbox.
    pub const IN_USE: &str = "IN-USE";
    /// Signed in again too soon.
    pub const LOGIN_DELAY: &str = "LOGIN-DELAY";
    /// Trouble that passes by itself.
    pub const SYS_TEMP: &str = "SYS/TEMP";
    /// Trouble that somebody has to mend.
    pub const SYS_PERM: &str = "SYS/PERM";
}

/// One first line of ours.
///
/// Its text may quote what a peer sent: whatever it holds, it stays one line of printable ASCII of at most 512 octets
/// (RFC 2449 §4), so that nobody can write a reply of their own into ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerReply {
    start: &'static str,
    code: Option<&'static str>,
    text: Cow<'static, str>,
}

/// Octets of a line without its CRLF.
const TEXT: usize = 510;

impl ServerReply {
    /// `+OK`, also before a listing or a message.
    #[must_use]
    pub fn ok(text: impl Into<Cow<'static, str>>) -> Self {
        Self { start: "+OK", code: None, text: text.into() }
    }

    /// `-ERR` for what says nothing about mailbox or credential.
    #[must_use]
    pub fn error(text: impl Into<Cow<'static, str>>) -> Self {
        Self { start: "-ERR", code: None, text: text.into() }
    }

    /// `-ERR` with one of the words of [`code`].
    #[must_use]
    pub fn refusal(code: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self { start: "-ERR", code: Some(code), text: text.into() }
    }

    /// Asks the client to go on with AUTH; `challenge` is base64 already.
    #[must_use]
    pub fn challenge(challenge: String) -> Self {
        Self { start: "+", code: None, text: challenge.into() }
    }

    /// What a client is told whose line is no command.
    #[must_use]
    pub fn for_command(error: &CommandError) -> Self {
        Self::error(match error {
            CommandError::LineTooLong => "The command line is too long",
            CommandError::BareLineFeed => "End each line with CRLF",
            CommandError::Unknown(_) => "This command is not known here",
            CommandError::ControlCharacter => "The command holds a control character",
            CommandError::MissingArgument => "This command needs an argument",
            CommandError::UnexpectedArgument => "This command takes no such argument",
            CommandError::BadArgument => "The argument does not fit this command",
            CommandError::NotBase64 => "The response is not base64",
        })
    }

    /// What a client is told whose sign-in came to nothing.
    #[must_use]
    pub fn for_sasl(error: SaslError) -> Self {
        match error {
            SaslError::Cancelled => Self::error("Sign-in cancelled"),
            SaslError::NotBase64 => Self::error("The response is not base64"),
            SaslError::TooLong => Self::error("The response is too long"),
            SaslError::Malformed | SaslError::UnexpectedChallenge => {
                Self::error("The response does not have the form of its mechanism")
            }
            // AP-10: the same words as for a wrong password, because that is what it is.
            SaslError::Empty => {
                Self::refusal(code::AUTH, "Sign-in refused: check user name and app password")
            }
        }
    }

    /// Appends the line as it goes on the wire.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        // A challenge may be longer than 510 octets; it is ours and base64.
        let most = if self.start == "+" { REPLY_LINE - 2 } else { TEXT };
        let mut line = self.start.to_owned();
        if let Some(code) = self.code {
            _ = write!(line, " [{code}]");
        }
        // RFC 5034 §4: the space stays even before an empty challenge. `+OK` alone is fine (RFC 1939 §3).
        if self.start == "+" || !self.text.is_empty() {
            line.push(' ');
        }
        for c in printable(self.text.as_bytes()).to_string().chars() {
            let room = most.saturating_sub(line.len());
            if c.is_ascii() && room > 0 {
                line.push(c);
            } else if room >= "\\u{10ffff}".len() {
                _ = write!(line, "\\u{{{:x}}}", u32::from(c));
            } else {
                break;
            }
        }
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\r\n");
    }

    /// The line as it goes on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_to(&mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pop3::{Reply, ReplyKind};

    #[test]
    fn replies_are_written_as_rfc_1939_and_2449_have_them() {
        for (reply, want) in [
            (ServerReply::ok("2 320"), "+OK 2 320\r\n"),
            (ServerReply::ok(""), "+OK\r\n"),
            (ServerReply::error("No such message"), "-ERR No such message\r\n"),
            (ServerReply::refusal(code::SYS_TEMP, "Later"), "-ERR [SYS/TEMP] Later\r\n"),
            (ServerReply::challenge(String::new()), "+ \r\n"),
            (ServerReply::ok("a\r\n-ERR b\u{f6}"), "+OK a\\u{d}\\u{a}-ERR b\\u{f6}\r\n"),
        ] {
            assert_eq!(String::from_utf8(reply.to_bytes()).unwrap(), want);
        }
    }

    proptest! {
        #[test]
        fn every_reply_is_one_short_line_that_parses_back(text: String, has_code: bool) {
            let reply = if has_code { ServerReply::refusal(code::AUTH, text) } else { ServerReply::ok(text) };
            let bytes = reply.to_bytes();
            prop_assert!(bytes.len() <= 512);
            let line = bytes.strip_suffix(b"\r\n").unwrap();
            prop_assert!(line.iter().all(|b| matches!(b, b' '..=b'~')));
            let parsed = Reply::parse(line).unwrap();
            prop_assert_eq!(parsed.kind, if has_code { ReplyKind::Error } else { ReplyKind::Ok });
            if has_code {
                prop_assert_eq!(parsed.code.as_deref(), Some("AUTH"));
            }
        }
    }
}
