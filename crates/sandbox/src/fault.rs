//! Faults on request: what a real provider does now and then, done when somebody asks for it.
//!
//! A fault strikes at one phase of a connection, for one account or for all, a number of times or until it is cleared. Faults
//! are in memory only: a sandbox that starts anew behaves.

mod request;
mod strike;

pub(crate) use request::{FaultRequest, Order};
pub(crate) use strike::{Faults, Occasion, Outcome};

use std::time::{Duration, Instant};

use gatepost_core::EmailAddress;
use gatepost_wire::smtp::{Reply, ReplyParser};
use gatepost_wire::{imap, pop3};

/// What goes wrong.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// At which door; `None` for all.
    pub(crate) door: Option<Protocol>,
    /// Whose connections; `None` for everybody's.
    pub(crate) account: Option<EmailAddress>,
    pub(crate) kind: FaultKind,
    pub(crate) phase: Phase,
    /// At [`Phase::Rcpt`]: only this recipient.
    pub(crate) recipient: Option<EmailAddress>,
    /// What is said, for kinds that say something.
    pub(crate) reply: Option<FaultReply>,
    /// How long it is waited before anything else.
    pub(crate) wait: Duration,
    /// How often it still strikes; `None` until it is cleared.
    pub(crate) times: Option<u32>,
    /// When it was asked for.
    pub(crate) set_at: Instant,
}

/// How it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// Every sign-in is refused, and open sessions end: the password was changed, the account was locked.
    RefuseSignIn,
    /// Tokens set before are not accepted any more, and open sessions end.
    ExpireTokens,
    /// A reply of the tester's choice.
    Reply,
    /// A wait.
    Slow,
    /// The connection is cut without a word.
    Cut,
}

/// A door for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Smtp,
    Imap,
    Pop3,
}

/// Where in a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Instead of the greeting. Nobody has signed in yet.
    Connect,
    /// Instead of the handshake (STARTTLS, STLS). Nobody has signed in yet.
    StartTls,
    /// When the credentials have come.
    Auth,
    Mail,
    Rcpt,
    /// Instead of "go ahead".
    Data,
    /// When letters are looked for (SELECT, STAT).
    Read,
    /// When the message has come. A cut or a wait here strikes after the message was kept: the sender cannot know.
    Final,
}

/// A reply, as it goes on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FaultReply {
    /// 0 in IMAP and POP3.
    pub(crate) code: u16,
    /// With its line ends.
    pub(crate) bytes: Vec<u8>,
}

impl Protocol {
    pub(crate) const ALL: [Self; 3] = [Self::Smtp, Self::Imap, Self::Pop3];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
        }
    }

    /// Whether there is such a moment at this door.
    pub(crate) const fn has(self, phase: Phase) -> bool {
        match phase {
            Phase::Connect | Phase::StartTls | Phase::Auth => true,
            Phase::Mail | Phase::Rcpt | Phase::Data | Phase::Final => matches!(self, Self::Smtp),
            Phase::Read => matches!(self, Self::Imap | Self::Pop3),
        }
    }
}

impl FaultKind {
    pub(crate) const ALL: [Self; 5] =
        [Self::RefuseSignIn, Self::ExpireTokens, Self::Reply, Self::Slow, Self::Cut];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::RefuseSignIn => "refuse_sign_in",
            Self::ExpireTokens => "expire_tokens",
            Self::Reply => "reply",
            Self::Slow => "slow",
            Self::Cut => "cut",
        }
    }

    /// Whether it ends sessions that are open when it is asked for.
    pub(crate) const fn ends_sessions(self) -> bool {
        matches!(self, Self::RefuseSignIn | Self::ExpireTokens)
    }
}

impl Phase {
    pub(crate) const ALL: [Self; 8] = [
        Self::Connect,
        Self::StartTls,
        Self::Auth,
        Self::Mail,
        Self::Rcpt,
        Self::Data,
        Self::Final,
        Self::Read,
    ];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::StartTls => "starttls",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Final => "final",
            Self::Read => "read",
        }
    }
}

