//! What a tester asks for, as JSON or by a form.

use std::time::{Duration, Instant};

use gatepost_core::EmailAddress;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultKind, FaultReply, Phase, Protocol};

/// The longest wait.
const MOST_MILLISECONDS: u64 = 600_000;

/// How long `slow` waits if nobody says.
const SLOW_MILLISECONDS: u64 = 1_000;

/// `{"door", "account", "fault", "phase", "recipient", "text", "milliseconds", "times"}`, only `fault` required.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultRequest {
    #[serde(default)]
    pub(crate) door: Option<String>,
    #[serde(default)]
    pub(crate) account: Option<String>,
    pub(crate) fault: String,
    #[serde(default)]
    pub(crate) phase: Option<String>,
    #[serde(default)]
    pub(crate) recipient: Option<String>,
    #[serde(default)]
    pub(crate) text: Option<String>,
    #[serde(default)]
    pub(crate) milliseconds: Option<u64>,
    #[serde(default)]
    pub(crate) times: Option<u32>,
}

/// A request that makes sense.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    /// From now on this.
    Set(Fault),
    /// No more of what has this account (all if none is named) and this phase (any if none is named).
    Clear { account: Option<EmailAddress>, phase: Option<Phase> },
}

/// Why a request makes no sense; a sentence for the tester.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FaultError {
    #[error(
        "The fault {0:?} is not known. Use one of none, refuse_sign_in, expire_tokens, reply, slow, cut."
    )]
    UnknownKind(String),
    #[error(
        "The phase {0:?} is not known. Use one of connect, starttls, auth, mail, rcpt, data, final, read."
    )]
    UnknownPhase(String),
    #[error("The door {0:?} is not known. Use one of smtp, imap, pop3, or leave it out for all.")]
    UnknownDoor(String),
    #[error("The door {0} has no phase {1}.")]
    NoSuchPhase(&'static str, &'static str),
    #[error("{0:?} is not an address. Write it as name@example.org.")]
    BadAddress(String),
    #[error("Nobody has signed in when a connection begins: leave the account out, or use another phase.")]
    AccountAtConnect,
    #[error("The fault {0} strikes at the phase auth: leave the phase out.")]
    OnlyAtAuth(&'static str),
    #[error("A recipient can be chosen at the phase rcpt only.")]
    RecipientElsewhere,
    #[error(
        "The text is not a reply. Begin each line with the same code from 200 to 599, for example: 421 4.7.0 Try again later."
    )]
    NotAReply,
    #[error("The text is not a POP3 reply. Write one line, for example: -ERR [SYS/TEMP] Try again later.")]
    NotAPop3Reply,
    #[error(
        "The text is not an IMAP response. Write one line without a tag, for example: NO [UNAVAILABLE] Try again later."
    )]
    NotAnImapResponse,
    #[error("Wait at most {MOST_MILLISECONDS} milliseconds.")]
    TooLong,
    #[error("A fault that strikes 0 times is none. Use 1 or more, or leave it out to keep it until cleared.")]
    NoTimes,
}

