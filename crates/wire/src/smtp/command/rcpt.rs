//! RCPT.

use std::fmt;

use gatepost_core::EmailAddress;

use super::error::{CommandError, EnvelopeSide};
use super::parameter::{set_once, split};
use super::path::{parse_address, split_path};
use crate::smtp::xtext;

/// `RCPT TO:<recipient>` with its parameters. Each may come once; one we do not know is refused.
///
/// One space behind the colon is taken, although RFC 5321 §3.3 forbids it: old scanners send it. `<Postmaster>` without a
/// domain (§4.1.1.3) is refused like every name without one: there is no domain here that could be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RcptCommand {
    /// Whom the message goes to. Beyond ASCII only in a transaction with SMTPUTF8: the session must check
    /// [`RcptCommand::needs_smtputf8`].
    pub recipient: EmailAddress,
    /// NOTIFY (RFC 3461 §4.1).
    pub notify: Option<Notify>,
    /// ORCPT (RFC 3461 §4.2).
    pub original_recipient: Option<OriginalRecipient>,
}

/// When the sender wants a notice about this recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notify {
    /// Not at all.
    Never,
    /// On these events, at least one of them.
    On(NotifyOn),
}

/// Events of a delivery that can be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotifyOn {
    /// It was delivered.
    pub success: bool,
    /// It failed.
    pub failure: bool,
    /// It takes longer.
    pub delay: bool,
}

/// The recipient as it was first written, before any forwarding: returned in notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalRecipient {
    kind: String,
    address: String,
}

impl OriginalRecipient {
    /// Reads the form of ORCPT, `type;escaped address`, as RCPT and our rows have it.
    #[must_use]
    pub fn from_orcpt(text: &str) -> Option<Self> {
        // RFC 3461 §4.2: at most 500 characters.
        let (kind, address) = text.split_once(';').filter(|_| text.len() <= 500)?;
        let is_atom = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let kind = kind.to_ascii_lowercase();
        let address = if kind == "utf-8" { xtext::decode_utf8(address) } else { xtext::decode(address) };
        address.filter(|it| is_atom && !it.is_empty()).map(|address| Self { kind, address })
    }

    /// The form of ORCPT.
    #[must_use]
    pub fn to_orcpt(&self) -> String {
        let escape = if self.kind == "utf-8" { xtext::encode_utf8 } else { xtext::encode };
        format!("{};{}", self.kind, escape(&self.address))
    }

    /// The type of address in lower case, nearly always `rfc822`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The address, without escapes and without control characters.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Notify {
    /// The form of NOTIFY, such as `FAILURE,DELAY`.
    #[must_use]
    pub fn to_value(self) -> String {
        let Self::On(on) = self else { return "NEVER".to_owned() };
        let words = [(on.success, "SUCCESS"), (on.failure, "FAILURE"), (on.delay, "DELAY")];
        let chosen: Vec<_> = words.into_iter().filter_map(|(is_on, word)| is_on.then_some(word)).collect();
        chosen.join(",")
    }

    /// Reads the form of NOTIFY. RFC 3461 §4.1: NEVER stands alone; each word once.
    #[must_use]
    pub fn from_value(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("NEVER") {
            return Some(Self::Never);
        }
        let mut on = NotifyOn::default();
        for word in text.split(',') {
            let event = match word.to_ascii_uppercase().as_str() {
                "SUCCESS" => &mut on.success,
                "FAILURE" => &mut on.failure,
                "DELAY" => &mut on.delay,
                _ => return None,
            };
            if std::mem::replace(event, true) {
                return None;
            }
        }
        Some(Self::On(on))
    }

    /// Whether a failure is to be told; without NOTIFY it is (RFC 3461 §4.1).
    #[must_use]
    pub const fn tells_failure(self) -> bool {
        matches!(self, Self::On(NotifyOn { failure: true, .. }))
    }
}

impl RcptCommand {
    /// Without parameters.
    #[must_use]
    pub fn new(recipient: EmailAddress) -> Self {
        Self { recipient, notify: None, original_recipient: None }
    }

    /// Whether MAIL must have had SMTPUTF8; if not, answer [`CommandError::NeedsSmtpUtf8`].
    #[must_use]
    pub fn needs_smtputf8(&self) -> bool {
        !self.recipient.is_ascii()
    }

    pub(super) fn parse(argument: &[u8]) -> Result<Self, CommandError> {
        let side = EnvelopeSide::Recipient;
        let (path, parameters) = split_path(argument, b"TO:", side)?;
        let mut rcpt = Self::new(parse_address(path, side)?);
        for parameter in split(parameters) {
            let (keyword, value) = parameter?;
            match keyword.as_str() {
                "NOTIFY" => set_once(&mut rcpt.notify, "NOTIFY", value.and_then(Notify::from_value))?,
                "ORCPT" => {
                    let value = value.and_then(OriginalRecipient::from_orcpt);
                    set_once(&mut rcpt.original_recipient, "ORCPT", value)?;
                }
                _ => return Err(CommandError::UnknownParameter(keyword.chars().take(40).collect())),
            }
        }
        Ok(rcpt)
    }
}

/// The command as a client sends it, without CRLF.
impl fmt::Display for RcptCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RCPT TO:<{}>", self.recipient)?;
        if let Some(notify) = self.notify {
            write!(f, " NOTIFY={}", notify.to_value())?;
        }
        match &self.original_recipient {
            None => Ok(()),
            Some(original) => write!(f, " ORCPT={}", original.to_orcpt()),
        }
    }
}
