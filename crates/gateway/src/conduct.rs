//! How a client behaves before it has signed in, and why its session is over.

use gatepost_net::{ReadError, StartTlsError, WriteError};
use gatepost_wire::passage::{Leave, Lost};

/// Mistakes after which each one costs time.
const PATIENT: u32 = 10;
/// Mistakes that end the session.
const MOST_MISTAKES: u32 = 20;
/// Wrong sign-ins that end it (AP-10).
const MOST_WRONG_SIGN_INS: u32 = 3;

/// Why a session is over. The text is for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ending {
    #[error("the client said goodbye before it signed in")]
    Goodbye,
    #[error("the client signed out")]
    SignedOut,
    #[error("the client went away: {0}")]
    ClientGone(ReadError),
    #[error("the client was told to encrypt first, and left")]
    LeftUnencrypted,
    #[error("{}", ReadError::BeganTls)]
    BeganTls,
    #[error("the client takes nothing: {0}")]
    ClientDeaf(WriteError),
    #[error("the provider ended the connection: {0}")]
    ProviderGone(ReadError),
    #[error("the provider takes nothing: {0}")]
    ProviderDeaf(WriteError),
    #[error("nothing came in time")]
    TimedOut,
    #[error("one side took nothing, or stopped within a line")]
    Stuck,
    #[error("{0}")]
    Lost(Lost),
    #[error("the app password was removed or has expired")]
    Removed,
    #[error("{0}")]
    Ended(&'static str),
    #[error("the program stops")]
    Stopping,
    #[error("too many mistakes")]
    TooManyMistakes,
    #[error("too many wrong sign-ins")]
    WrongSignIns,
    #[error("a line without end, or not ended by CRLF")]
    BadLine,
    #[error("bytes came before they were asked for")]
    UnaskedBytes,
    #[error("TLS did not begin: {0}")]
    NoTls(StartTlsError),
}

impl Ending {
    /// What a client that can still hear it is told.
    pub(crate) fn words(&self) -> Option<String> {
        let words = match self {
            Self::Goodbye
            | Self::SignedOut
            | Self::ClientGone(_)
            | Self::LeftUnencrypted
            | Self::BeganTls
            | Self::ClientDeaf(_)
            | Self::NoTls(_) => return None,
            Self::ProviderGone(_) | Self::ProviderDeaf(_) => "The mail provider has ended the connection",
            Self::TimedOut => "Nothing came for too long",
            Self::Stuck => "The connection stood still for too long",
            Self::Lost(_) => "What was said cannot be passed on",
            Self::Removed => "This app password was removed or has expired",
            Self::Ended(why) => return Some(sentence(why)),
            Self::Stopping => "Gatepost is stopping: try again",
            Self::TooManyMistakes => "Too many mistakes",
            Self::WrongSignIns => "Too many wrong sign-ins",
            Self::BadLine => "This line does not end, or not with CRLF",
            Self::UnaskedBytes => "Wait for the answer before you go on",
        };
        Some(words.to_owned())
    }

    /// The same, seen together with whether the client has signed out: then whoever closes first only does what is due, however roughly.
    pub(crate) fn after(self, leave: Leave) -> Self {
        match (&self, leave) {
            (Self::ClientGone(_) | Self::ClientDeaf(_), Leave::Asked | Leave::Answered)
            | (Self::ProviderGone(_), Leave::Answered) => Self::SignedOut,
            _ => self,
        }
    }

    /// Whether it passes by itself, and nobody did anything wrong.
    pub(crate) const fn is_trouble(&self) -> bool {
        matches!(self, Self::ProviderGone(_) | Self::ProviderDeaf(_) | Self::Ended(_) | Self::Stopping)
    }

    /// Whether the provider may be let down gently: the client is gone, and what it said last is still on its way.
    pub(crate) const fn leaves_provider_in_peace(&self) -> bool {
        matches!(self, Self::ClientGone(ReadError::Closed | ReadError::Truncated) | Self::SignedOut)
    }
}

/// A reason as a sentence of its own, as all last words are.
fn sentence(why: &str) -> String {
    let mut letters = why.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl From<ReadError> for Ending {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::TimedOut => Self::TimedOut,
            ReadError::LineTooLong { .. } | ReadError::BareLineFeed => Self::BadLine,
            ReadError::BeganTls => Self::BeganTls,
            ReadError::Closed | ReadError::Truncated | ReadError::Broken(_) => Self::ClientGone(error),
        }
    }
}

impl From<WriteError> for Ending {
    fn from(error: WriteError) -> Self {
        Self::ClientDeaf(error)
    }
}

/// What is counted.
#[derive(Debug, Default)]
pub(crate) struct Conduct {
    n_mistakes: u32,
    n_wrong_sign_ins: u32,
}

impl Conduct {
    /// Counts a mistake; `true` if it has to cost time.
    pub(crate) fn mistaken(&mut self) -> Result<bool, Ending> {
        self.n_mistakes += 1;
        if self.n_mistakes >= MOST_MISTAKES {
            Err(Ending::TooManyMistakes)
        } else {
            Ok(self.n_mistakes > PATIENT)
        }
    }

    /// Counts a wrong sign-in.
    pub(crate) fn signed_in_wrongly(&mut self) -> Result<(), Ending> {
        self.n_wrong_sign_ins += 1;
        if self.n_wrong_sign_ins >= MOST_WRONG_SIGN_INS { Err(Ending::WrongSignIns) } else { Ok(()) }
    }
}
