//! Why a session is over, and the last words said to the client.

use gatepost_net::{ReadError, StartTlsError, WriteError};
use gatepost_wire::smtp::{DataError, Flaws, ServerReply};

use crate::reply;

/// Why a session is over. The text is for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ending {
    #[error("the client said QUIT")]
    Quit,
    #[error("the client went away: {0}")]
    Gone(ReadError),
    #[error("the client was told to encrypt first, and left")]
    LeftUnencrypted,
    #[error("{}", ReadError::BeganTls)]
    BeganTls,
    #[error("the client does not take replies: {0}")]
    Deaf(WriteError),
    #[error("nothing came in time")]
    TimedOut,
    #[error("the message came too slowly")]
    BodyTooSlow,
    #[error("the app password was removed or has expired")]
    Removed,
    #[error("the program stops")]
    Stopping,
    #[error("too many mistakes")]
    TooManyMistakes,
    #[error("the client does not speak SMTP")]
    NotSmtp,
    #[error("a line without end")]
    EndlessLine,
    #[error("bytes came before they were asked for")]
    UnaskedBytes,
    #[error("bytes came behind STARTTLS")]
    BytesBehindStartTls,
    #[error("TLS did not begin: {0}")]
    NoTls(StartTlsError),
    #[error("too many wrong sign-ins")]
    WrongSignIns,
    #[error("a chunk of a message came from nobody")]
    ChunkOutOfPlace,
    #[error("a message had a line end that is not CRLF")]
    BareLineEnd,
    #[error("a message could not be read: {0}")]
    Unreadable(DataError),
}

impl Ending {
    /// What the client is told before the connection closes; nothing if nobody would hear it.
    pub(crate) fn reply(&self) -> Option<ServerReply> {
        Some(match self {
            Self::Quit => reply::goodbye(),
            Self::Gone(_) | Self::LeftUnencrypted | Self::BeganTls | Self::Deaf(_) | Self::NoTls(_) => {
                return None;
            }
            Self::TimedOut => ServerReply::new(421, (4, 4, 2), "Nothing came for too long"),
            Self::BodyTooSlow => ServerReply::new(421, (4, 4, 2), "The message came too slowly"),
            Self::Removed => ServerReply::new(421, (4, 7, 0), "This app password was removed"),
            Self::Stopping => ServerReply::new(421, (4, 3, 2), "Gatepost is stopping: try again"),
            Self::TooManyMistakes => ServerReply::new(421, (4, 7, 0), "Too many mistakes"),
            Self::NotSmtp => ServerReply::new(421, (4, 7, 0), "This is a mail server and speaks SMTP alone"),
            Self::EndlessLine => ServerReply::new(421, (4, 7, 0), "This line does not end"),
            // SS-10.
            Self::UnaskedBytes => ServerReply::new(503, (5, 5, 0), "Wait for the answer before you go on"),
            Self::BytesBehindStartTls => ServerReply::new(503, (5, 5, 0), "Send nothing behind STARTTLS"),
            Self::WrongSignIns => ServerReply::new(421, (4, 7, 0), "Too many wrong sign-ins"),
            Self::ChunkOutOfPlace => reply::before_sign_in(),
            Self::BareLineEnd => Flaws::reply(),
            Self::Unreadable(error) => error.reply(),
        })
    }
}

impl From<ReadError> for Ending {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::TimedOut => Self::TimedOut,
            ReadError::LineTooLong { .. } => Self::EndlessLine,
            ReadError::BeganTls => Self::BeganTls,
            ReadError::Closed | ReadError::Truncated | ReadError::BareLineFeed | ReadError::Broken(_) => {
                Self::Gone(error)
            }
        }
    }
}

impl From<WriteError> for Ending {
    fn from(error: WriteError) -> Self {
        Self::Deaf(error)
    }
}
