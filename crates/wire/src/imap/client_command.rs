//! Commands that Gatepost says as a client: each is one line, so that no server has to be asked for the rest of it.

use std::fmt::Write as _;

use gatepost_core::{SecretBytes, SecretText};

use super::NumberSet;
use crate::message::Sought;
use crate::sasl::base64;

/// One command of ours.
pub enum ClientCommand<'a> {
    /// What can the server do?
    Capability,
    /// Who we are (RFC 2971): name and version.
    Id(&'a str, &'a str),
    /// Turns on TLS.
    StartTls,
    /// Signs in by SASL; the initial response only where the server has SASL-IR (RFC 4959).
    Authenticate {
        /// The mechanism's name.
        mechanism: &'a str,
        /// The initial response, not yet encoded.
        initial: Option<SecretBytes>,
    },
    /// Signs in with a password.
    Login {
        /// Who.
        user_name: &'a str,
        /// The password.
        password: &'a SecretText,
    },
    /// Where folders begin (RFC 2342).
    Namespace,
    /// All folders.
    List,
    /// Opens a folder.
    Select(&'a str),
    /// Opens a folder, changing nothing.
    Examine(&'a str),
    /// Counts a folder without opening it.
    Status(&'a str),
    /// Finds a message.
    Find(&'a Sought),
    /// Reads of a message by unique ids.
    Fetch(NumberSet, Wanted),
    /// Adds flags by unique ids.
    AddFlags(NumberSet, &'a [&'a str]),
    /// Removes what is marked as deleted, of these alone (RFC 4315).
    UidExpunge(NumberSet),
    /// Removes all that is marked as deleted.
    Expunge,
    /// Waits for news (RFC 2177).
    Idle,
    /// Does nothing.
    Noop,
    /// Ends the session.
    Logout,
}

/// What is read of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Flags, date of arrival and size.
    Summary,
    /// The header, leaving the message unseen.
    Header,
    /// All of it, leaving the message unseen.
    Whole,
}

/// An argument that does not fit on one line: a control character, a letter beyond ASCII, or nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the argument cannot be said in one line")]
pub struct NotOneLine;

impl ClientCommand<'_> {
    /// Appends the command with its tag and CRLF. With AUTHENTICATE and LOGIN the buffer then holds a secret and must be
    /// wiped by its owner. On error nothing was appended.
    pub fn write_to(&self, tag: &str, out: &mut Vec<u8>) -> Result<(), NotOneLine> {
        let text = match self {
            Self::Authenticate { mechanism, initial } => {
                out.extend_from_slice(format!("{tag} AUTHENTICATE {mechanism}").as_bytes());
                match initial {
                    None => {}
                    // RFC 4959 §3: an empty initial response is one equals sign.
                    Some(response) if response.reveal().is_empty() => out.extend_from_slice(b" ="),
                    Some(response) => {
                        out.push(b' ');
                        out.extend_from_slice(base64::encode(response.reveal()).reveal().as_bytes());
                    }
                }
                out.extend_from_slice(b"\r\n");
                return Ok(());
            }
            Self::Login { user_name, password } => {
                let user_name = quoted(user_name)?;
                is_quotable(password.reveal()).then_some(()).ok_or(NotOneLine)?;
                out.reserve(tag.len() + user_name.len() + 2 * password.reveal().len() + 16);
                out.extend_from_slice(format!("{tag} LOGIN {user_name} \"").as_bytes());
                for byte in password.reveal().bytes() {
                    if matches!(byte, b'"' | b'\\') {
                        out.push(b'\\');
                    }
                    out.push(byte);
                }
                out.extend_from_slice(b"\"\r\n");
                return Ok(());
            }
            Self::Capability => "CAPABILITY".to_owned(),
            Self::Id(name, version) => {
                format!(r#"ID ("name" {} "version" {})"#, quoted(name)?, quoted(version)?)
            }
            Self::StartTls => "STARTTLS".to_owned(),
            Self::Namespace => "NAMESPACE".to_owned(),
            Self::List => r#"LIST "" "*""#.to_owned(),
            Self::Select(folder) => format!("SELECT {}", quoted(folder)?),
            Self::Examine(folder) => format!("EXAMINE {}", quoted(folder)?),
            Self::Status(folder) => {
                format!("STATUS {} (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)", quoted(folder)?)
            }
            Self::Find(sought) => {
                let by_id = format!("HEADER Message-ID {}", quoted(sought.id().as_str())?);
                match sought.word() {
                    None => format!("UID SEARCH {by_id}"),
                    Some(word) => format!("UID SEARCH OR {by_id} SUBJECT {}", quoted(word)?),
                }
            }
            Self::Fetch(set, wanted) => {
                let wanted = match wanted {
                    Wanted::Summary => "UID FLAGS INTERNALDATE RFC822.SIZE",
                    Wanted::Header => "UID BODY.PEEK[HEADER]",
                    Wanted::Whole => "UID BODY.PEEK[]",
                };
                format!("UID FETCH {set} ({wanted})")
            }
            Self::AddFlags(set, flags) => format!("UID STORE {set} +FLAGS.SILENT ({})", flags.join(" ")),
            Self::UidExpunge(set) => format!("UID EXPUNGE {set}"),
            Self::Expunge => "EXPUNGE".to_owned(),
            Self::Idle => "IDLE".to_owned(),
            Self::Noop => "NOOP".to_owned(),
            Self::Logout => "LOGOUT".to_owned(),
        };
        out.extend_from_slice(format!("{tag} {text}\r\n").as_bytes());
        Ok(())
    }
}

/// RFC 9051 §9: QUOTED-CHAR, without letters beyond ASCII, which only servers with UTF8=ACCEPT take.
fn is_quotable(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' '..=b'~'))
}

fn quoted(text: &str) -> Result<String, NotOneLine> {
    if !is_quotable(text) {
        return Err(NotOneLine);
    }
    let mut out = String::with_capacity(text.len() + 2);
    _ = write!(out, "\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""));
    Ok(out)
}
