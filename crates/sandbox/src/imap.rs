//! The IMAP door (RFC 3501): enough for real programs to read the mailboxes. Each has one folder, INBOX.

mod command;
mod fetch;
mod folder;
mod letter;
mod reply;
mod search;
mod session;
mod sign_in;

use std::borrow::Cow;
use std::sync::Arc;

use gatepost_net::{Connection, Farewell, Service, Ticket};

use crate::provider::Provider;
use crate::session::{Conversation as _, run_until};
use session::Session;

/// Talks IMAP to whoever connects.
pub(crate) struct ImapDoor(pub(crate) Arc<Provider>);

impl Service for ImapDoor {
    async fn talk<'a>(&'a self, connection: &'a mut Connection, _ticket: &'a Ticket) {
        let ends = self.0.stop.child_token();
        let mut session = Session::new(&self.0, connection, ends.clone());
        let ending = run_until(&ends, session.run()).await;
        drop(session);
        ending.part(connection, &self.0.stop, reply::last).await;
    }

    fn farewell(&self, why: Farewell) -> Cow<'static, [u8]> {
        Cow::Owned(reply::last(why.into()))
    }
}

#[cfg(test)]
mod tests;