impl FaultReply {
    /// Reads what a tester wrote for POP3: one line that begins with `+OK` or `-ERR` (RFC 1939 §3).
    pub(crate) fn parse_pop3(text: &str) -> Option<Self> {
        let line = text.trim_end();
        let is_reply = pop3::Reply::parse(line.as_bytes()).is_ok() && !line.starts_with("+ ");
        let is_one_line = !line.chars().any(char::is_control);
        (is_reply && is_one_line).then(|| Self { code: 0, bytes: format!("{line}\r\n").into_bytes() })
    }

    /// Reads what a tester wrote for IMAP: one line without a tag, that begins with `OK`, `NO`, `BAD` or `BYE`.
    pub(crate) fn parse_imap(text: &str) -> Option<Self> {
        let line = text.trim_end();
        let status = imap::Status::parse(format!("* {line}").as_bytes());
        let is_status = status.is_some_and(|it| it.kind != imap::StatusKind::PreAuth);
        let is_one_line = !line.chars().any(char::is_control);
        (is_status && is_one_line).then(|| Self { code: 0, bytes: format!("{line}\r\n").into_bytes() })
    }

    /// Whether it says that all is well, as IMAP has it.
    pub(crate) fn is_imap_ok(&self) -> bool {
        self.code == 0 && self.bytes.get(..3).is_some_and(|it| it.eq_ignore_ascii_case(b"OK "))
    }

    /// As IMAP says it to the command with this tag: what was written for SMTP loses its code and says no. BYE is said to nobody.
    pub(crate) fn to_imap(&self, tag: &str, response_code: Option<&str>) -> Vec<u8> {
        let text = self.to_text();
        if self.code == 0 {
            let is_bye = text.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("BYE "));
            // Where a greeting is awaited, the tag says so already.
            let line = if is_bye { format!("* {text}") } else { format!("{tag} {text}") };
            return format!("{line}\r\n").into_bytes();
        }
        let words = text.lines().last().and_then(|it| it.get(4..)).unwrap_or_default();
        let response_code = response_code.map(|it| format!("[{it}] ")).unwrap_or_default();
        let no = if tag.starts_with('*') { "" } else { " NO" };
        format!("{tag}{no} {response_code}{words}\r\n").into_bytes()
    }

    /// As POP3 says it: what was written for SMTP loses its code and says no.
    pub(crate) fn to_pop3(&self, response_code: Option<&str>) -> Vec<u8> {
        if self.code == 0 {
            return self.bytes.clone();
        }
        let text = self.to_text();
        let last = text.lines().last().unwrap_or_default();
        let words = last.get(4..).unwrap_or_default();
        let response_code = response_code.map(|it| format!("[{it}] ")).unwrap_or_default();
        format!("-ERR {response_code}{words}\r\n").into_bytes()
    }

    /// Reads what a tester wrote: one line or several, each with the code or without.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let code = text.get(..3)?;
        let lines: Vec<&str> = text.trim_end().lines().map(|line| without_code(line, code)).collect();
        let (last, before) = lines.split_last()?;
        let mut bytes = Vec::with_capacity(text.len() + lines.len() * 6);
        for line in before {
            bytes.extend_from_slice(format!("{code}-{line}\r\n").as_bytes());
        }
        bytes.extend_from_slice(format!("{code} {last}\r\n").as_bytes());
        // Whoever is tested must get a reply: the same parser that they use has the last word.
        let reply = parse_whole(&bytes)?;
        let has_control = lines.iter().any(|line| line.chars().any(char::is_control));
        (!has_control).then_some(Self { code: reply.code, bytes })
    }

    /// The text as a tester writes it.
    pub(crate) fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).replace("\r\n", "\n").trim_end().to_owned()
    }
}

fn without_code<'a>(line: &'a str, code: &str) -> &'a str {
    match line.strip_prefix(code) {
        Some("") => "",
        Some(rest) => rest.strip_prefix(['-', ' ']).unwrap_or(line),
        None => line,
    }
}

fn parse_whole(bytes: &[u8]) -> Option<Reply> {
    let mut parser = ReplyParser::new();
    let mut reply = None;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if reply.is_some() {
            return None;
        }
        reply = parser.push(line.strip_suffix(b"\r\n")?).ok()?;
    }
    reply
}

#[cfg(test)]
mod tests;
