//! Where a session stands, and the moves between.

use std::sync::Arc;

use gatepost_core::EmailAddress;
use gatepost_wire::smtp::MailCommand;
use tokio_util::sync::CancellationToken;

use crate::provider::{OpenSession, Provider};

/// The states; each has what exists only in it.
pub(super) enum State {
    /// Waits for EHLO.
    Greeted,
    /// Waits for a sign-in.
    Ready { client: Client },
    /// Waits for MAIL.
    SignedIn { client: Client, owner: Owner },
    /// Waits for RCPT or DATA.
    InTransaction { client: Client, owner: Owner, envelope: Envelope },
}

/// What the client calls itself, with the right verb.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) name: String,
    pub(super) is_extended: bool,
}

/// Who has signed in.
pub(super) struct Owner {
    pub(super) address: EmailAddress,
    _open: OpenSession,
}

/// The envelope so far.
pub(super) struct Envelope {
    pub(super) mail: MailCommand,
    /// Each mailbox once.
    pub(super) recipients: Vec<EmailAddress>,
}

impl State {
    /// Who has signed in.
    pub(super) fn owner(&self) -> Option<&EmailAddress> {
        match self {
            Self::Greeted | Self::Ready { .. } => None,
            Self::SignedIn { owner, .. } | Self::InTransaction { owner, .. } => Some(&owner.address),
        }
    }

    /// RFC 5321 §4.1.4: EHLO ends a transaction, and nobody is signed out by it.
    pub(super) fn greet(&mut self, client: Client) {
        *self = match std::mem::replace(self, Self::Greeted) {
            Self::Greeted | Self::Ready { .. } => Self::Ready { client },
            Self::SignedIn { owner, .. } | Self::InTransaction { owner, .. } => {
                Self::SignedIn { client, owner }
            }
        };
    }

    /// From now on the session belongs to this account; `ends` is cancelled when it is signed out.
    pub(super) fn sign_in(
        &mut self,
        provider: &Arc<Provider>,
        address: EmailAddress,
        ends: CancellationToken,
    ) {
        *self = match std::mem::replace(self, Self::Greeted) {
            Self::Ready { client } => {
                let open = provider.sessions.register(address.clone(), ends);
                Self::SignedIn { client, owner: Owner { address, _open: open } }
            }
            other => other,
        };
    }

    /// A message begins.
    pub(super) fn begin(&mut self, mail: MailCommand) {
        *self = match std::mem::replace(self, Self::Greeted) {
            Self::SignedIn { client, owner } => {
                Self::InTransaction { client, owner, envelope: Envelope { mail, recipients: Vec::new() } }
            }
            other => other,
        };
    }

    /// Ends the transaction, if there is one, and gives what belonged to it.
    pub(super) fn end_transaction(&mut self) -> Option<(Client, EmailAddress, Envelope)> {
        match std::mem::replace(self, Self::Greeted) {
            Self::InTransaction { client, owner, envelope } => {
                let ended = (client.clone(), owner.address.clone(), envelope);
                *self = Self::SignedIn { client, owner };
                Some(ended)
            }
            other => {
                *self = other;
                None
            }
        }
    }
}
