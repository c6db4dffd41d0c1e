//! The states of a session. A command that a state does not have cannot be called in it: RCPT exists in a transaction alone.
//!
//! Each state has a table of what it answers to each command. What a command does is in `command`, one file for each.

mod authenticated;
mod cleartext;
mod greeted;
mod in_transaction;
mod ready;

use gatepost_identity::LiveSession;
use gatepost_wire::smtp::Command;

pub(crate) use authenticated::Authenticated;
pub(crate) use cleartext::Cleartext;
pub(crate) use greeted::Greeted;
pub(crate) use in_transaction::{Chunks, Content, InTransaction};
pub(crate) use ready::Ready;

use crate::ChooseAccount;
use crate::session::{Ending, Session};

/// Where a session stands.
pub(crate) enum State {
    /// Without TLS.
    Cleartext(Cleartext),
    /// With TLS; awaits EHLO.
    Greeted(Greeted),
    /// Awaits AUTH.
    Ready(Ready),
    /// Awaits MAIL.
    Authenticated(Box<Authenticated>),
    /// Awaits RCPT, DATA or BDAT.
    InTransaction(Box<InTransaction>),
}

impl State {
    /// The state behind the greeting.
    pub(crate) fn first(is_encrypted: bool) -> Self {
        if is_encrypted { Self::Greeted(Greeted) } else { Self::Cleartext(Cleartext) }
    }

    pub(crate) fn is_signed_in(&self) -> bool {
        self.live().is_some()
    }

    /// What tells that the app password was removed.
    pub(crate) fn live(&self) -> Option<&LiveSession> {
        match self {
            Self::Cleartext(_) | Self::Greeted(_) | Self::Ready(_) => None,
            Self::Authenticated(it) => Some(&it.live),
            Self::InTransaction(it) => Some(&it.session.live),
        }
    }

    /// Answers one command.
    pub(crate) async fn take<C: ChooseAccount>(
        self,
        session: &mut Session<'_, C>,
        command: Command,
    ) -> Result<Self, Ending> {
        match self {
            Self::Cleartext(it) => it.take(session, command).await,
            Self::Greeted(it) => it.take(session, command).await,
            Self::Ready(it) => it.take(session, command).await,
            Self::Authenticated(it) => it.take(session, command).await,
            Self::InTransaction(it) => it.take(session, command).await,
        }
    }
}

impl From<Cleartext> for State {
    fn from(it: Cleartext) -> Self {
        Self::Cleartext(it)
    }
}

impl From<Greeted> for State {
    fn from(it: Greeted) -> Self {
        Self::Greeted(it)
    }
}

impl From<Ready> for State {
    fn from(it: Ready) -> Self {
        Self::Ready(it)
    }
}

impl From<Box<Authenticated>> for State {
    fn from(it: Box<Authenticated>) -> Self {
        Self::Authenticated(it)
    }
}

impl From<Box<InTransaction>> for State {
    fn from(it: Box<InTransaction>) -> Self {
        Self::InTransaction(it)
    }
}
