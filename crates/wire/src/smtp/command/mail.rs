//! MAIL.

use std::fmt;

use gatepost_core::EmailAddress;

use super::error::{CommandError, EnvelopeSide};
use super::parameter::{decimal, set_once, split};
use super::path::{ReversePath, parse_address, split_path};
use crate::smtp::xtext;

/// `MAIL FROM:<reverse path>` with its parameters. Each may come once; one we do not know is refused.
///
/// One space behind the colon is taken, although RFC 5321 §3.3 forbids it: old scanners send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailCommand {
    /// Whom a failure is reported to.
    pub reverse_path: ReversePath,
    /// SIZE (RFC 1870): octets, as the client estimates them; `u64::MAX` for any larger figure.
    pub size_bytes: Option<u64>,
    /// BODY (RFC 6152).
    pub body: Option<BodyKind>,
    /// SMTPUTF8 (RFC 6531): addresses and header may hold UTF-8.
    pub is_smtputf8: bool,
    /// RET (RFC 3461 §4.3).
    pub ret: Option<DsnReturn>,
    /// ENVID (RFC 3461 §4.4).
    pub envelope_id: Option<EnvelopeId>,
    /// AUTH (RFC 4954 §5).
    pub auth: Option<MailAuth>,
}

/// What octets the message has. BINARYMIME is not offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// ASCII.
    SevenBit,
    /// Any octet, still in lines.
    EightBitMime,
}

/// How much of the message a notice shall return. We return headers whatever is asked (SC-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DsnReturn {
    /// All of it.
    Full,
    /// The header.
    Headers,
}

/// The sender's own name for this message, returned in notices. Printable ASCII, at most 100 octets when escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeId(String);

/// Who first submitted the message, as the client says. Nothing is concluded from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailAuth {
    /// `<>`: not known.
    Unknown,
    /// An address. Written as `<>` if it is not ASCII.
    Mailbox(EmailAddress),
}

impl DsnReturn {
    /// `FULL` or `HDRS`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Headers => "HDRS",
        }
    }

    /// Reads [`DsnReturn::word`], in any case.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Full, Self::Headers].into_iter().find(|it| it.word().eq_ignore_ascii_case(word))
    }
}

impl EnvelopeId {
    /// Reads the escaped form, as MAIL and our rows have it.
    #[must_use]
    pub fn from_xtext(text: &str) -> Option<Self> {
        // RFC 3461 §4.4: at most 100 characters.
        (1..=100).contains(&text.len()).then(|| xtext::decode(text).map(Self))?
    }

    /// The escaped form.
    #[must_use]
    pub fn to_xtext(&self) -> String {
        xtext::encode(&self.0)
    }

    /// The plain form, as notices show it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl MailCommand {
    /// Without parameters.
    #[must_use]
    pub fn new(reverse_path: ReversePath) -> Self {
        Self {
            reverse_path,
            size_bytes: None,
            body: None,
            is_smtputf8: false,
            ret: None,
            envelope_id: None,
            auth: None,
        }
    }

    pub(super) fn parse(argument: &[u8]) -> Result<Self, CommandError> {
        let side = EnvelopeSide::ReversePath;
        let (path, parameters) = split_path(argument, b"FROM:", side)?;
        let mut mail = Self::new(match path {
            b"" => ReversePath::Null,
            address => ReversePath::Address(parse_address(address, side)?),
        });
        for parameter in split(parameters) {
            let (keyword, value) = parameter?;
            mail.set(&keyword, value)?;
        }
        if !mail.is_smtputf8 && mail.reverse_path.address().is_some_and(|it| !it.is_ascii()) {
            return Err(CommandError::NeedsSmtpUtf8(side));
        }
        Ok(mail)
    }

    fn set(&mut self, keyword: &str, value: Option<&str>) -> Result<(), CommandError> {
        match keyword {
            "SIZE" => set_once(&mut self.size_bytes, "SIZE", value.and_then(parse_size)),
            "BODY" => set_once(&mut self.body, "BODY", value.and_then(parse_body)),
            "RET" => set_once(&mut self.ret, "RET", value.and_then(DsnReturn::from_word)),
            "ENVID" => set_once(&mut self.envelope_id, "ENVID", value.and_then(EnvelopeId::from_xtext)),
            "AUTH" => set_once(&mut self.auth, "AUTH", value.and_then(parse_mail_auth)),
            "SMTPUTF8" if value.is_some() => Err(CommandError::BadParameter("SMTPUTF8")),
            "SMTPUTF8" if !self.is_smtputf8 => {
                self.is_smtputf8 = true;
                Ok(())
            }
            _ => Err(CommandError::UnknownParameter(keyword.chars().take(40).collect())),
        }
    }
}

/// RFC 1870 §6: up to 20 digits, which may be more than 64 bits hold; that is too large whatever the limit.
fn parse_size(digits: &str) -> Option<u64> {
    let is_number = (1..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| decimal(digits.as_bytes()).unwrap_or(u64::MAX))
}

fn parse_body(word: &str) -> Option<BodyKind> {
    [("7BIT", BodyKind::SevenBit), ("8BITMIME", BodyKind::EightBitMime)]
        .into_iter()
        .find_map(|(name, kind)| name.eq_ignore_ascii_case(word).then_some(kind))
}

/// RFC 4954 §5: `<>` or an escaped address. `xtext` carries ASCII only, so an address beyond it has no form here.
fn parse_mail_auth(text: &str) -> Option<MailAuth> {
    if text == "<>" {
        return Some(MailAuth::Unknown);
    }
    xtext::decode(text)?.parse().ok().map(MailAuth::Mailbox)
}

/// The command as a client sends it, without CRLF.
impl fmt::Display for MailCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MAIL FROM:<{}>", self.reverse_path)?;
        if let Some(octets) = self.size_bytes {
            write!(f, " SIZE={octets}")?;
        }
        match self.body {
            None => {}
            Some(BodyKind::SevenBit) => f.write_str(" BODY=7BIT")?,
            Some(BodyKind::EightBitMime) => f.write_str(" BODY=8BITMIME")?,
        }
        if self.is_smtputf8 {
            f.write_str(" SMTPUTF8")?;
        }
        if let Some(ret) = self.ret {
            write!(f, " RET={}", ret.word())?;
        }
        if let Some(id) = &self.envelope_id {
            write!(f, " ENVID={}", id.to_xtext())?;
        }
        match &self.auth {
            None => Ok(()),
            Some(MailAuth::Mailbox(it)) if it.is_ascii() => {
                write!(f, " AUTH={}", xtext::encode(it.as_str()))
            }
            Some(MailAuth::Mailbox(_) | MailAuth::Unknown) => f.write_str(" AUTH=<>"),
        }
    }
}
