//! What can go wrong with a provider, and whose fault it is.

use std::io;

use gatepost_core::{Phase, TlsMode, Trouble};
use gatepost_net::{CertificateProblem, DialError, HandshakeError, ReadError, StartTlsError, WriteError};
use gatepost_wire::sasl::SaslError;
use gatepost_wire::{imap, pop3, smtp};

use crate::answer::Answer;
use crate::channel::Garbled;
use crate::endpoint::Endpoint;

/// Why there is no session, or why it ended.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// No connection.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// An account without encryption, whose server's address the operator has not named.
    #[error(
        "{endpoint} is not spoken to without encryption: choose starttls or implicit, or name its address in allow_private_addresses"
    )]
    EncryptionRequired {
        /// The server.
        endpoint: Endpoint,
    },
    /// The server does not offer STARTTLS, or someone on the way has cut the offer out.
    #[error("{endpoint} does not offer STARTTLS, so nothing was sent to it")]
    StartTlsMissing {
        /// The server.
        endpoint: Endpoint,
    },
    /// Bytes came between the answer to STARTTLS and the handshake: someone on the way has put them there.
    #[error("{endpoint} sent unencrypted bytes behind its answer to STARTTLS, so nothing was sent to it")]
    BytesAfterStartTls {
        /// The server.
        endpoint: Endpoint,
    },
    /// The server takes us for signed in before we were (RFC 9051 §7.1.4), so that encryption could not begin any more.
    #[error("{endpoint} takes us for signed in from the start, so nothing was sent to it")]
    PreAuth {
        /// The server.
        endpoint: Endpoint,
    },
    /// No TLS.
    #[error("no encrypted connection to {endpoint}: {problem}")]
    Tls {
        /// The server.
        endpoint: Endpoint,
        /// What was wrong.
        problem: HandshakeError,
    },
    /// The server said no.
    #[error("the server refused: {reply}")]
    Refused {
        /// What it refused.
        phase: Phase,
        /// In its own words.
        reply: Answer,
    },
    /// The server said no to the credential.
    #[error("the server refused the sign-in: {reply}")]
    SignInRefused {
        /// In its own words.
        reply: Answer,
        /// What it said of a token beforehand: JSON, hostile, not escaped.
        about_token: Option<Vec<u8>>,
    },
    /// No way to sign in that both sides know.
    #[error("the server offers no way to sign in with this kind of credential (it offers: {})", offered.join(" "))]
    SignInMethodMissing {
        /// The names of what it offers.
        offered: Vec<String>,
    },
    /// What came is not the protocol, or longer than any honest reply.
    #[error("what the server says cannot be understood")]
    Protocol {
        /// When.
        phase: Phase,
        /// How.
        #[source]
        source: NotTheProtocol,
    },
    /// The server asked for something at sign-in that the mechanism does not have.
    #[error("the server's questions at sign-in cannot be answered")]
    Challenge(#[source] SaslError),
    /// Something that would have to be said cannot be said in this protocol, such as a name with a line end.
    #[error("a name or a password cannot be said to this server")]
    NotSayable,
    /// What was fetched could not be put where it was to go. The server has no part in it.
    #[error("the message could not be kept")]
    NotKept(#[source] io::Error),
    /// Nothing came, or nothing was taken, in time.
    #[error("the server did not answer in time")]
    TimedOut {
        /// When.
        phase: Phase,
    },
    /// The server closed the connection, or it was cut off.
    #[error("the server closed the connection")]
    Closed {
        /// When.
        phase: Phase,
    },
    /// The connection broke.
    #[error("the connection to the server broke")]
    Broken {
        /// When.
        phase: Phase,
        /// How.
        #[source]
        source: io::Error,
    },
}

/// How what came is not what the server should speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTheProtocol {
    /// No SMTP.
    #[error(transparent)]
    Smtp(#[from] smtp::ReplyError),
    /// No IMAP.
    #[error(transparent)]
    Imap(#[from] imap::ResponseError),
    /// The end of a command that was not given (RFC 9051 §2.2.2).
    #[error("the server answers a command that it was not given")]
    OtherCommand,
    /// The text of a message that was not asked for, or one text too many.
    #[error("the server sends another message than it was asked for")]
    OtherMessage,
    /// No POP3.
    #[error(transparent)]
    Pop3(#[from] pop3::ReplyError),
    /// A message with a line that no mail program writes, or larger than the caller takes.
    #[error("the message is larger than it may be")]
    MessageTooLarge,
}

/// What the diagnosis catalogue judges by. Retry, hold or fail is its word, not this room's.
#[derive(Clone, Copy, Debug)]
pub enum Evidence<'a> {
    /// The server said something.
    Reply(Phase, &'a Answer),
    /// It did not get so far.
    Trouble(Trouble),
}

impl UpstreamError {
    /// What it is judged by.
    #[must_use]
    pub fn evidence(&self) -> Evidence<'_> {
        Evidence::Trouble(match self {
            Self::Refused { phase, reply } => return Evidence::Reply(*phase, reply),
            Self::SignInRefused { reply, .. } => return Evidence::Reply(Phase::Auth, reply),
            Self::Dial(error) => dial_trouble(error),
            Self::EncryptionRequired { .. } => Trouble::AddressNotAllowed,
            Self::StartTlsMissing { .. } => Trouble::StartTlsMissing,
            Self::BytesAfterStartTls { .. } => Trouble::StartTlsTampered,
            Self::PreAuth { endpoint } if endpoint.tls == TlsMode::StartTls => Trouble::StartTlsTampered,
            Self::PreAuth { .. } => Trouble::NotAMailServer,
            Self::Tls { problem, .. } => tls_trouble(problem),
            Self::SignInMethodMissing { .. } | Self::NotSayable => Trouble::SignInMethodMissing,
            Self::Protocol { .. } | Self::Challenge(_) => Trouble::NotAMailServer,
            Self::NotKept(_) => Trouble::Interrupted,
            Self::TimedOut { .. } => Trouble::TimedOut,
            Self::Closed { .. } | Self::Broken { .. } => Trouble::ConnectionLost,
        })
    }

    /// When reading a reply failed.
    pub(crate) fn from_read(error: ReadError, phase: Phase, garbled: &Garbled) -> Self {
        match error {
            ReadError::TimedOut => Self::TimedOut { phase },
            ReadError::Closed | ReadError::Truncated => Self::Closed { phase },
            // The latter is told of clients alone.
            ReadError::LineTooLong { .. } | ReadError::BeganTls => {
                Self::Protocol { phase, source: garbled.too_long }
            }
            ReadError::BareLineFeed => Self::Protocol { phase, source: garbled.bare_line_feed },
            ReadError::Broken(source) => Self::Broken { phase, source },
        }
    }

    /// When writing failed.
    pub(crate) fn from_write(error: WriteError, phase: Phase) -> Self {
        match error {
            WriteError::TimedOut => Self::TimedOut { phase },
            WriteError::Broken(source) => Self::Broken { phase, source },
        }
    }

    /// When TLS did not begin.
    pub(crate) fn from_tls(error: StartTlsError, endpoint: &Endpoint) -> Self {
        let endpoint = endpoint.clone();
        match error {
            StartTlsError::BytesWaiting => Self::BytesAfterStartTls { endpoint },
            StartTlsError::AlreadyEncrypted => {
                Self::Tls { endpoint, problem: HandshakeError::Other(error.to_string()) }
            }
            StartTlsError::Handshake(problem) => Self::Tls { endpoint, problem },
        }
    }
}

fn dial_trouble(error: &DialError) -> Trouble {
    match error {
        DialError::NotFound { .. } => Trouble::NameNotFound,
        DialError::Lookup { .. } => Trouble::LookupFailed,
        DialError::Forbidden { .. } => Trouble::AddressNotAllowed,
        DialError::TimedOut { .. } => Trouble::TimedOut,
        DialError::Unreachable { source, .. } => match source.kind() {
            io::ErrorKind::ConnectionRefused => Trouble::ConnectionRefused,
            _ => Trouble::Unreachable,
        },
    }
}

fn tls_trouble(problem: &HandshakeError) -> Trouble {
    use CertificateProblem as P;
    match problem {
        HandshakeError::Certificate(problem) => match problem {
            P::Expired => Trouble::CertificateExpired,
            P::NotYetValid => Trouble::CertificateNotYetValid,
            P::WrongName { .. } => Trouble::CertificateWrongName,
            P::UnknownAuthority | P::SelfSigned => Trouble::CertificateUnknownAuthority,
            P::Revoked => Trouble::CertificateRevoked,
            P::WrongUsage | P::WeakSignature | P::BadSignature | P::Malformed | P::Other(_) => {
                Trouble::CertificateUnusable
            }
        },
        HandshakeError::TimedOut => Trouble::TimedOut,
        HandshakeError::Closed | HandshakeError::Broken(_) => Trouble::ConnectionLost,
        HandshakeError::NotTls
        | HandshakeError::NothingInCommon
        | HandshakeError::Alert(_)
        | HandshakeError::Other(_) => Trouble::TlsFailed,
    }
}
