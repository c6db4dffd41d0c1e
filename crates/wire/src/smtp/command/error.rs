//! Why a line is not a command, and what the client is told.

use gatepost_core::AddressError;

use crate::smtp::ServerReply;

/// Which of the two paths of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvelopeSide {
    /// MAIL FROM.
    ReversePath,
    /// RCPT TO.
    Recipient,
}

/// Why a line is not a command. All of them are the client's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Longer than [`crate::smtp::line_limit`] allows.
    #[error("the command line is too long")]
    LineTooLong,
    /// Ended with LF alone (RFC 5321 §2.3.8). The session's reader finds it, because a command is parsed without its end.
    #[error("the command line ends with LF alone")]
    BareLineFeed,
    /// A verb that is none; escaped, at most 40 characters.
    #[error("unknown command {0}")]
    Unknown(String),
    /// A verb of RFC 821 that nobody offers any more.
    #[error("the command is obsolete")]
    NotImplemented,
    /// SS-16.
    #[error("the command holds a control character")]
    ControlCharacter,
    /// The command needs an argument.
    #[error("the command lacks its argument")]
    MissingArgument,
    /// STARTTLS, DATA, RSET and QUIT take none.
    #[error("the command takes no argument")]
    UnexpectedArgument,
    /// The argument does not have the command's form.
    #[error("the argument does not have the form of this command")]
    BadArgument,
    /// `MAIL FROM:` or `RCPT TO:` without a path in angle brackets.
    #[error("the address does not stand in angle brackets")]
    NoPath(EnvelopeSide),
    /// The path is no address.
    #[error("the address is not valid")]
    BadAddress(EnvelopeSide, #[source] AddressError),
    /// An address beyond ASCII in MAIL without SMTPUTF8.
    #[error("the address needs SMTPUTF8")]
    NeedsSmtpUtf8(EnvelopeSide),
    /// A parameter that we do not know, or one that came twice.
    #[error("the parameter is not known here or came twice")]
    UnknownParameter(String),
    /// A known parameter with a value that it cannot have.
    #[error("the value of the parameter is not valid")]
    BadParameter(&'static str),
    /// The initial response of AUTH is not base64.
    #[error("the response is not base64")]
    NotBase64,
}

impl CommandError {
    /// What the client is told.
    #[must_use]
    pub fn reply(&self) -> ServerReply {
        let syntax = (5, 5, 4);
        match self {
            Self::LineTooLong => ServerReply::new(500, (5, 5, 2), "The command line is too long"),
            Self::BareLineFeed => ServerReply::new(500, (5, 5, 2), "End each line with CRLF"),
            Self::Unknown(_) => ServerReply::new(500, (5, 5, 1), "This command is not known here"),
            Self::NotImplemented => ServerReply::new(502, (5, 5, 1), "This command is not offered here"),
            Self::ControlCharacter => {
                ServerReply::new(501, (5, 5, 2), "The command holds a control character")
            }
            Self::MissingArgument => ServerReply::new(501, syntax, "This command needs an argument"),
            Self::UnexpectedArgument => ServerReply::new(501, syntax, "This command takes no argument"),
            Self::BadArgument => ServerReply::new(501, syntax, "The argument does not fit this command"),
            Self::NoPath(side) => {
                let text = match side {
                    EnvelopeSide::ReversePath => "Write MAIL FROM:<name@example.org>",
                    EnvelopeSide::Recipient => "Write RCPT TO:<name@example.org>",
                };
                ServerReply::new(501, (5, 5, 2), text)
            }
            Self::BadAddress(side, why) => bad_address(*side, *why),
            // RFC 6531 §3.5: 550 after MAIL, 553 after RCPT, with X.6.7.
            Self::NeedsSmtpUtf8(side) => {
                let code = match side {
                    EnvelopeSide::ReversePath => 550,
                    EnvelopeSide::Recipient => 553,
                };
                ServerReply::new(code, (5, 6, 7), "An address with letters beyond ASCII needs SMTPUTF8")
            }
            // RFC 5321 §4.1.1.11.
            Self::UnknownParameter(name) => {
                ServerReply::new(555, syntax, format!("Parameter {name} is not known here, or came twice"))
            }
            Self::BadParameter(name) => {
                ServerReply::new(501, syntax, format!("The value of {name} is not valid"))
            }
            // RFC 4954 §4.
            Self::NotBase64 => ServerReply::new(501, (5, 5, 2), "The response is not base64"),
        }
    }
}

/// RFC 3463 §3.2: X.1.3 is a bad recipient address, X.1.7 a bad sender's. RFC 5321 §4.2.3: 553 is for a name that is not
/// allowed, as one without a domain; we serve no domain that could be meant.
fn bad_address(side: EnvelopeSide, why: AddressError) -> ServerReply {
    let enhanced = match side {
        EnvelopeSide::ReversePath => (5, 1, 7),
        EnvelopeSide::Recipient => (5, 1, 3),
    };
    match why {
        AddressError::MissingAt => {
            ServerReply::new(553, enhanced, "Write the whole address, as in name@example.org")
        }
        AddressError::BadLocalPart => {
            ServerReply::new(501, enhanced, "The part before the @ is not a valid name")
        }
        AddressError::BadDomain => {
            ServerReply::new(501, enhanced, "The part after the @ is not a valid domain")
        }
        AddressError::TooLong => ServerReply::new(501, enhanced, "The address is too long"),
    }
}
