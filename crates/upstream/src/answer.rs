//! What a server said when it refused.

use std::fmt;

use gatepost_wire::{imap, pop3, smtp};

/// A server's words in the form of its protocol, byte for byte. Hostile until escaped, which `Display` does (SC-12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// From a sending server.
    Smtp(smtp::Reply),
    /// From a reading server.
    Imap(Box<imap::Status>),
    /// From a reading server.
    Pop3(pop3::Reply),
}

impl Answer {
    /// The words as they came.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        match self {
            Self::Smtp(reply) => &reply.raw,
            Self::Imap(status) => &status.raw,
            Self::Pop3(reply) => &reply.raw,
        }
    }

    /// The reply, if it came from a sending server.
    #[must_use]
    pub const fn smtp(&self) -> Option<&smtp::Reply> {
        match self {
            Self::Smtp(reply) => Some(reply),
            Self::Imap(_) | Self::Pop3(_) => None,
        }
    }

    /// Whether the server has said goodbye with it.
    pub(crate) fn is_farewell(&self) -> bool {
        matches!(self, Self::Imap(status) if status.kind == imap::StatusKind::Bye)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smtp(reply) => reply.fmt(f),
            Self::Imap(status) => status.fmt(f),
            Self::Pop3(reply) => reply.fmt(f),
        }
    }
}

impl From<smtp::Reply> for Answer {
    fn from(reply: smtp::Reply) -> Self {
        Self::Smtp(reply)
    }
}

impl From<imap::Status> for Answer {
    fn from(status: imap::Status) -> Self {
        Self::Imap(Box::new(status))
    }
}

impl From<pop3::Reply> for Answer {
    fn from(reply: pop3::Reply) -> Self {
        Self::Pop3(reply)
    }
}
