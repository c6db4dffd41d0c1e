//! What can be wrong with lines, and what to do about it.

use crate::smtp::{ServerReply, TEXT_LINE};

/// What to do with a CR or LF that stands alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnds {
    /// Pass it on and report it: the message will be refused (RFC 5321 §2.3.8).
    Strict,
    /// Make it CRLF, for programs that cannot do better. It never ends a message, nor does a dot that stands behind it or
    /// before it. `CR CR LF`, which text modes of old systems write for one line end, becomes one.
    Repair,
}

/// What was seen in a message. With [`LineEnds::Repair`] the first two have been mended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flaws {
    /// A CR without LF.
    pub bare_cr: bool,
    /// An LF without CR.
    pub bare_lf: bool,
    /// A NUL. It is passed on; RFC 5321 §4.5.2 lets a body have it, and a header is refused for it (SS-15).
    pub nul: bool,
}

impl Flaws {
    /// Whether a line end was not CRLF.
    #[must_use]
    pub fn has_bare_line_end(self) -> bool {
        self.bare_cr || self.bare_lf
    }

    /// What the client is told at the end of a message with such a line end, if it was to be strict.
    #[must_use]
    pub fn reply() -> ServerReply {
        ServerReply::new(
            550,
            (5, 5, 2),
            "The message has a line end that is not CRLF: ask your administrator to turn on \"repair line ends\" for this app password",
        )
    }
}

/// Why reading a message cannot go on. The connection must be closed: the end of the message will not be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// SS-7.
    #[error("a line of the message is longer than {TEXT_LINE} octets")]
    LineTooLong,
}

impl DataError {
    /// What the client is told before the connection is closed.
    #[must_use]
    pub fn reply(self) -> ServerReply {
        match self {
            Self::LineTooLong => {
                ServerReply::new(554, (5, 6, 0), "A line of the message is longer than 1 MiB")
            }
        }
    }
}
