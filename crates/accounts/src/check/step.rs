//! The steps of a check, and how each can go.

use std::fmt;
use std::str::FromStr;

use gatepost_core::{Diagnosis, Phase, Timestamp, TlsMode};
use gatepost_net::DialError;
use gatepost_upstream::{Milestone, UpstreamError};

use super::Proof;
use crate::status::Direction;

/// One thing that has to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The server's name has an address, and it may be dialled.
    Resolve,
    /// Somebody answers there.
    Connect,
    /// It speaks the protocol.
    Greet,
    /// Encryption, with a certificate for the server's name.
    Encrypt,
    /// The provider takes user name and password, or token.
    SignIn,
    /// It takes a letter from the mailbox to itself (sending only).
    MaySend,
    /// It lets the mailbox be read: a sign-in alone does not prove that (reading only).
    Open,
    /// The letter has come, and can be found (reading only).
    Arrival,
}

impl Step {
    const ALL: [Self; 8] = [
        Self::Resolve,
        Self::Connect,
        Self::Greet,
        Self::Encrypt,
        Self::SignIn,
        Self::MaySend,
        Self::Open,
        Self::Arrival,
    ];

    /// Those of a direction, in the order in which they happen.
    pub(super) fn all(mode: TlsMode, direction: Direction, proof: &Proof) -> Vec<Self> {
        use Step::{Arrival, Connect, Encrypt, Greet, MaySend, Open, Resolve, SignIn};
        let mut all = match mode {
            TlsMode::Implicit => vec![Resolve, Connect, Encrypt, Greet, SignIn],
            TlsMode::StartTls => vec![Resolve, Connect, Greet, Encrypt, SignIn],
            TlsMode::None => vec![Resolve, Connect, Greet, SignIn],
        };
        all.extend_from_slice(match (direction, proof) {
            (Direction::Sending, Proof::SignIn) => &[],
            (Direction::Sending, Proof::Letter { .. }) => &[MaySend],
            (Direction::Reading, Proof::SignIn) => &[Open],
            (Direction::Reading, Proof::Letter { .. }) => &[Open, Arrival],
        });
        all
    }

    /// The word used in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Greet => "greet",
            Self::Encrypt => "encrypt",
            Self::SignIn => "sign_in",
            Self::MaySend => "may_send",
            Self::Open => "open",
            Self::Arrival => "arrival",
        }
    }

    /// The step that is over with a milestone.
    pub(super) const fn at(milestone: Milestone) -> Self {
        match milestone {
            Milestone::Connected => Self::Connect,
            Milestone::Greeted => Self::Greet,
            Milestone::Encrypted => Self::Encrypt,
        }
    }

    /// The step at which it ended.
    pub(super) fn of(failure: &UpstreamError) -> Self {
        match failure {
            UpstreamError::Dial(
                DialError::NotFound { .. } | DialError::Lookup { .. } | DialError::Forbidden { .. },
            ) => Self::Resolve,
            UpstreamError::Dial(DialError::Unreachable { .. } | DialError::TimedOut { .. })
            | UpstreamError::EncryptionRequired { .. } => Self::Connect,
            UpstreamError::StartTlsMissing { .. }
            | UpstreamError::BytesAfterStartTls { .. }
            | UpstreamError::Tls { .. } => Self::Encrypt,
            UpstreamError::SignInRefused { .. }
            | UpstreamError::SignInMethodMissing { .. }
            | UpstreamError::Challenge(_)
            | UpstreamError::NotSayable
            | UpstreamError::NotKept(_) => Self::SignIn,
            UpstreamError::PreAuth { .. } => Self::Greet,
            UpstreamError::Refused { phase, .. }
            | UpstreamError::Protocol { phase, .. }
            | UpstreamError::TimedOut { phase }
            | UpstreamError::Closed { phase }
            | UpstreamError::Broken { phase, .. } => match phase {
                Phase::Greeting | Phase::Hello => Self::Greet,
                Phase::StartTls => Self::Encrypt,
                Phase::Mailbox => Self::Open,
                Phase::Mail | Phase::Recipient | Phase::Data | Phase::Message => Self::MaySend,
                Phase::Auth | Phase::Upkeep => Self::SignIn,
            },
        }
    }
}

impl FromStr for Step {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|it| it.word() == text).ok_or(())
    }
}

/// In words, as the beginning of a line that ends in a tick or a cross.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "find the server's address",
            Self::Connect => "connect to the server",
            Self::Greet => "be greeted by the server",
            Self::Encrypt => "encrypt the connection",
            Self::SignIn => "sign in",
            Self::MaySend => "send a letter from the mailbox to itself",
            Self::Open => "open the mailbox",
            Self::Arrival => "find the letter",
        })
    }
}

/// How a step went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A tick.
    Passed,
    /// A tick, and something to know: the letter lay among junk.
    PassedInJunk,
    /// Neither tick nor cross: the mailbox can be read, and the letter was not there in time.
    NotSeen {
        /// Whether a copy of it lies among sent mail.
        in_sent: bool,
    },
    /// A cross.
    Failed {
        /// Cause and cure.
        diagnosis: Box<Diagnosis>,
        /// The provider's own words, raw and hostile.
        reply: Option<Vec<u8>>,
    },
    /// Neither: the server does not want to be signed in to again before (LOGIN-DELAY, RFC 2449 §6.5). What was known of the
    /// account stays.
    Waits {
        /// When it may be looked at again.
        until: Timestamp,
    },
    /// An earlier one failed, or waits.
    NotReached,
}

impl Outcome {
    /// Whether it worked.
    #[must_use]
    pub const fn is_tick(&self) -> bool {
        matches!(self, Self::Passed | Self::PassedInJunk)
    }

    /// The word used in JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::PassedInJunk => "passed_in_junk",
            Self::NotSeen { .. } => "not_seen",
            Self::Failed { .. } => "failed",
            Self::Waits { .. } => "waits",
            Self::NotReached => "not_reached",
        }
    }

    /// What there is to know beside tick or cross.
    #[must_use]
    pub const fn note(&self) -> Option<&'static str> {
        match self {
            Self::PassedInJunk => Some(
                "It lay among junk mail. Letters to other people may end there too: look at what this provider says of your domain's SPF, DKIM and DMARC",
            ),
            Self::NotSeen { in_sent: false } => Some(
                "It has not arrived yet. The mailbox can be read, so this is no fault; look for the letter there later",
            ),
            Self::NotSeen { in_sent: true } => Some(
                "It lies among sent mail and has not arrived yet. The mailbox can be read, so this is no fault; look for the letter there later",
            ),
            Self::Passed | Self::Failed { .. } | Self::Waits { .. } | Self::NotReached => None,
        }
    }
}