impl FaultRequest {
    pub(crate) fn check(self) -> Result<Order, FaultError> {
        let account = address(self.account)?;
        let phase = self.phase.map(phase).transpose()?;
        if self.fault == "none" {
            return Ok(Order::Clear { account, phase });
        }
        let kind = FaultKind::ALL.into_iter().find(|it| it.word() == self.fault);
        let kind = kind.ok_or(FaultError::UnknownKind(self.fault))?;
        let door = self.door.map(door).transpose()?;
        let phase = phase_of(kind, phase, door)?;
        if let Some(door) = door.filter(|it| !it.has(phase)) {
            return Err(FaultError::NoSuchPhase(door.word(), phase.word()));
        }
        if matches!(phase, Phase::Connect | Phase::StartTls) && account.is_some() {
            return Err(FaultError::AccountAtConnect);
        }
        let recipient = address(self.recipient)?;
        if recipient.is_some() && phase != Phase::Rcpt {
            return Err(FaultError::RecipientElsewhere);
        }
        let wait = self.milliseconds.unwrap_or(if kind == FaultKind::Slow { SLOW_MILLISECONDS } else { 0 });
        if wait > MOST_MILLISECONDS {
            return Err(FaultError::TooLong);
        }
        if self.times == Some(0) {
            return Err(FaultError::NoTimes);
        }
        let reply = match (self.text.as_deref().filter(|it| !it.is_empty()), door) {
            (Some(text), Some(Protocol::Pop3)) => {
                Some(FaultReply::parse_pop3(text).ok_or(FaultError::NotAPop3Reply)?)
            }
            (Some(text), Some(Protocol::Imap)) => {
                Some(FaultReply::parse_imap(text).ok_or(FaultError::NotAnImapResponse)?)
            }
            (Some(text), _) => Some(FaultReply::parse(text).ok_or(FaultError::NotAReply)?),
            (None, _) => default_text(kind).and_then(FaultReply::parse),
        };
        Ok(Order::Set(Fault {
            door,
            account,
            kind,
            phase,
            recipient,
            reply,
            wait: Duration::from_millis(wait),
            times: self.times,
            set_at: Instant::now(),
        }))
    }
}

/// Without a phase it is the end of the message, where most refusals of real providers come, and for who reads the beginning.
fn phase_of(kind: FaultKind, phase: Option<Phase>, door: Option<Protocol>) -> Result<Phase, FaultError> {
    match (kind.ends_sessions(), phase) {
        (true, None | Some(Phase::Auth)) => Ok(Phase::Auth),
        (true, Some(_)) => Err(FaultError::OnlyAtAuth(kind.word())),
        (false, Some(phase)) => Ok(phase),
        (false, None) if matches!(door, Some(Protocol::Imap | Protocol::Pop3)) => Ok(Phase::Read),
        (false, None) => Ok(Phase::Final),
    }
}

/// What is said where the tester does not say it.
const fn default_text(kind: FaultKind) -> Option<&'static str> {
    match kind {
        FaultKind::RefuseSignIn => {
            Some("535 5.7.8 Sign-in refused by the sandbox: the fault refuse_sign_in is on")
        }
        FaultKind::ExpireTokens => Some("535 5.7.8 The token has expired: the fault expire_tokens is on"),
        FaultKind::Reply => Some("451 4.3.0 The sandbox was asked to answer like this"),
        FaultKind::Slow | FaultKind::Cut => None,
    }
}

fn address(text: Option<String>) -> Result<Option<EmailAddress>, FaultError> {
    let Some(text) = text.filter(|it| !it.is_empty()) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| FaultError::BadAddress(text))
}

fn door(word: String) -> Result<Protocol, FaultError> {
    Protocol::ALL.into_iter().find(|it| it.word() == word).ok_or(FaultError::UnknownDoor(word))
}

fn phase(word: String) -> Result<Phase, FaultError> {
    Phase::ALL.into_iter().find(|it| it.word() == word).ok_or(FaultError::UnknownPhase(word))
}

/// As it was asked for, with what is left of `times`.
impl From<&Fault> for FaultRequest {
    fn from(fault: &Fault) -> Self {
        Self {
            door: fault.door.map(|it| it.word().to_owned()),
            account: fault.account.as_ref().map(ToString::to_string),
            fault: fault.kind.word().to_owned(),
            phase: Some(fault.phase.word().to_owned()),
            recipient: fault.recipient.as_ref().map(ToString::to_string),
            text: fault.reply.as_ref().map(FaultReply::to_text),
            milliseconds: (!fault.wait.is_zero())
                .then(|| u64::try_from(fault.wait.as_millis()).unwrap_or(u64::MAX)),
            times: fault.times,
        }
    }
}
